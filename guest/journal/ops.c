/* The journal's operations: each remembers what is about to change and passes the call on. */
#include <stdlib.h>
#include <string.h>

#include "guest/journal/internal.h"

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

static int journal_read_head(struct guest *guest, const char *path, size_t max, char **ret,
                             size_t *ret_size, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->read_head(inner, path, max, ret, ret_size, err);
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
    int r = journal_note(guest, path, true, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->write(inner, path, data, size, attr, err);
}

static int journal_upload(struct guest *guest, int fd, const char *path,
                          const struct guest_file_attr *attr, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, true, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->upload(inner, fd, path, attr, err);
}

static int journal_mkdir(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, false, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->mkdir(inner, path, mode, err);
}

static int journal_symlink(struct guest *guest, const char *target, const char *path,
                           struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, false, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->symlink(inner, target, path, err);
}

static int journal_rename(struct guest *guest, const char *from, const char *to, struct error **err)
{
    struct journal *journal = journal_of(guest);
    struct guest *inner = journal->inner;
    int r = journal_note_rename(journal, from, to, err);
    return r < 0 ? r : inner->ops->rename(inner, from, to, err);
}

static int journal_unlink(struct guest *guest, const char *path, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, false, JOURNAL_CONTENTS | JOURNAL_GONE, err);
    return r < 0 ? r : inner->ops->unlink(inner, path, err);
}

static int journal_rmdir(struct guest *guest, const char *path, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, false, JOURNAL_CONTENTS | JOURNAL_GONE, err);
    return r < 0 ? r : inner->ops->rmdir(inner, path, err);
}

static int journal_chmod(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, true, 0, err);
    return r < 0 ? r : inner->ops->chmod(inner, path, mode, err);
}

static int journal_chown(struct guest *guest, const char *path, uid_t uid, gid_t gid,
                         struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, true, 0, err);
    return r < 0 ? r : inner->ops->chown(inner, path, uid, gid, err);
}

static int journal_lchown(struct guest *guest, const char *path, uid_t uid, gid_t gid,
                          struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, false, 0, err);
    return r < 0 ? r : inner->ops->lchown(inner, path, uid, gid, err);
}

static int journal_set_times(struct guest *guest, const char *path, const struct guest_times *times,
                             struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, false, JOURNAL_TIMES, err);
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
    int r = journal_note(guest, path, false, JOURNAL_XATTRS, err);
    return r < 0 ? r : inner->ops->set_xattr(inner, path, name, value, size, err);
}

static int journal_truncate(struct guest *guest, const char *path, uint64_t size,
                            struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, true, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->truncate(inner, path, size, err);
}

static int journal_create_files(struct guest *guest, const struct guest_new_file *files,
                                size_t count, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = journal_note_new(guest, files[i].path, err);
    return r < 0 ? r : inner->ops->create_files(inner, files, count, err);
}

static int journal_download(struct guest *guest, const char *path, int fd, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    return inner->ops->download(inner, path, fd, err);
}

static int journal_overwrite(struct guest *guest, const char *path, struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, false, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->overwrite(inner, path, err);
}

static int journal_mknod(struct guest *guest, const char *path, mode_t mode, dev_t device,
                         struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, false, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->mknod(inner, path, mode, device, err);
}

static int journal_link(struct guest *guest, const char *existing, const char *path,
                        struct error **err)
{
    struct guest *inner = journal_of(guest)->inner;
    int r = journal_note(guest, path, false, JOURNAL_CONTENTS, err);
    return r < 0 ? r : inner->ops->link(inner, existing, path, err);
}

static int journal_run(struct guest *guest, const char *script, struct guest_run_result *ret,
                       struct error **err)
{
    struct journal *journal = journal_of(guest);
    journal->programs_ran = true;
    journal_forget_directory(journal);
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
    journal_forget_directory(journal);
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
    journal_forget_directory(journal);
    free(journal);
}

struct guest_ops journal_ops_over(const struct guest_ops *inner)
{
    struct guest_ops ops = {.name = inner->name, .capabilities = inner->capabilities};
#define OFFER(operation) ops.operation = inner->operation ? journal_##operation : NULL
    OFFER(stat);
    OFFER(read);
    OFFER(read_head);
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
    OFFER(create_files);
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

bool journal_is(const struct guest *guest)
{
    return guest->ops->close == journal_close;
}

void journal_ops_pretend(struct journal *journal)
{
    journal->pretend = true;
    journal->ops.capabilities |= GUEST_CAN_RUN | GUEST_CAN_NETWORK | GUEST_CAN_MOUNT;
    journal->ops.run = journal_run;
    journal->ops.mount_on_host = journal_mount_on_host;
}
