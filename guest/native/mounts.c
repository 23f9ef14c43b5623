/* What the native engine mounts: the root and what the guest's fstab says. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/inspect/fstab.h"
#include "guest/inspect/layout.h"
#include "guest/native/native.h"

#define FSTAB_MAX ((size_t)256 << 10)

static int add_mount(struct native *native, const struct native_mount *mount, struct error **err)
{
    struct native_mount *mounts =
        reallocarray(native->mounts, native->mount_count + 1, sizeof(*mounts));
    if (!mounts)
        return error_oom(err);
    mounts[native->mount_count++] = *mount;
    native->mounts = mounts;
    return 0;
}

void native_drop_mounts(struct native *native)
{
    for (size_t i = native->mount_count; i-- > 0;) {
        ext_close(native->mounts[i].fs);
        free(native->mounts[i].dir);
        free(native->mounts[i].refusal);
    }
    native->mount_count = 0;
}

void native_unmount_all(struct native *native)
{
    native_drop_mounts(native);
    free(native->mounts);
    native->mounts = NULL;
}

int native_mount_volume(struct native *native, const struct volume *volume, const char *dir,
                        struct node at, bool verity, struct error **err)
{
    struct native_mount mount = {.volume = volume, .at = at, .dir = strdup(dir), .verity = verity};
    _cleanup_free_ char *name = str_printf(err, "%s%s", volume->device,
                                           verity ? ", which the guest checks by dm-verity," : "");
    if (!name || !mount.dir) {
        free(mount.dir);
        return error_oom(err);
    }
    int r = ext_open(native->block, volume->offset, volume->length,
                     native->guest.writable && !verity, name, &mount.fs, err);
    if (r == 0)
        r = add_mount(native, &mount, err);
    if (r < 0) {
        ext_close(mount.fs);
        free(mount.dir);
    }
    return r;
}

/* Why a volume must not be changed, or another engine has to do it. `dir` is where it is mounted.
 */
static int check_mounted(struct native *native, const struct volume *volume,
                         const struct ext_fs *fs, const char *dir, struct error **err)
{
    int r = native_check_state(native, volume, fs, err);
    const char *blocker = ext_blocker(fs);
    if (r < 0 || !blocker)
        return r;
    return native_set_lack(native, err, "%s (%s): %s", dir, volume->device, blocker);
}

int native_not_mounted(struct native *native, struct error *why, struct error **err)
{
    if (error_errno(why) != EOPNOTSUPP)
        return error_move(err, why);
    int r = native_set_lack(native, err, "%s", error_message(why));
    error_free(why);
    return r;
}

/* Directories that work on a guest cannot do without. */
static bool is_essential(const char *dir)
{
    static const char *const dirs[] = {"/usr", "/var", "/home", "/etc", "/root", "/boot",
                                       "/opt", "/bin", "/sbin", "/lib", "/lib64"};
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        size_t length = strlen(dirs[i]);
        if (strncmp(dir, dirs[i], length) == 0 && (dir[length] == '\0' || dir[length] == '/'))
            return true;
    }
    return false;
}

/* Firmware partitions and the like: rarely worked on, and no reason to start an appliance. */
static bool is_minor(const struct volume *volume)
{
    static const char *const types[] = {"vfat", "exfat", "iso9660", "swap"};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(volume->type, types[i]) == 0)
            return true;
    return false;
}

static bool disk_has_container(const struct native *native)
{
    for (size_t i = 0; i < native->volumes.count; i++)
        if (volume_is_container(&native->volumes.items[i]))
            return true;
    return false;
}

/* Why the entry's file system cannot be mounted here; NULL in *ret when it can. */
static int find_refusal(const struct native *native, const struct fstab_entry *entry,
                        const struct volume *volume, char **ret, struct error **err)
{
    *ret = NULL;
    if (volume && strcmp(volume->type, "ext") == 0)
        return 0;
    if (volume)
        *ret = str_printf(err, "%s is %s", volume->device,
                          *volume->type ? volume->type : "of an unknown type");
    else if (disk_has_container(native))
        *ret =
            str_printf(err, "%s lies within LVM, LUKS or RAID, or is on another disk", entry->spec);
    else
        *ret = str_printf(err, "%s is not on this disk", entry->spec);
    return *ret ? 0 : -ENOMEM;
}

/* Takes `refusal` over. */
static int add_refused(struct native *native, const struct fstab_entry *entry,
                       const struct volume *volume, struct node at, char *refusal,
                       struct error **err)
{
    struct native_mount mount = {
        .volume = volume, .at = at, .dir = strdup(entry->dir), .refusal = refusal};
    int r = mount.dir ? add_mount(native, &mount, err) : error_oom(err);
    if (r < 0) {
        free(mount.dir);
        free(refusal);
    }
    return r;
}

static int mount_entry(struct native *native, const struct fstab_entry *entry, bool verity,
                       struct error **err)
{
    struct resolved at;
    _cleanup_error_ struct error *error = NULL;
    int r = native_resolve(native, entry->dir, true, &at, &error);
    if (r == -EOPNOTSUPP || r == -ENOENT || (r == 0 && !at.exists))
        return 0; /* nothing can be mounted there, in the guest neither */
    if (r < 0)
        return error_move(err, TAKE_PTR(error));

    const struct volume *volume = volumes_find(&native->volumes, entry->spec);
    _cleanup_free_ char *refusal = NULL;
    r = find_refusal(native, entry, volume, &refusal, err);
    if (r < 0)
        return r;
    if (refusal) {
        bool elsewhere = !volume && !disk_has_container(native);
        if (is_essential(entry->dir) && !elsewhere && !(volume && is_minor(volume)))
            return native_set_lack(native, err, "%s: %s", entry->dir, refusal);
        return add_refused(native, entry, volume, at.node, TAKE_PTR(refusal), err);
    }
    for (size_t i = 0; i < native->mount_count; i++)
        if (native->mounts[i].volume == volume)
            return 0; /* a volume is opened once: two open copies would contradict each other */
    r = native_mount_volume(native, volume, entry->dir, at.node, verity, &error);
    if (r < 0) {
        error_wrap(&error, "%s", entry->dir);
        return native_not_mounted(native, TAKE_PTR(error), err);
    }
    return check_mounted(native, volume, native->mounts[native->mount_count - 1].fs, entry->dir,
                         err);
}

static int by_depth(const void *a, const void *b)
{
    const struct fstab_entry *x = a, *y = b;
    size_t m = strlen(x->dir), n = strlen(y->dir);
    return (m > n) - (m < n);
}

int native_read_fstab(struct native *native, struct fstab *ret, struct error **err)
{
    struct resolved at;
    _cleanup_error_ struct error *error = NULL;
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = native_resolve(native, "/etc/fstab", true, &at, &error);
    if (r == -ENOENT || (r == 0 && !at.exists))
        return 0;
    if (r == 0)
        r = ext_read(native->mounts[at.node.mount].fs, at.node.inode, FSTAB_MAX, &text, &size,
                     &error);
    if (r < 0) {
        error_wrap(&error, "/etc/fstab in the guest");
        return error_move(err, TAKE_PTR(error));
    }
    return fstab_parse(text, ret, err);
}

static void tell_mount(const struct native *native, size_t index, const char *why,
                       struct reporter *reporter)
{
    const struct native_mount *mount = &native->mounts[index];
    report(reporter, REPORT_DEBUG, "%s: %s%s%s", mount->dir,
           mount->fs ? mount->volume->device : mount->refusal, *why ? ", " : "", why);
}

static int mount_fstab(struct native *native, struct fstab *fstab, struct reporter *reporter,
                       struct error **err)
{
    /* What is mounted within something else has the longer path. */
    if (fstab->count > 0)
        qsort(fstab->items, fstab->count, sizeof(*fstab->items), by_depth);
    for (size_t i = 0; i < fstab->count; i++) {
        if (!fstab_is_mounted(&fstab->items[i]) || strcmp(fstab->items[i].dir, "/") == 0)
            continue;
        size_t before = native->mount_count;
        int r = mount_entry(native, &fstab->items[i], false, err);
        if (r < 0 || native->lack)
            return r;
        if (native->mount_count > before)
            tell_mount(native, before, "", reporter);
    }
    return 0;
}

/* What fstab does not name. */

struct layout_context {
    struct native *native;
    struct reporter *reporter;
};

/* Nothing may be written where the guest would not see it. */
static int block_missing(struct native *native, const struct layout_mount *found,
                         struct error **err)
{
    struct resolved at;
    struct fstab_entry entry = {.dir = (char *)found->dir};
    if (disk_has_container(native))
        return native_set_lack(native, err, "%s", found->why);
    if (native_resolve(native, found->dir, true, &at, NULL) < 0 || !at.exists)
        return 0;
    char *refusal = str_printf(err, "%s", found->why);
    return refusal ? add_refused(native, &entry, NULL, at.node, refusal, err) : -ENOMEM;
}

static int mount_found(void *opaque, const struct layout_mount *found, struct error **err)
{
    struct layout_context *context = opaque;
    struct native *native = context->native;
    size_t before = native->mount_count;
    struct fstab_entry entry = {.spec = (char *)found->spec, .dir = (char *)found->dir};
    if (native->lack)
        return 0;
    int r = found->spec ? mount_entry(native, &entry, found->verity, err)
                        : block_missing(native, found, err);
    if (r == 0 && !native->lack && native->mount_count > before)
        tell_mount(native, before, found->why, context->reporter);
    return r;
}

static int mount_layout(struct native *native, const struct volume *root, const struct fstab *fstab,
                        struct reporter *reporter, struct error **err)
{
    struct layout_context context = {.native = native, .reporter = reporter};
    struct layout layout = {
        .guest = &native->guest,
        .volumes = &native->volumes,
        .root = root,
        .fstab = fstab,
        .mount = mount_found,
        .context = &context,
    };
    return layout_mount_all(&layout, err);
}

int native_mount_all(struct native *native, const struct guest_root_choice *choice,
                     struct reporter *reporter, struct error **err)
{
    const struct volume *root = NULL;
    int r = native_find_root(native, choice, &root, err);
    if (r < 0 || native->lack)
        return r;
    bool verity = layout_has_verity(&native->volumes, root);
    r = native_mount_volume(native, root, "/", (struct node){0}, verity, err);
    if (r < 0)
        return r;
    r = check_mounted(native, root, native->mounts[0].fs, "/", err);
    if (r < 0 || native->lack)
        return r;
    _cleanup_fstab_ struct fstab fstab = {0};
    r = native_read_fstab(native, &fstab, err);
    if (r == 0)
        r = mount_fstab(native, &fstab, reporter, err);
    return r < 0 || native->lack ? r : mount_layout(native, root, &fstab, reporter, err);
}
