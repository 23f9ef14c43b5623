#include "guest/inspect/fstab.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define ENTRIES_MAX 1000

/* Fields write white space and backslashes as three octal digits. In place. */
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

/* Returns 1 for an entry, 0 for another line. */
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

bool fstab_has_option(const struct fstab_entry *entry, const char *option)
{
    size_t length = strlen(option);
    for (const char *at = entry->options; *at;) {
        size_t part = strcspn(at, ",");
        if (part == length && strncmp(at, option, length) == 0)
            return true;
        at += part + (at[part] == ',');
    }
    return false;
}

char *fstab_subvolume(const struct fstab_entry *entry, struct error **err)
{
    for (const char *at = entry->options; *at;) {
        size_t part = strcspn(at, ",");
        if (str_starts(at, "subvol=") || str_starts(at, "subvolid="))
            return str_printf(err, "%.*s", (int)part, at);
        at += part + (at[part] == ',');
    }
    return str_printf(err, "%s", "");
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
    bool later =
        fstab_has_option(entry, "noauto") && !fstab_has_option(entry, "x-systemd.automount");
    return entry->dir[0] == '/' && !is_elsewhere(entry->type) && !is_of_the_kernel(entry->dir) &&
           !later && !fstab_has_option(entry, "bind") && !fstab_has_option(entry, "rbind");
}
