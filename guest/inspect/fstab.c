#include "guest/inspect/fstab.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define ENTRIES_MAX 1000

/* Fields write white space and backslashes as three octal digits: getmntent(3), by which systemd
 * and busybox read the file, and libmount undo that in all of them. In place. */
static void undo_escapes(char *text)
{
    char *out = text;
    for (const char *in = text; *in; out++) {
        bool octal = in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' &&
                     in[2] <= '7' && in[3] >= '0' && in[3] <= '7';
        if (octal && (in[1] | in[2] | in[3]) != '0') {
            *out = (char)((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
            in += 4;
        } else {
            *out = *in++;
        }
    }
    *out = '\0';
}

static void entry_free(struct fstab_entry *entry)
{
    free(entry->spec);
    free(entry->dir);
    free(entry->type);
    free(entry->options);
}

/* Returns 1 for an entry, 0 for another line. What stands behind the options does not count, such
 * as a comment: getmntent(3) mounts such an entry. */
static int parse_line(char *line, struct fstab_entry *ret, struct error **err)
{
    static const char *const separators = " \t\r";
    char *fields[4] = {0}, *state;
    size_t count = 0;
    for (char *field = strtok_r(line, separators, &state); field && count < 4;
         field = strtok_r(NULL, separators, &state)) {
        if (count == 0 && *field == '#')
            return 0;
        fields[count++] = field;
    }
    if (count < 3)
        return 0;
    struct fstab_entry entry = {
        .spec = strdup(fields[0]),
        .dir = strdup(fields[1]),
        .type = strdup(fields[2]),
        .options = strdup(fields[3] ? fields[3] : "defaults"),
    };
    if (!entry.spec || !entry.dir || !entry.type || !entry.options) {
        entry_free(&entry);
        return error_oom(err);
    }
    undo_escapes(entry.spec);
    undo_escapes(entry.dir);
    undo_escapes(entry.type);
    undo_escapes(entry.options);
    *ret = entry;
    return 1;
}

static int add(struct fstab *fstab, struct fstab_entry *entry, struct error **err)
{
    if (fstab->count >= ENTRIES_MAX)
        return error_set(err, EFBIG, "/etc/fstab has more than %d entries", ENTRIES_MAX);
    struct fstab_entry *items = reallocarray(fstab->items, fstab->count + 1, sizeof(*items));
    if (!items)
        return error_oom(err);
    items[fstab->count++] = *entry;
    fstab->items = items;
    return 0;
}

int fstab_parse(const char *text, struct fstab *ret, struct error **err)
{
    _cleanup_free_ char *copy = strdup(text);
    if (!copy)
        return error_oom(err);
    _cleanup_fstab_ struct fstab fstab = {0};
    char *next = copy;
    for (char *line = strsep(&next, "\n"); line; line = strsep(&next, "\n")) {
        struct fstab_entry entry;
        int r = parse_line(line, &entry, err);
        if (r < 0)
            return r;
        if (r == 0)
            continue;
        r = add(&fstab, &entry, err);
        if (r < 0) {
            entry_free(&entry);
            return r;
        }
    }
    *ret = fstab;
    fstab = (struct fstab){0};
    return 0;
}

void fstab_free(struct fstab *fstab)
{
    for (size_t i = 0; i < fstab->count; i++)
        entry_free(&fstab->items[i]);
    free(fstab->items);
    *fstab = (struct fstab){0};
}

/* Walks the options; a comma between double quotes is part of one, as in SELinux contexts.
 * *ret_length does not include the comma behind. False: there are no more. */
static bool next_option(const char **at, const char **ret, size_t *ret_length)
{
    if (!**at)
        return false;
    const char *end = *at;
    for (bool quoted = false; *end && (quoted || *end != ','); end++)
        if (*end == '"' && (end == *at || end[-1] != '\\'))
            quoted = !quoted;
    *ret = *at;
    *ret_length = (size_t)(end - *at);
    *at = end + (*end == ',');
    return true;
}

static bool option_is(const char *option, size_t length, const char *wanted)
{
    return length == strlen(wanted) && memcmp(option, wanted, length) == 0;
}

bool fstab_has_option(const struct fstab_entry *entry, const char *option)
{
    const char *found;
    size_t length;
    for (const char *at = entry->options; next_option(&at, &found, &length);)
        if (option_is(found, length, option))
            return true;
    return false;
}

/* Of several the last counts, as for the kernel. */
char *fstab_subvolume(const struct fstab_entry *entry, struct error **err)
{
    const char *found, *last = "";
    size_t length, last_length = 0;
    for (const char *at = entry->options; next_option(&at, &found, &length);)
        if (str_starts(found, "subvol=") || str_starts(found, "subvolid=")) {
            last = found;
            last_length = length;
        }
    return str_printf(err, "%.*s", (int)last_length, last);
}

/* systemd.mount(5): the last of "auto" and "noauto" counts, and an automount makes up for it. */
static bool is_for_later(const struct fstab_entry *entry)
{
    bool later = false;
    const char *found;
    size_t length;
    for (const char *at = entry->options; next_option(&at, &found, &length);)
        if (option_is(found, length, "noauto") || option_is(found, length, "auto"))
            later = *found == 'n';
    return later && !fstab_has_option(entry, "x-systemd.automount") &&
           !fstab_has_option(entry, "comment=systemd.automount");
}

/* Types that are not on a disk, or hold no files. */
static bool is_elsewhere(const char *type)
{
    static const char *const types[] = {
        "swap",      "tmpfs",  "ramfs",   "proc",    "sysfs",      "devpts",    "devtmpfs",
        "nfs",       "nfs4",   "cifs",    "smb3",    "9p",         "virtiofs",  "ceph",
        "glusterfs", "cgroup", "cgroup2", "debugfs", "tracefs",    "hugetlbfs", "mqueue",
        "overlay",   "none",   "fuse",    "autofs",  "securityfs", "efivarfs",  "bpf",
    };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(type, types[i]) == 0)
            return true;
    return str_starts(type, "fuse.");
}

/* Where the kernel's own file systems are. */
static bool is_of_the_kernel(const char *dir)
{
    static const char *const dirs[] = {"/dev", "/proc", "/sys"};
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        size_t length = strlen(dirs[i]);
        if (strncmp(dir, dirs[i], length) == 0 && (dir[length] == '\0' || dir[length] == '/'))
            return true;
    }
    return false;
}

bool fstab_is_mounted(const struct fstab_entry *entry)
{
    return entry->dir[0] == '/' && !is_elsewhere(entry->type) && !is_of_the_kernel(entry->dir) &&
           !is_for_later(entry) && !fstab_has_option(entry, "bind") &&
           !fstab_has_option(entry, "rbind");
}
