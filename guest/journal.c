#include "guest/journal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/engine.h"
#include "guest/journal_record.h"

/* Directories deeper than this are not what a guest's file system holds in earnest. */
enum { depth_max = 1000 };

struct journal {
    struct guest guest;
    struct guest_ops ops; /* of this one, as the inner one offers them */
    struct guest *inner;
    bool keep;
    bool programs_ran;
    bool pretend; /* that programs run */
    struct journal_records records;
    struct guest_journal net; /* as last asked for */
    /* The directory that was resolved last: most changes come in flocks. NULL: none. */
    char *directory, *resolved;
};

static struct journal *journal_of(struct guest *guest)
{
    return (struct journal *)guest;
}

static void forget_directory(struct journal *journal)
{
    free(TAKE_PTR(journal->directory));
    free(TAKE_PTR(journal->resolved));
}

/* Resolves the path's directory and puts the last name behind it, without asking what that is. */
static int resolve_parent(struct journal *journal, const char *path, const char *name, char **ret,
                          struct error **err)
{
    size_t length = (size_t)(name - path);
    if (!journal->directory || strlen(journal->directory) != length ||
        memcmp(journal->directory, path, length) != 0) {
        forget_directory(journal);
        journal->directory = strndup(path, length);
        if (!journal->directory)
            return error_oom(err);
        int r = journal_resolve(journal->inner, journal->directory, true, &journal->resolved, err);
        if (r < 0) {
            forget_directory(journal);
            return r;
        }
    }
    bool root = strcmp(journal->resolved, "/") == 0;
    *ret = str_printf(err, "%s/%s", root ? "" : journal->resolved, name);
    return *ret ? 0 : -ENOMEM;
}

/* *ret_exists, *ret_st: what is there, not followed. */
static int resolve(struct journal *journal, const char *path, bool follow, char **ret,
                   bool *ret_exists, struct guest_stat *ret_st, struct error **err)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    bool plain = *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    int r = plain ? resolve_parent(journal, path, name, ret, err)
                  : journal_resolve(journal->inner, path, follow, ret, err);
    if (r < 0)
        return r;
    struct guest *inner = journal->inner;
    *ret_exists = inner->ops->stat(inner, *ret, false, ret_st, NULL) == 0;
    if (!*ret_exists || !follow || !S_ISLNK(ret_st->mode))
        return 0;
    free(TAKE_PTR(*ret));
    r = journal_resolve(inner, path, true, ret, err);
    if (r == 0)
        *ret_exists = inner->ops->stat(inner, *ret, false, ret_st, NULL) == 0;
    return r;
}

static int note_resolved(struct journal *journal, const char *path, const struct guest_stat *st,
                         unsigned touch, struct error **err)
{
    struct journal_record *record = journal_find(&journal->records, path);
    bool known = record;
    if (!known)
        record = journal_add(&journal->records, path, err);
    if (!record)
        return -ENOMEM;
    int r = journal_look(journal->inner, record, known ? NULL : st, touch, journal->keep, err);
    record->touched |= touch;
    return r;
}

/* Remembers what is at `path` now, before it changes. A path that cannot be resolved is left to
 * the operation, which fails on it. */
static int note(struct guest *guest, const char *path, bool follow, unsigned touch,
                struct error **err)
{
    struct journal *journal = journal_of(guest);
    _cleanup_free_ char *resolved = NULL;
    _cleanup_error_ struct error *cause = NULL;
    struct guest_stat st;
    bool exists = false;
    int r = resolve(journal, path, follow, &resolved, &exists, &st, &cause);
    if (r == -ENOMEM)
        return error_move(err, TAKE_PTR(cause));
    if (r < 0)
        return 0;
    r = note_resolved(journal, resolved, exists ? &st : NULL, touch, err);
    /* What leads elsewhere from now on: a link or directory that goes, or one that comes. */
    if ((touch & JOURNAL_CONTENTS) && (!exists || !S_ISREG(st.mode)))
        forget_directory(journal);
    return r;
}

static int add_name(void *context, const char *name)
{
    return strv_add(context, name, NULL);
}

/* What a tree that moves leaves behind and where it comes to be; both are resolved. */
static int note_move(struct journal *journal, const char *from, const char *to, unsigned depth,
                     struct error **err)
{
    struct guest_stat st, replaced;
    struct guest *inner = journal->inner;
    _cleanup_strv_ struct strv names = {0};
    if (depth > depth_max)
        return error_set(err, ELOOP, "directories are nested too deeply");
    int r = inner->ops->stat(inner, from, false, &st, err);
    bool exists = inner->ops->stat(inner, to, false, &replaced, NULL) == 0;
    unsigned touch = JOURNAL_CONTENTS;
    if (r == 0)
        r = note_resolved(journal, from, &st, touch | JOURNAL_GONE, err);
    if (r == 0)
        r = note_resolved(journal, to, exists ? &replaced : NULL, touch, err);
    if (r == 0 && S_ISDIR(st.mode))
        r = inner->ops->list(inner, from, add_name, &names, err);
    for (size_t i = 0; r == 0 && i < names.count; i++) {
        _cleanup_free_ char *child = str_printf(err, "%s/%s", from, names.items[i]);
        _cleanup_free_ char *moved = str_printf(child ? err : NULL, "%s/%s", to, names.items[i]);
        r = moved ? note_move(journal, child, moved, depth + 1, err) : -ENOMEM;
    }
    return r;
}

static int journal_stat(struct guest *guest, const char *path, bool follow, struct guest_stat *ret,
                        struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->stat(inner, path, follow, ret, err);
}

static int journal_read(struct guest *guest, const char *path, size_t max, char **ret,
                        size_t *ret_size, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->read(inner, path, max, ret, ret_size, err);
}

static int journal_readlink(struct guest *guest, const char *path, char **ret, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->readlink(inner, path, ret, err);
}

static int journal_list(struct guest *guest, const char *path, guest_dirent_fn *entry,
                        void *context, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->list(inner, path, entry, context, err);
}

static int journal_write(struct guest *guest, const char *path, const void *data, size_t size,
                         const struct guest_file_attr *attr, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, true, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->write(inner, path, data, size, attr, err);
}

static int journal_upload(struct guest *guest, int fd, const char *path,
                          const struct guest_file_attr *attr, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, true, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->upload(inner, fd, path, attr, err);
}

static int journal_mkdir(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, false, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->mkdir(inner, path, mode, err);
}

static int journal_symlink(struct guest *guest, const char *target, const char *path,
                           struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, false, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->symlink(inner, target, path, err);
}

static int journal_rename(struct guest *guest, const char *from, const char *to, struct error **err)
{
    struct journal *journal = journal_of(guest);
    struct guest *inner = journal->inner;
    _cleanup_free_ char *source = NULL, *target = NULL;
    struct guest_stat st;
    bool exists = false, replaces;
    int r = resolve(journal, from, false, &source, &exists, &st, err);
    if (r == 0)
        r = resolve(journal, to, false, &target, &replaces, &st, err);
    if (r == 0 && exists)
        r = note_move(journal, source, target, 0, err);
    forget_directory(journal);
    return r < 0 ? r : inner->ops->rename(inner, from, to, err);
}

static int journal_unlink(struct guest *guest, const char *path, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, false, JOURNAL_CONTENTS | JOURNAL_GONE, err);
    return r < 0 ? r : inner->ops->unlink(inner, path, err);
}

static int journal_rmdir(struct guest *guest, const char *path, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, false, JOURNAL_CONTENTS | JOURNAL_GONE, err);
    return r < 0 ? r : inner->ops->rmdir(inner, path, err);
}

static int journal_chmod(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, true, 0, err);
    return r < 0 ? r : inner->ops->chmod(inner, path, mode, err);
}

static int journal_chown(struct guest *guest, const char *path, uid_t uid, gid_t gid,
                         struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, true, 0, err);
    return r < 0 ? r : inner->ops->chown(inner, path, uid, gid, err);
}

static int journal_lchown(struct guest *guest, const char *path, uid_t uid, gid_t gid,
                          struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, false, 0, err);
    return r < 0 ? r : inner->ops->lchown(inner, path, uid, gid, err);
}

static int journal_set_times(struct guest *guest, const char *path, const struct guest_times *times,
                             struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, false, JOURNAL_TIMES, err);
    return r < 0 ? r : inner->ops->set_times(inner, path, times, err);
}

static int journal_list_xattrs(struct guest *guest, const char *path, guest_xattr_fn *attribute,
                               void *context, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->list_xattrs(inner, path, attribute, context, err);
}

static int journal_set_xattr(struct guest *guest, const char *path, const char *name,
                             const void *value, size_t size, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, false, JOURNAL_XATTRS, err);
    return r < 0 ? r : inner->ops->set_xattr(inner, path, name, value, size, err);
}

static int journal_truncate(struct guest *guest, const char *path, uint64_t size,
                            struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, true, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->truncate(inner, path, size, err);
}

static int journal_download(struct guest *guest, const char *path, int fd, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->download(inner, path, fd, err);
}

static int journal_overwrite(struct guest *guest, const char *path, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, false, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->overwrite(inner, path, err);
}

static int journal_mknod(struct guest *guest, const char *path, mode_t mode, dev_t device,
                         struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, false, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->mknod(inner, path, mode, device, err);
}

static int journal_link(struct guest *guest, const char *existing, const char *path,
                        struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = note(guest, path, false, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->link(inner, existing, path, err);
}

static int journal_run(struct guest *guest, const char *script, struct guest_run_result *ret,
                       struct error **err)
{
    struct journal *journal = journal_of(guest);
    journal->programs_ran = true;
    forget_directory(journal);
    if (journal->pretend) {
        *ret = (struct guest_run_result){.output = strdup("")};
        return ret->output ? 0 : error_oom(err);
    }
    return journal->inner->ops->run(journal->inner, script, ret, err);
}

static int journal_mount_on_host(struct guest *guest, const char *directory, guest_work_fn *work,
                                 void *context, struct error **err)
{
    struct journal *journal = journal_of(guest);
    struct guest *inner = journal->inner;
    journal->programs_ran = true;
    forget_directory(journal);
    return journal->pretend ? 0 : inner->ops->mount_on_host(inner, directory, work, context, err);
}

static int journal_renew(struct guest *guest, enum guest_identity what, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->renew(inner, what, err);
}

static int journal_trim(struct guest *guest, uint64_t *ret_freed, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->trim(inner, ret_freed, err);
}

static int journal_root(struct guest *guest, struct guest_root *ret, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->root(inner, ret, err);
}

static int journal_sync(struct guest *guest, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->sync(inner, err);
}

static int journal_commit(struct guest *guest, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->commit(inner, err);
}

static void journal_close(struct guest *guest)
{
    struct journal *journal = journal_of(guest);
    guest_discard(journal->inner);
    journal_records_free(&journal->records);
    journal_net_free(&journal->net);
    forget_directory(journal);
    free(journal);
}

/* The operations that the inner guest has, and those alone. */
static struct guest_ops ops_over(const struct guest_ops *inner)
{
    struct guest_ops ops = {.name = inner->name, .capabilities = inner->capabilities};
#define OFFER(operation) ops.operation = inner->operation ? journal_##operation : NULL
    OFFER(stat);
    OFFER(read);
    OFFER(readlink);
    OFFER(list);
    OFFER(write);
    OFFER(upload);
    OFFER(mkdir);
    OFFER(symlink);
    OFFER(rename);
    OFFER(unlink);
    OFFER(rmdir);
    OFFER(chmod);
    OFFER(chown);
    OFFER(lchown);
    OFFER(set_times);
    OFFER(list_xattrs);
    OFFER(set_xattr);
    OFFER(truncate);
    OFFER(download);
    OFFER(overwrite);
    OFFER(mknod);
    OFFER(link);
    OFFER(run);
    OFFER(mount_on_host);
    OFFER(renew);
    OFFER(trim);
    OFFER(root);
    OFFER(sync);
    OFFER(commit);
#undef OFFER
    ops.close = journal_close;
    return ops;
}

int guest_journal_open(struct guest *inner, bool keep_contents, struct guest **ret,
                       struct error **err)
{
    _cleanup_guest_ struct guest *owned = inner;
    struct journal *journal = calloc(1, sizeof(*journal));
    if (!journal)
        return error_oom(err);
    journal->ops = ops_over(inner->ops);
    journal->guest.ops = &journal->ops;
    journal->guest.writable = inner->writable;
    journal->keep = keep_contents;
    journal->inner = TAKE_PTR(owned);
    _cleanup_guest_ struct guest *guest = &journal->guest;
    int r = str_replace(&guest->path, inner->path, err);
    if (r == 0)
        r = str_replace(&guest->reason, inner->reason, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(guest);
    return 0;
}

static bool is_journal(const struct guest *guest)
{
    return guest->ops->close == journal_close;
}

const struct guest_journal *guest_journal_of(struct guest *guest)
{
    struct guest_journal net;
    struct journal *journal = journal_of(guest);
    if (!is_journal(guest) || journal_net(journal->inner, &journal->records, &net, NULL) < 0)
        return NULL;
    journal_net_free(&journal->net);
    journal->net = net;
    journal->net.programs_ran = journal->programs_ran;
    return &journal->net;
}

void guest_journal_pretend(struct guest *guest)
{
    assert(is_journal(guest));
    struct journal *journal = journal_of(guest);
    journal->pretend = true;
    journal->ops.capabilities |= GUEST_CAN_RUN | GUEST_CAN_NETWORK | GUEST_CAN_MOUNT;
    journal->ops.run = journal_run;
    journal->ops.mount_on_host = journal_mount_on_host;
}

struct guest *guest_journal_unwrap(struct guest *guest)
{
    assert(is_journal(guest));
    struct guest *inner = TAKE_PTR(journal_of(guest)->inner);
    guest_discard(guest);
    return inner;
}
