/* What a journal's records amount to: each path as it was before against the path as it is now. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/journal/record.h"

/* The path as it is now: false where nothing is there. One that leads through a link belongs to the
 * link, not to this path. */
static bool look_now(struct guest *guest, const char *path, struct guest_stat *ret)
{
    _cleanup_free_ char *resolved = NULL;
    return guest_resolve(guest, path, false, &resolved, NULL) == 0 && strcmp(resolved, path) == 0 &&
           guest->ops->stat(guest, path, false, ret, NULL) == 0;
}

static bool same_bytes(struct guest *guest, const struct journal_record *before)
{
    _cleanup_free_ char *now = NULL;
    char digest[DIGEST_MAX_HEX];
    size_t size;
    if (guest->ops->read(guest, before->path, guest_journal_keep_max, &now, &size, NULL) < 0)
        return false;
    bool same = size == before->size;
    if (same && before->contents)
        same = memcmp(now, before->contents, size) == 0;
    else if (same)
        same = digest_bytes(DIGEST_SHA256, now, size, digest, NULL) == 0 &&
               strcmp(digest, before->digest) == 0;
    explicit_bzero(now, size);
    return same;
}

static bool same_contents(struct guest *guest, const struct journal_record *before,
                          const struct guest_stat *now)
{
    mode_t type = before->stat.mode & S_IFMT;
    if (type != (now->mode & S_IFMT))
        return false;
    if (!(before->touched & JOURNAL_CONTENTS) || type == S_IFDIR)
        return true;
    if (type == S_IFCHR || type == S_IFBLK)
        return before->stat.device == now->device;
    if (type == S_IFLNK) {
        _cleanup_free_ char *target = NULL;
        return before->contents && guest->ops->readlink(guest, before->path, &target, NULL) == 0 &&
               strcmp(target, before->contents) == 0;
    }
    if (type != S_IFREG)
        return true;
    if (!before->contents && !*before->digest)
        return false;
    return before->stat.size == now->size && same_bytes(guest, before);
}

static bool same_attributes(struct guest *guest, const struct journal_record *before,
                            const struct guest_stat *now)
{
    const struct guest_stat *was = &before->stat;
    if (was->mode != now->mode || was->uid != now->uid || was->gid != now->gid)
        return false;
    if ((before->touched & JOURNAL_TIMES) && was->mtime != now->mtime)
        return false;
    if (!(before->touched & (JOURNAL_XATTRS | JOURNAL_GONE)))
        return true;
    _cleanup_free_ char *xattrs = journal_xattrs(guest, before->path);
    return xattrs && before->xattrs && strcmp(xattrs, before->xattrs) == 0;
}

/* False: nothing became of it in the end. */
static bool judge(struct guest *guest, const struct journal_record *before, enum guest_change *ret)
{
    struct guest_stat now;
    bool exists = look_now(guest, before->path, &now);
    if (!before->existed || !exists) {
        *ret = exists ? GUEST_CHANGE_CREATED : GUEST_CHANGE_REMOVED;
        return before->existed != exists;
    }
    *ret = GUEST_CHANGE_CONTENTS;
    if (!same_contents(guest, before, &now))
        return true;
    *ret = GUEST_CHANGE_ATTRIBUTES;
    return !same_attributes(guest, before, &now);
}

static int add_entry(struct guest_journal *net, const struct journal_record *record,
                     enum guest_change change, struct error **err)
{
    struct guest_journal_entry *entry = &net->entries[net->count++];
    *entry = (struct guest_journal_entry){.change = change,
                                          .remade = record->touched & JOURNAL_GONE,
                                          .old_mode = record->existed ? record->stat.mode : 0};
    entry->path = strdup(record->path);
    if (!entry->path)
        return error_oom(err);
    if (!record->contents)
        return 0;
    entry->old_contents = malloc(record->size + 1);
    if (!entry->old_contents)
        return error_oom(err);
    memcpy(entry->old_contents, record->contents, record->size);
    entry->old_contents[record->size] = '\0';
    entry->old_size = record->size;
    return 0;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(((const struct guest_journal_entry *)a)->path,
                  ((const struct guest_journal_entry *)b)->path);
}

int journal_net(struct guest *guest, const struct journal_records *records,
                struct guest_journal *ret, struct error **err)
{
    _cleanup_(journal_net_free) struct guest_journal net = {0};
    net.entries = calloc(records->table.count + 1, sizeof(*net.entries));
    if (!net.entries)
        return error_oom(err);
    size_t position = 0;
    for (const struct journal_record *record; (record = hash_next(&records->table, &position));) {
        enum guest_change change;
        if (!judge(guest, record, &change))
            continue;
        int r = add_entry(&net, record, change, err);
        if (r < 0)
            return r;
    }
    qsort(net.entries, net.count, sizeof(*net.entries), compare_paths);
    *ret = net;
    net = (struct guest_journal){0};
    return 0;
}

void journal_net_free(struct guest_journal *net)
{
    for (size_t i = 0; i < net->count; i++) {
        struct guest_journal_entry *entry = &net->entries[i];
        if (entry->old_contents)
            explicit_bzero(entry->old_contents, entry->old_size);
        free(entry->path);
        free(entry->old_contents);
    }
    free(net->entries);
    *net = (struct guest_journal){0};
}
