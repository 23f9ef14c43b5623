/* Which file system is mounted on /usr where fstab does not name it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "guest/inspect/cmdline.h"
#include "guest/inspect/layout_parts.h"
#include "guest/inspect/version.h"

/* The device that dm-verity sets up for /usr, by systemd-veritysetup-generator(8) and by the
 * initramfs of Container Linux. */
static const char mapped_usr[] = "/dev/mapper/usr";

/* Whether the programs of the guest are in the /usr that is visible now. */
static bool is_populated(struct guest *guest)
{
    static const char *const dirs[] = {"/usr/bin", "/usr/sbin", "/usr/lib", "/usr/lib64"};
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
        if (guest_is_dir(guest, dirs[i]))
            return true;
    return false;
}

/* Whether the root's own directories of programs are links into /usr. */
static bool needs_usr(struct guest *guest)
{
    static const char *const links[] = {"/bin", "/sbin", "/lib"};
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        _cleanup_free_ char *target = NULL;
        if (guest_readlink(guest, links[i], &target, NULL) == 0 &&
            (str_starts(target, "usr/") || str_starts(target, "/usr/")))
            return true;
    }
    return false;
}

static bool may_be_mounted(const struct volume *volume)
{
    return *volume->type && !volume_is_container(volume) && strcmp(volume->type, "swap") != 0 &&
           strcmp(volume->type, "DM_verity_hash") != 0;
}

static const char *arch_of(const struct volume *volume)
{
    const struct part_type *type = part_type_find(volume->part_type);
    return type ? type->arch : NULL;
}

/* Of several versions the one with the newest label counts (dissect-image.c); a root partition's
 * type says which architecture the guest is of. */
static const struct volume *find_by_type(const struct layout *layout)
{
    const struct volume *best = NULL;
    const char *arch = arch_of(layout->root);
    for (size_t i = 0; i < layout->volumes->count; i++) {
        const struct volume *volume = &layout->volumes->items[i];
        if (volume->disk != layout->root->disk || layout_role(volume) != ROLE_USR ||
            (volume->part_attributes & PART_NO_AUTO) || !may_be_mounted(volume) ||
            (arch && strcmp(arch, arch_of(volume)) != 0))
            continue;
        if (!best || version_compare(volume->part_label, best->part_label) > 0)
            best = volume;
    }
    return best;
}

/* GRUB's gptprio.next, which Container Linux boots by: the highest priority (bits 48 to 51) of
 * those that were booted before (bit 56) or may still be tried (bits 52 to 55). */
static unsigned priority_of(const struct volume *volume)
{
    uint64_t bits = volume->part_attributes;
    bool usable = (bits >> 56 & 1) || (bits >> 52 & 15);
    return usable ? (unsigned)(bits >> 48 & 15) : 0;
}

static bool is_named(const struct volume *volume, const char *name)
{
    return strcmp(volume->part_label, name) == 0 || strcmp(volume->label, name) == 0;
}

static const struct volume *find_container_linux(const struct layout *layout)
{
    const struct volume *best = NULL;
    for (size_t i = 0; i < layout->volumes->count; i++) {
        const struct volume *volume = &layout->volumes->items[i];
        bool fits = layout_role(volume) == ROLE_CONTAINER_LINUX_USR || is_named(volume, "USR-A") ||
                    is_named(volume, "USR-B");
        if (fits && may_be_mounted(volume) && (!best || priority_of(volume) > priority_of(best)))
            best = volume;
    }
    return best;
}

/* The only one whose label says that it is /usr; NULL for none, and for several. */
static const struct volume *find_by_label(const struct layout *layout)
{
    static const char *const names[] = {"usr", "/usr", "USR"};
    const struct volume *found = NULL;
    for (size_t i = 0; i < layout->volumes->count; i++) {
        const struct volume *volume = &layout->volumes->items[i];
        bool fits = false;
        for (size_t j = 0; !fits && j < ARRAY_SIZE(names); j++)
            fits = is_named(volume, names[j]);
        if (!fits || !may_be_mounted(volume))
            continue;
        if (found)
            return NULL;
        found = volume;
    }
    return found;
}

static bool has_verity_partition(const struct layout *layout)
{
    for (size_t i = 0; i < layout->volumes->count; i++)
        if (layout_role(&layout->volumes->items[i]) == ROLE_USR_VERITY)
            return true;
    return false;
}

/* Found by what lies on the disk. */
static int mount_found(struct layout *layout, struct error **err)
{
    struct layout_mount mount = {.dir = "/usr", .verity = has_verity_partition(layout)};
    const struct volume *volume = NULL;
    if (is_populated(layout->guest))
        return 0;
    const struct {
        const struct volume *(*find)(const struct layout *layout);
        const char *why;
    } ways[] = {
        {find_by_type, "by the type of its partition"},
        {find_container_linux, "as Container Linux does"},
        {find_by_label, "by its label"},
    };
    for (size_t i = 0; !volume && i < ARRAY_SIZE(ways); i++) {
        volume = ways[i].find(layout);
        mount.why = ways[i].why;
    }
    if (volume)
        mount.spec = volume->device;
    else if (needs_usr(layout->guest))
        mount.why = "the guest's programs are in /usr, which is empty, and no file system for it "
                    "was found";
    else
        return 0;
    return layout->mount(layout->context, &mount, err);
}

/* The first 128 bits of the hash are the partition's UUID (Discoverable Partitions Specification,
 * "Partition UUIDs"). *ret NULL: it is none. */
static int hash_to_spec(const char *hash, char **ret, struct error **err)
{
    *ret = NULL;
    if (strlen(hash) < 32 || strspn(hash, "0123456789abcdefABCDEF") != strlen(hash))
        return 0;
    *ret = str_printf(err, "PARTUUID=%.8s-%.4s-%.4s-%.4s-%.12s", hash, hash + 8, hash + 12,
                      hash + 16, hash + 20);
    return *ret ? 0 : -ENOMEM;
}

/* The device below /dev/mapper/usr. */
static int find_verity_data(struct layout *layout, const char *command_line, char **ret,
                            struct error **err)
{
    static const char *const names[] = {"systemd.verity_usr_data", "verity.usr"};
    int r = 0;
    for (size_t i = 0; r == 0 && !*ret && i < ARRAY_SIZE(names); i++)
        r = cmdline_value(command_line, names[i], ret, err);
    _cleanup_free_ char *hash = NULL;
    if (r == 0 && !*ret)
        r = cmdline_value(command_line, "usrhash", &hash, err);
    if (r == 0 && hash)
        r = hash_to_spec(hash, ret, err);
    if (r < 0 || (*ret && volumes_find(layout->volumes, *ret)))
        return r;
    const struct volume *volume = find_by_type(layout);
    if (!volume)
        volume = find_container_linux(layout);
    return volume ? str_replace(ret, volume->device, err) : 0;
}

/* *ret NULL: the command line does not say. */
static int read_spec(const char *command_line, char **ret, struct error **err)
{
    int r = cmdline_value(command_line, "mount.usr", ret, err);
    if (r == 0 && !*ret)
        r = cmdline_value(command_line, "usr", ret, err);
    return r;
}

int layout_mount_usr(struct layout *layout, const char *command_line, struct error **err)
{
    _cleanup_free_ char *spec = NULL, *data = NULL, *hash = NULL;
    int r = read_spec(command_line, &spec, err);
    if (r == 0)
        r = cmdline_value(command_line, "usrhash", &hash, err);
    if (r == 0 && !hash)
        r = cmdline_value(command_line, "verity.usrhash", &hash, err);
    bool mapped = spec && strcmp(spec, mapped_usr) == 0;
    if (r == 0 && mapped)
        r = find_verity_data(layout, command_line, &data, err);
    if (r < 0)
        return r;
    /* "auto", "gpt-auto", "off", ... (systemd 257): what lies on the disk decides. */
    bool given = spec && (strchr(spec, '=') || *spec == '/');
    if (given) {
        const struct layout_mount mount = {.dir = "/usr",
                                           .spec = data ? data : spec,
                                           .why = "by the kernel command line",
                                           .verity = mapped || hash};
        return layout->mount(layout->context, &mount, err);
    }
    return layout_names(layout->fstab, "/usr") ? 0 : mount_found(layout, err);
}
