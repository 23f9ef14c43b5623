#include "guest/bootcfg/boot_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "guest/inspect/fstab.h"

#define FSTAB_MAX ((size_t)1 << 20)

/* The mark of a device that may be any of the guest's. */
static const char any_device[] = GRUB_DEVICE "\1";

/* Which file systems there are. */

static int add_place(struct boot_files *files, const char *dir, const char *uuid, const char *label,
                     struct error **err)
{
    struct boot_place *places = reallocarray(files->places, files->count + 1, sizeof(*places));
    if (!places)
        return error_oom(err);
    files->places = places;
    places[files->count] = (struct boot_place){strdup(dir), strdup(uuid), strdup(label)};
    struct boot_place *place = &places[files->count++];
    return place->dir && place->uuid && place->label ? 0 : error_oom(err);
}

/* "UUID=..." with or without quotes; "" when the field has another form. Caller frees. */
static char *tag(const char *spec, const char *name, struct error **err)
{
    size_t length = strlen(name);
    if (strncmp(spec, name, length) != 0 || spec[length] != '=')
        return str_printf(err, "%s", "");
    const char *value = spec + length + 1;
    value += *value == '"';
    return str_printf(err, "%.*s", (int)strcspn(value, "\""), value);
}

static int add_fstab_entry(struct boot_files *files, const struct fstab_entry *entry,
                           struct error **err)
{
    _cleanup_free_ char *uuid = tag(entry->spec, "UUID", err);
    _cleanup_free_ char *label = uuid ? tag(entry->spec, "LABEL", err) : NULL;
    if (!label)
        return -ENOMEM;
    if (strcmp(entry->dir, "/") == 0) {
        if (!*files->places[0].uuid && *uuid)
            return str_replace(&files->places[0].uuid, uuid, err);
        return *label ? str_replace(&files->places[0].label, label, err) : 0;
    }
    /* A subvolume is no file system of its own. */
    if (*uuid && strcasecmp(uuid, files->places[0].uuid) == 0)
        return 0;
    bool disk = fstab_is_mounted(entry) || *uuid || *label;
    return disk && *entry->dir == '/' ? add_place(files, entry->dir, uuid, label, err) : 0;
}

static int read_fstab(struct boot_files *files, struct error **err)
{
    _cleanup_free_ char *text = NULL;
    _cleanup_fstab_ struct fstab fstab = {0};
    if (guest_read(files->guest, "/etc/fstab", FSTAB_MAX, &text, NULL, NULL) < 0)
        return 0;
    int r = fstab_parse(text, &fstab, err);
    for (size_t i = 0; r == 0 && i < fstab.count; i++)
        r = add_fstab_entry(files, &fstab.items[i], err);
    files->known = r == 0 && *files->places[0].uuid;
    return r;
}

int boot_files_read(struct guest *guest, struct boot_files *ret, struct error **err)
{
    _cleanup_boot_files_ struct boot_files files = {.guest = guest};
    _cleanup_guest_root_ struct guest_root root = {0};
    if (guest_root(guest, &root, NULL) == 0)
        files.btrfs = strcmp(root.fs, "btrfs") == 0;
    int r = add_place(&files, "/", root.uuid ? root.uuid : "", "", err);
    if (r == 0)
        r = read_fstab(&files, err);
    if (r < 0)
        return r;
    *ret = files;
    files = (struct boot_files){0};
    return 0;
}

void boot_files_free(struct boot_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->places[i].dir);
        free(files->places[i].uuid);
        free(files->places[i].label);
    }
    free(files->places);
    *files = (struct boot_files){0};
}

/* Files. */

static int refuse_dangling(struct boot_files *files, const char *path, struct error **err)
{
    _cleanup_free_ char *target = NULL;
    struct guest_stat st;
    if (guest_stat(files->guest, path, false, &st, NULL) < 0 || !S_ISLNK(st.mode))
        return 0;
    if (guest_readlink(files->guest, path, &target, NULL) < 0)
        target = NULL;
    return error_set(err, EOPNOTSUPP, "%s in the guest is a link to %s, which cannot be found here",
                     path, target ? target : "a file");
}

static int stat_found(struct boot_files *files, const char *path, struct guest_stat *st,
                      struct grub_found *ret, struct error **err)
{
    _cleanup_error_ struct error *error = NULL;
    *ret = (struct grub_found){0};
    if (guest_path_check(path, NULL) < 0)
        return 0;
    int r = guest_stat(files->guest, path, true, st, &error);
    if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
        return refuse_dangling(files, path, err);
    if (r < 0)
        return error_move(err, TAKE_PTR(error));
    if (!S_ISREG(st->mode) && !S_ISDIR(st->mode))
        return 0;
    ret->kind = S_ISREG(st->mode) ? GRUB_FILE : GRUB_DIRECTORY;
    ret->size = st->size;
    ret->path = strdup(path);
    return ret->path ? 0 : error_oom(err);
}

int boot_files_stat(struct boot_files *files, const char *path, struct grub_found *ret,
                    struct error **err)
{
    struct guest_stat st;
    return stat_found(files, path, &st, ret, err);
}

static int join(const char *dir, const char *path, char **ret, struct error **err)
{
    *ret = str_printf(err, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, path + strspn(path, "/"));
    return *ret ? 0 : -ENOMEM;
}

/* The paths behind each slash, for those that begin with subvolumes. */
static int find_below(struct boot_files *files, const char *path, unsigned levels,
                      struct grub_found *ret, struct error **err)
{
    int r = 0;
    for (const char *inner = strchr(path + (*path == '/'), '/');
         r == 0 && ret->kind == GRUB_ABSENT && inner && levels > 0;
         inner = strchr(inner + 1, '/'), levels--)
        r = boot_files_stat(files, inner, ret, err);
    return r;
}

int boot_files_guess(struct boot_files *files, const char *dir, const char *path,
                     struct grub_found *ret, struct error **err)
{
    const char *const dirs[] = {dir ? dir : "/", "/", "/boot", "/boot/efi", "/efi"};
    _cleanup_grub_found_ struct grub_found found = {0};
    _cleanup_error_ struct error *unserved = NULL;
    struct guest_stat first = {0};
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        _cleanup_free_ char *candidate = NULL;
        _cleanup_grub_found_ struct grub_found other = {0};
        _cleanup_error_ struct error *error = NULL;
        struct guest_stat st;
        int r = join(dirs[i], path, &candidate, &error);
        if (r == 0)
            r = stat_found(files, candidate, &st, &other, &error);
        if (r < 0 && r != -EOPNOTSUPP)
            return error_move(err, TAKE_PTR(error));
        if (r < 0 && !unserved)
            unserved = TAKE_PTR(error);
        if (other.kind == GRUB_ABSENT)
            continue;
        if (found.kind != GRUB_ABSENT) {
            if (st.inode == first.inode && st.fs == first.fs)
                continue;
            return error_set(err, EOPNOTSUPP, "%s of the boot loader may be %s or %s", path,
                             found.path, other.path);
        }
        found = other;
        other = (struct grub_found){0};
        first = st;
        if (dir)
            break;
    }
    *ret = found;
    found = (struct grub_found){0};
    int r = ret->kind == GRUB_ABSENT ? find_below(files, path, 1, ret, err) : 0;
    return r == 0 && ret->kind == GRUB_ABSENT ? error_move(err, TAKE_PTR(unserved)) : r;
}

/* Devices. */

/* Of a mark of ours; NULL: any, or another device. */
static const struct boot_place *place_of(const struct boot_files *files, const char *device)
{
    uint64_t index;
    size_t prefix = strlen(GRUB_DEVICE);
    if (!str_starts(device, GRUB_DEVICE))
        return NULL;
    _cleanup_free_ char *number = strndup(device + prefix, strcspn(device + prefix, "\1"));
    if (!number || parse_u64(number, "device", &index, NULL) < 0 || index >= files->count)
        return NULL;
    return &files->places[index];
}

/* Whether another file system is mounted over what the path means. */
static bool is_covered(const struct boot_files *files, const struct boot_place *place,
                       const char *path)
{
    for (size_t i = 1; i < files->count; i++) {
        const char *dir = files->places[i].dir;
        size_t length = strlen(dir);
        if (&files->places[i] != place && strlen(dir) > strlen(place->dir) &&
            strncmp(path, dir, length) == 0 && path[length] == '/')
            return true;
    }
    return false;
}

int boot_files_find(void *context, const char *device, const char *path, struct grub_found *ret,
                    struct error **err)
{
    struct boot_files *files = context;
    const struct boot_place *place = files->known ? place_of(files, device) : NULL;
    _cleanup_free_ char *full = NULL;
    if (*device == GRUB_MARK && !str_starts(device, GRUB_DEVICE))
        return error_set(err, EOPNOTSUPP, "%s lies on %.*s, which is none of the guest's", path,
                         (int)strcspn(device + 1, "\1"), device + 1);
    if (strchr(device, GRUB_MARK) && !str_starts(device, GRUB_DEVICE))
        return error_set(err, EOPNOTSUPP, "%s lies on a device that only the machine knows", path);
    if (!str_starts(device, GRUB_DEVICE) && strncmp(device, "hd", 2) != 0)
        return error_set(err, EOPNOTSUPP, "%s lies on GRUB's device %s", path, device);
    if (!place)
        return boot_files_guess(files, NULL, path, ret, err);
    int r = join(place->dir, path, &full, err);
    if (r < 0)
        return r;
    if (is_covered(files, place, full))
        return error_set(err, EOPNOTSUPP,
                         "%s lies below a mount point of the guest, on the file "
                         "system that is covered there",
                         full);
    r = boot_files_stat(files, full, ret, err);
    if (r == 0 && ret->kind == GRUB_ABSENT && files->btrfs && place == files->places)
        r = find_below(files, path, 8, ret, err);
    return r;
}

static int set_mark(char **ret, const struct boot_files *files, const struct boot_place *place,
                    struct error **err)
{
    *ret = str_printf(err, "%s%zu\1", GRUB_DEVICE, (size_t)(place - files->places));
    return *ret ? 0 : -ENOMEM;
}

static int find_by_file(struct boot_files *files, const char *path, char **ret, struct error **err)
{
    const struct boot_place *only = NULL;
    for (size_t i = 0; i < files->count; i++) {
        _cleanup_grub_found_ struct grub_found found = {0};
        _cleanup_free_ char *mark = NULL;
        int r = set_mark(&mark, files, &files->places[i], err);
        if (r == 0)
            r = boot_files_find(files, mark, path, &found, NULL);
        if (r == -ENOMEM)
            return error_oom(err);
        if (r < 0 || (only && found.kind == GRUB_FILE)) {
            *ret = str_printf(err, "\1one of several file systems\1");
            return *ret ? 0 : -ENOMEM;
        }
        only = found.kind == GRUB_FILE ? &files->places[i] : only;
    }
    if (only)
        return set_mark(ret, files, only, err);
    *ret = str_printf(err, "\1the file system that has %s\1", path);
    return *ret ? 0 : -ENOMEM;
}

int boot_files_find_device(void *context, enum grub_key key, const char *value, char **ret,
                           struct error **err)
{
    struct boot_files *files = context;
    bool all_known = files->known;
    if (files->known && key == GRUB_BY_FILE)
        return find_by_file(files, value, ret, err);
    for (size_t i = 0; files->known && i < files->count; i++) {
        const struct boot_place *place = &files->places[i];
        const char *known = key == GRUB_BY_UUID ? place->uuid : place->label;
        if (*known && (key == GRUB_BY_UUID ? strcasecmp(known, value) : strcmp(known, value)) == 0)
            return set_mark(ret, files, place, err);
        all_known = all_known && *known;
    }
    *ret = all_known ? str_printf(err, "\1the file system with the %s %s\1",
                                  key == GRUB_BY_UUID ? "UUID" : "label", value)
                     : str_printf(err, "%s", any_device);
    return *ret ? 0 : -ENOMEM;
}

const char *boot_files_uuid(void *context, const char *device)
{
    const struct boot_place *place = place_of(context, device);
    return place && *place->uuid ? place->uuid : NULL;
}

int boot_files_place(const struct boot_files *files, const char *path, char **ret_device,
                     char **ret_path, struct error **err)
{
    const struct boot_place *best = files->places;
    for (size_t i = 1; files->known && i < files->count; i++) {
        const char *dir = files->places[i].dir;
        size_t length = strlen(dir);
        if (strncmp(path, dir, length) == 0 && path[length] == '/' && length > strlen(best->dir))
            best = &files->places[i];
    }
    size_t skip = best == files->places ? 0 : strlen(best->dir);
    *ret_path = str_printf(err, "%s", path + skip);
    if (!*ret_path)
        return -ENOMEM;
    return set_mark(ret_device, files, best, err);
}
