/* Filling an entry of the cache. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fdio.h"
#include "base/str.h"
#include "repos/cache_internal.h"

struct cache_fill {
    struct cache *cache;
    char *key;
    int lock_fd;
    int download_fd;
    struct outfile *image;
};

void cache_remove_unfinished(const struct cache *cache, const char *key)
{
    _cleanup_free_ char *path = cache_path(cache, CACHE_BASE, key, NULL);
    _cleanup_free_ char *folder = path ? path_parent(path) : NULL;
    DIR *dir = folder ? opendir(folder) : NULL;
    if (!dir)
        return;
    size_t length = strlen(key);
    struct dirent *entry;
    while ((entry = readdir(dir)))
        if (entry->d_name[0] == '.' && strncmp(entry->d_name + 1, key, length) == 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

int cache_fill_begin(struct cache *cache, const char *key, struct reporter *reporter,
                     struct cache_fill **ret, struct error **err)
{
    size_t length = cache_key_length(key);
    if (!length || key[length])
        return error_set(err, EINVAL, "'%s' is not the key of a cache entry", key);
    _cleanup_(cache_fill_endp) struct cache_fill *fill = calloc(1, sizeof(*fill));
    if (!fill)
        return error_oom(err);
    fill->cache = cache;
    fill->lock_fd = fill->download_fd = -1;
    int r = str_replace(&fill->key, key, err);
    if (r < 0)
        return r;
    _cleanup_error_ struct error *failure = NULL;
    fill->lock_fd = cache_take_lock(cache, key, 0, &failure);
    if (fill->lock_fd == -ETIMEDOUT) {
        report(reporter, REPORT_INFO, "Waiting for another process that fetches the same image");
        error_clear(&failure);
        fill->lock_fd = cache_take_lock(cache, key, UINT64_MAX, &failure);
    }
    if (fill->lock_fd < 0)
        return error_move(err, TAKE_PTR(failure));
    cache_remove_unfinished(cache, key);
    *ret = TAKE_PTR(fill);
    return 0;
}

/* A label is informative only: a failure to write it must not lose the image. */
int cache_fill_set_label(struct cache_fill *fill, const char *label, struct error **err)
{
    _cleanup_free_ char *path = cache_path(fill->cache, CACHE_LABEL, fill->key, err);
    if (!path)
        return -ENOMEM;
    _cleanup_close_ int fd = file_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600, NULL);
    if (fd >= 0)
        (void)fd_write_full(fd, label, strlen(label), path, NULL);
    return 0;
}

int cache_fill_download_fd(struct cache_fill *fill, struct error **err)
{
    if (fill->download_fd >= 0)
        return fill->download_fd;
    _cleanup_free_ char *path = cache_path(fill->cache, CACHE_DOWNLOAD, fill->key, err);
    if (!path)
        return -ENOMEM;
    fill->download_fd = file_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, err);
    return fill->download_fd;
}

int cache_fill_reset_download(struct cache_fill *fill, struct error **err)
{
    int fd = cache_fill_download_fd(fill, err);
    if (fd < 0)
        return fd;
    if (ftruncate(fd, 0) < 0)
        return error_sys(err, errno, "%s: cannot empty the download", fill->key);
    return 0;
}

int cache_fill_drop_image(struct cache_fill *fill, struct error **err)
{
    _cleanup_free_ char *path = cache_path(fill->cache, CACHE_BASE, fill->key, err);
    if (!path)
        return -ENOMEM;
    return unlink(path) < 0 && errno != ENOENT ? error_sys(err, errno, "%s: cannot remove", path)
                                               : 0;
}

int cache_fill_image_fd(struct cache_fill *fill, struct error **err)
{
    /* A second attempt starts from an empty file. */
    outfile_abort(TAKE_PTR(fill->image));
    _cleanup_free_ char *path = cache_path(fill->cache, CACHE_BASE, fill->key, err);
    if (!path)
        return -ENOMEM;
    int r = outfile_open(path, 0444, &fill->image, err);
    return r < 0 ? r : outfile_fd(fill->image);
}

/* The image under its name, and the record of what it is. */
static int commit_image(struct cache_fill *fill, struct error **err)
{
    _cleanup_error_ struct error *failure = NULL;
    _cleanup_free_ char *path = cache_path(fill->cache, CACHE_BASE, fill->key, err);
    if (!path)
        return -ENOMEM;
    /* An entry that is there already has the same contents. */
    int r = outfile_commit(TAKE_PTR(fill->image), true, NULL, &failure);
    if (r < 0 && r != -EEXIST)
        return error_move(err, TAKE_PTR(failure));
    _cleanup_close_ int fd = file_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, err);
    return fd < 0 ? fd : cache_seal_write(fill->cache, fill->key, fd, err);
}

int cache_fill_commit(struct cache_fill *fill, struct error **err)
{
    _cleanup_(cache_fill_endp) struct cache_fill *owned = fill;
    if (!owned->image)
        return error_set(err, EINVAL, "%s: nothing was put into the cache", owned->key);
    _cleanup_free_ char *path = cache_path(owned->cache, CACHE_DOWNLOAD, owned->key, err);
    if (!path)
        return -ENOMEM;
    int r = commit_image(owned, err);
    if (r < 0)
        return r;
    unlink(path);
    return cache_lookup(owned->cache, owned->key, CACHE_CHECK_QUICK, err);
}

void cache_fill_end(struct cache_fill *fill)
{
    if (!fill)
        return;
    outfile_abort(fill->image);
    if (fill->download_fd >= 0)
        close(fill->download_fd);
    if (fill->lock_fd >= 0)
        close(fill->lock_fd);
    free(fill->key);
    free(fill);
}
