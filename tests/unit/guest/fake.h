/* A guest in memory: files by path, for what only reads. Engines are not involved. */
#pragma once

#include "guest/engine.h"
#include "guest/inspect/inspect.h"
#include "tests/unit/guest/fixture.h"

struct fake_file {
    const char *path;
    const char *text; /* NULL: a directory; LINK "/path": a symbolic link to there; UNSERVED: a
                         mount point below which this engine cannot look */
};

#define LINK     "-> "
#define UNSERVED "mounted elsewhere"

/* Where a link leads, NULL for what is none. */
static inline const char *fake_target(const struct fake_file *file)
{
    return file->text && str_starts(file->text, LINK) ? file->text + strlen(LINK) : NULL;
}

struct fake_guest {
    struct guest guest;
    const struct fake_file *files; /* ends with a NULL path */
    const char *root_uuid;         /* NULL: not known */
    int sync_result;
    unsigned closed;
};

static inline const struct fake_file *fake_find(const struct fake_guest *fake, const char *path,
                                                bool follow)
{
    for (const struct fake_file *file = fake->files; file->path; file++)
        if (strcmp(file->path, path) == 0)
            return follow && fake_target(file) ? fake_find(fake, fake_target(file), true) : file;
    return NULL;
}

/* Where the path leads, links in its last component followed. */
static inline const char *fake_end(const struct fake_guest *fake, const char *path)
{
    const struct fake_file *file = fake_find(fake, path, false);
    return file && fake_target(file) ? fake_end(fake, fake_target(file)) : path;
}

static inline bool fake_serves(const struct fake_guest *fake, const char *path)
{
    const char *end = fake_end(fake, path);
    for (const struct fake_file *file = fake->files; file->path; file++)
        if (file->text && strcmp(file->text, UNSERVED) == 0 && str_starts(end, file->path))
            return false;
    return true;
}

static inline int fake_stat(struct guest *guest, const char *path, bool follow,
                            struct guest_stat *ret, struct error **err)
{
    const struct fake_file *file = fake_find((struct fake_guest *)guest, path, follow);
    if (follow && !fake_serves((struct fake_guest *)guest, path))
        return error_set(err, EOPNOTSUPP, "%s cannot be reached", path);
    if (!file)
        return error_set(err, ENOENT, "no such file");
    *ret = (struct guest_stat){.mode = fake_target(file) ? S_IFLNK | 0777
                                       : file->text      ? S_IFREG | 0644
                                                         : S_IFDIR | 0755,
                               .size = file->text ? strlen(file->text) : 0,
                               .inode = (uint64_t)(file - ((struct fake_guest *)guest)->files) + 1};
    return 0;
}

static inline int fake_read(struct guest *guest, const char *path, size_t max, char **ret,
                            size_t *ret_size, struct error **err)
{
    const struct fake_file *file = fake_find((struct fake_guest *)guest, path, true);
    if (!fake_serves((struct fake_guest *)guest, path))
        return error_set(err, EOPNOTSUPP, "%s cannot be reached", path);
    if (!file || !file->text)
        return error_set(err, file ? EISDIR : ENOENT, "no such file");
    *ret_size = strlen(file->text);
    if (*ret_size > max)
        return error_set(err, EFBIG, "too large");
    *ret = strdup(file->text);
    return 0;
}

static inline int fake_readlink(struct guest *guest, const char *path, char **ret,
                                struct error **err)
{
    const struct fake_file *file = fake_find((struct fake_guest *)guest, path, false);
    if (!file || !fake_target(file))
        return error_set(err, EINVAL, "no link");
    *ret = strdup(fake_target(file));
    return 0;
}

static inline int fake_list(struct guest *guest, const char *path, guest_dirent_fn *entry,
                            void *context, struct error **err)
{
    const struct fake_guest *fake = (struct fake_guest *)guest;
    size_t length = strlen(path), found = 0;
    if (!fake_serves(fake, path))
        return error_set(err, EOPNOTSUPP, "%s cannot be reached", path);
    for (const struct fake_file *file = fake->files; file->path; file++) {
        if (strncmp(file->path, path, length) != 0 || file->path[length] != '/' ||
            strchr(file->path + length + 1, '/'))
            continue;
        found++;
        int r = entry(context, file->path + length + 1, 0);
        if (r < 0)
            return r;
    }
    return found ? 0 : error_set(err, ENOENT, "no such directory");
}

static inline int fake_root(struct guest *guest, struct guest_root *ret, struct error **err)
{
    (void)err;
    *ret = (struct guest_root){.device = strdup("/dev/sda1"),
                               .fs = strdup("ext4"),
                               .uuid = strdup(((struct fake_guest *)guest)->root_uuid
                                                  ? ((struct fake_guest *)guest)->root_uuid
                                                  : ""),
                               .size = 1000,
                               .free = 100};
    return 0;
}

static inline int fake_sync(struct guest *guest, struct error **err)
{
    int r = ((struct fake_guest *)guest)->sync_result;
    return r < 0 ? error_set(err, -r, "injected") : 0;
}

static inline void fake_close(struct guest *guest)
{
    ((struct fake_guest *)guest)->closed++;
}

static const struct guest_ops fake_ops = {
    .name = "fake",
    .capabilities = GUEST_CAN_EDIT,
    .stat = fake_stat,
    .read = fake_read,
    .readlink = fake_readlink,
    .list = fake_list,
    .root = fake_root,
    .sync = fake_sync,
    .close = fake_close,
};

static inline struct fake_guest fake_guest(const struct fake_file *files)
{
    return (struct fake_guest){.guest = {.ops = &fake_ops}, .files = files};
}
