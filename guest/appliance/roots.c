/*
 * Which file system is the guest's root. libguestfs's own inspection mounts everything, starts
 * augeas and reads package lists: without KVM it takes as long as the start of the appliance. What
 * is looked for here are Linux guests by guest/inspect/root.h and Windows by its registry. Anything
 * else that libguestfs knows (the BSDs, Hurd, Minix, DOS), several roots, none, and disks
 * that cannot be told with certainty, are left to it. Facts: libguestfs 1.48 daemon/inspect_fs.ml,
 * daemon/listfs.ml.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "guest/appliance/appliance.h"
#include "guest/inspect/elf.h"
#include "guest/inspect/root.h"
#include "guest/inspect/windows.h"
#include "guest/root_choice.h"

static bool in_list(const char *text, const char *const *list, size_t count, bool fold)
{
    for (size_t i = 0; i < count; i++)
        if (fold ? strcasecmp(text, list[i]) == 0 : strcmp(text, list[i]) == 0)
            return true;
    return false;
}

void appliance_free_mounts(struct appliance *appliance)
{
    for (size_t i = 0; i < appliance->mount_count; i++) {
        free(appliance->mounts[i].dir);
        free(appliance->mounts[i].device);
        free(appliance->mounts[i].options);
    }
    free(TAKE_PTR(appliance->mounts));
    appliance->mount_count = 0;
}

int appliance_add_mount(struct appliance *appliance, const char *dir, const char *device,
                        const char *options, struct error **err)
{
    struct appliance_mount *mounts =
        reallocarray(appliance->mounts, appliance->mount_count + 1, sizeof(*mounts));
    if (!mounts)
        return error_oom(err);
    appliance->mounts = mounts;
    struct appliance_mount *mount = &mounts[appliance->mount_count++];
    *mount = (struct appliance_mount){strdup(dir), strdup(device), strdup(options)};
    return mount->dir && mount->device && mount->options ? 0 : error_oom(err);
}

int appliance_find_arch(struct appliance *appliance, struct error **err)
{
    for (size_t i = 0; guest_common_programs[i]; i++) {
        size_t size;
        _cleanup_free_ char *header =
            guestfs_pread(appliance->handle, guest_common_programs[i], ELF_HEADER_SIZE, 0, &size);
        const char *machine = header ? elf_machine(header, size) : NULL;
        if (machine)
            return str_replace(&appliance->arch, machine, err);
    }
    return 0;
}

/* The names at the top of a file system. */
struct top {
    bool etc;     /* a Linux root may be here */
    bool windows; /* a directory that is called as Windows' own */
    bool foreign; /* a system that libguestfs inspects */
};

static int look_at_name(void *context, const char *name, mode_t type)
{
    static const char *const windows[] = {"Windows", "WINNT", "WIN32", "WIN"};
    static const char *const foreign[] = {"netbsd", "bsd", "hurd", "service"};
    static const char *const dos[] = {"FDOS", "DOS", "boot.ini"};
    (void)type;
    struct top *top = context;
    top->etc = top->etc || strcmp(name, "etc") == 0;
    top->windows = top->windows || in_list(name, windows, ARRAY_SIZE(windows), true);
    top->foreign = top->foreign || in_list(name, foreign, ARRAY_SIZE(foreign), false) ||
                   in_list(name, dos, ARRAY_SIZE(dos), true);
    return 0;
}

/* What is mounted is the root: takes down all that is known of it. */
static int take_root(struct appliance *appliance, const char *device, bool windows,
                     struct error **err)
{
    int r;
    if (appliance->root)
        return appliance_set_doubt(appliance, err, "there may be systems on %s and %s",
                                   appliance->root, device);
    r = str_replace(&appliance->root, device, err);
    if (r == 0)
        r = appliance_add_mount(appliance, "/", device, "", err);
    if (r < 0 || windows)
        return r;
    r = appliance_find_arch(appliance, err);
    return r < 0 ? r : appliance_plan_mounts(appliance, err);
}

static int examine_windows(struct appliance *appliance, const char *device, struct error **err)
{
    bool found;
    int r = guest_has_windows(&appliance->guest, &found, err);
    if (r == 0 && !found)
        return appliance_set_doubt(appliance, err, "%s has a directory of Windows", device);
    return r < 0 ? r : take_root(appliance, device, true, err);
}

static int examine_linux(struct appliance *appliance, const char *device, struct error **err)
{
    static const char *const foreign[] = {"/etc/freebsd-update.conf"};
    if (!guest_looks_like_root(&appliance->guest))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(foreign); i++)
        if (guest_exists(&appliance->guest, foreign[i]))
            return appliance_set_doubt(appliance, err, "%s has %s", device, foreign[i]);
    return take_root(appliance, device, false, err);
}

/* Expects the file system to be mounted on "/". */
static int examine(struct appliance *appliance, const struct volume *volume, const char *device,
                   struct error **err)
{
    struct top top = {0};
    struct error *error = NULL;
    int r = guest_list(&appliance->guest, "/", look_at_name, &top, &error);
    if (r < 0) {
        r = appliance_set_doubt(appliance, err, "%s cannot be read", device);
        error_free(error);
        return r;
    }
    bool fat = strcmp(volume->type, "ntfs") == 0 || strcmp(volume->type, "vfat") == 0;
    if (top.foreign)
        return appliance_set_doubt(appliance, err, "%s may hold another system than Linux", device);
    if (top.windows && fat)
        return examine_windows(appliance, device, err);
    return top.etc ? examine_linux(appliance, device, err) : 0;
}

int appliance_unmount_all(struct appliance *appliance, struct error **err)
{
    appliance->root_mounted = false;
    return appliance_done(&appliance->guest, guestfs_umount_all(appliance->handle), err);
}

/* Mounts for a look; *ret_mounted tells whether that was possible. */
static int mount_read_only(struct appliance *appliance, const char *device, const char *options,
                           bool *ret_mounted, struct error **err)
{
    int r = appliance->root_mounted ? appliance_unmount_all(appliance, err) : 0;
    if (r < 0)
        return r;
    *ret_mounted = guestfs_mount_options(appliance->handle, options, device, "/") == 0;
    if (!*ret_mounted)
        report(appliance->reporter, REPORT_DEBUG, "%s cannot be mounted: %s", device,
               guestfs_last_error(appliance->handle));
    return 0;
}

/* The root stays mounted: most guests have nothing else to look at. */
static int look_into(struct appliance *appliance, const struct volume *volume, const char *device,
                     struct error **err)
{
    static const char *const kernels[] = {"ext", "xfs", "btrfs"};
    bool mounted, had_root = appliance->root;
    int r = mount_read_only(appliance, device, "ro", &mounted, err);
    if (r < 0 || !mounted)
        return r;
    r = examine(appliance, volume, device, err);
    appliance->root_mounted = r == 0 && !had_root && appliance->root;
    appliance->root_remounts = in_list(volume->type, kernels, ARRAY_SIZE(kernels), false);
    return r < 0 || appliance->root_mounted ? r : appliance_unmount_all(appliance, err);
}

/* The subvolumes in which something called "etc" is, seen from the top of the tree. */
static int list_likely(struct appliance *appliance, const char *device, struct strv *ret,
                       struct error **err)
{
    guestfs_h *g = appliance->handle;
    struct guestfs_btrfssubvolume_list *all = guestfs_btrfs_subvolume_list(g, device);
    int64_t chosen = guestfs_btrfs_subvolume_get_default(g, device);
    bool mounted = false;
    int r =
        all && chosen >= 0 ? 0 : appliance_set_doubt(appliance, err, "%s: no subvolumes", device);
    if (r == 0 && all && all->len > 0)
        r = mount_read_only(appliance, device, "ro,subvolid=5", &mounted, err);
    for (uint32_t i = 0; r == 0 && mounted && i < all->len; i++) {
        const struct guestfs_btrfssubvolume *volume = &all->val[i];
        _cleanup_free_ char *etc = str_printf(err, "/%s/etc", volume->btrfssubvolume_path);
        if (!etc)
            r = -ENOMEM;
        else if ((int64_t)volume->btrfssubvolume_id != chosen &&
                 guest_exists(&appliance->guest, etc))
            r = strv_add(ret, volume->btrfssubvolume_path, err);
    }
    if (all)
        guestfs_free_btrfssubvolume_list(all);
    return r == 0 && mounted ? appliance_unmount_all(appliance, err) : r;
}

static int look_into_subvolumes(struct appliance *appliance, const struct volume *volume,
                                struct error **err)
{
    _cleanup_strv_ struct strv likely = {0};
    int r = list_likely(appliance, volume->device, &likely, err);
    for (size_t i = 0; r == 0 && i < likely.count; i++) {
        _cleanup_free_ char *name =
            str_printf(err, "btrfsvol:%s/%s", volume->device, likely.items[i]);
        r = name ? look_into(appliance, volume, name, err) : -ENOMEM;
    }
    return r;
}

/* What libguestfs alone has a name for; "" for what holds no files. */
static int ask_for_type(struct appliance *appliance, const struct volume *volume, bool *ret_files,
                        struct error **err)
{
    static const char *const others[] = {"", "swap", "swsuspend"};
    _cleanup_free_ char *type = guestfs_vfs_type(appliance->handle, volume->device);
    *ret_files =
        type && !in_list(type, others, ARRAY_SIZE(others), false) && !str_ends(type, "_member");
    if (type && strcmp(type, "ufs") == 0)
        return appliance_set_doubt(appliance, err, "%s holds UFS", volume->device);
    return 0;
}

/* A file system on several devices is looked at once. */
static bool is_seen(const struct appliance *appliance, const struct volume *volume)
{
    for (const struct volume *other = appliance->volumes.items; other < volume; other++)
        if (*volume->uuid && strcmp(other->type, volume->type) == 0 &&
            strcmp(other->uuid, volume->uuid) == 0)
            return true;
    return false;
}

/* What the root that was found mounts on one of its usual directories is no root of another guest,
 * and need not be looked at. */
static bool is_part_of_root(const struct appliance *appliance, const struct volume *volume)
{
    static const char *const dirs[] = {"/boot", "/boot/efi", "/efi", "/home", "/usr",
                                       "/var",  "/tmp",      "/opt", "/srv"};
    for (size_t i = 0; i < appliance->mount_count; i++)
        if (strcmp(appliance->mounts[i].device, volume->device) == 0 &&
            in_list(appliance->mounts[i].dir, dirs, ARRAY_SIZE(dirs), false))
            return strcmp(volume->type, "btrfs") != 0;
    return false;
}

static int look_at(struct appliance *appliance, const struct volume *volume, struct error **err)
{
    bool files = !volume_is_container(volume) && strcmp(volume->type, "swap") != 0 &&
                 !is_part_of_root(appliance, volume);
    bool btrfs = strcmp(volume->type, "btrfs") == 0;
    int r = 0;
    if (*volume->type == '\0')
        r = ask_for_type(appliance, volume, &files, err);
    if (strcmp(volume->type, "LDM") == 0 || strcmp(volume->type, "disklabel") == 0)
        r = appliance_set_doubt(appliance, err, "%s has a table of its own within (%s)",
                                volume->device, volume->type);
    if (r < 0 || !files || (btrfs && is_seen(appliance, volume)))
        return r;
    r = look_into(appliance, volume, volume->device, err);
    if (r == 0 && btrfs && !appliance->doubt)
        r = look_into_subvolumes(appliance, volume, err);
    return r;
}

static int explain_absence(const struct appliance *appliance, struct error **err)
{
    if (!appliance->locked)
        return error_set(err, ENOENT, "no operating system was found");
    error_set(err, ENOKEY, "no operating system was found, and %s is encrypted", appliance->locked);
    return error_hint(err, "name its key: --key %s:file:FILENAME", appliance->locked);
}

/* libguestfs's inspection. */

static int ask_for_root(struct appliance *appliance, struct error **err)
{
    _cleanup_list_ char **roots = guestfs_inspect_os(appliance->handle);
    _cleanup_strv_ struct strv found = {0};
    size_t chosen = 0;
    int r = 0;
    if (!roots)
        return appliance_fail(appliance, err);
    if (!roots[0])
        return explain_absence(appliance, err);
    for (size_t i = 0; r == 0 && roots[i]; i++) {
        _cleanup_free_ char *name = guestfs_inspect_get_product_name(appliance->handle, roots[i]);
        r = guest_found_root(&found, roots[i], name, err);
    }
    if (r == 0)
        r = guest_choose_root(appliance->choice, &found, &chosen, err);
    return r < 0 ? r : str_replace(&appliance->root, roots[chosen], err);
}

static int by_depth(const void *a, const void *b)
{
    const struct appliance_mount *x = a, *y = b;
    size_t m = strlen(x->dir), n = strlen(y->dir);
    return (m > n) - (m < n);
}

static int inspect(struct appliance *appliance, struct error **err)
{
    guestfs_h *g = appliance->handle;
    report(appliance->reporter, REPORT_DEBUG, "libguestfs inspects the guest: %s",
           appliance->doubt);
    appliance_free_mounts(appliance);
    free(TAKE_PTR(appliance->arch));
    free(TAKE_PTR(appliance->root));
    int r = appliance_unmount_all(appliance, err);
    if (r == 0)
        r = ask_for_root(appliance, err);
    if (r < 0)
        return r;
    _cleanup_list_ char **table = guestfs_inspect_get_mountpoints(g, appliance->root);
    appliance->arch = guestfs_inspect_get_arch(g, appliance->root);
    if (!table || !appliance->arch)
        return appliance_fail(appliance, err);
    for (size_t i = 0; r == 0 && table[i]; i += 2)
        r = appliance_add_mount(appliance, table[i], table[i + 1], "", err);
    if (r < 0)
        return r;
    qsort(appliance->mounts, appliance->mount_count, sizeof(*appliance->mounts), by_depth);
    appliance->guest.reason =
        str_printf(err, "inspected by libguestfs, since %s", appliance->doubt);
    return appliance->guest.reason ? 0 : -ENOMEM;
}

/* Where a root is most likely: on LVM and what was encrypted, then on the largest volume. */
static int by_chance(const void *a, const void *b)
{
    const struct volume *x = *(const struct volume *const *)a,
                        *y = *(const struct volume *const *)b;
    if ((x->disk == VOLUME_NO_DISK) != (y->disk == VOLUME_NO_DISK))
        return x->disk == VOLUME_NO_DISK ? -1 : 1;
    if (x->length != y->length)
        return x->length > y->length ? -1 : 1;
    return x < y ? -1 : 1;
}

/* Only what was named, which may be a subvolume of btrfs. */
static int look_at_wanted(struct appliance *appliance, const char *wanted, struct error **err)
{
    static const char subvolume[] = "btrfsvol:";
    bool within = str_starts(wanted, subvolume);
    const struct volume *volume =
        within ? appliance_volume_of(appliance, wanted) : volumes_find(&appliance->volumes, wanted);
    if (!volume)
        return error_set(err, ENOENT, "%s is not among the guest's devices", wanted);
    int r = within ? look_into(appliance, volume, wanted, err) : look_at(appliance, volume, err);
    if (r == 0 && !appliance->root && !appliance->doubt)
        r = error_set(err, ENOENT, "no operating system was found on %s", wanted);
    return r;
}

static int look_at_all(struct appliance *appliance, struct error **err)
{
    size_t count = appliance->volumes.count;
    _cleanup_free_ const struct volume **order = calloc(count + 1, sizeof(*order));
    if (!order)
        return error_oom(err);
    for (size_t i = 0; i < count; i++)
        order[i] = &appliance->volumes.items[i];
    qsort(order, count, sizeof(*order), by_chance);
    int r = 0;
    for (size_t i = 0; r == 0 && !appliance->doubt && i < count; i++)
        r = look_at(appliance, order[i], err);
    return r;
}

int appliance_find_root(struct appliance *appliance, struct error **err)
{
    const char *wanted = guest_root_wanted(appliance->choice);
    int r = wanted ? look_at_wanted(appliance, wanted, err) : look_at_all(appliance, err);
    if (r == 0 && !appliance->root && !appliance->doubt && appliance->locked)
        return explain_absence(appliance, err);
    if (r == 0 && !appliance->root)
        r = appliance_set_doubt(appliance, err, "no root file system was found");
    if (r < 0)
        return r;
    return appliance->doubt ? inspect(appliance, err) : 0;
}
