#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "base/fdio.h"
#include "base/private_dir.h"
#include "base/str.h"
#include "repos/cache_internal.h"

struct cache {
    char *directory;
};

const struct cache_place cache_places[CACHE_FILE_COUNT] = {
    [CACHE_BASE] = {"base", ".raw"}, [CACHE_SEAL] = {"seal", ""},
    [CACHE_LABEL] = {"label", ""},   [CACHE_DOWNLOAD] = {"download", ".part"},
    [CACHE_LOCK] = {"lock", ""},
};

char *cache_path(const struct cache *cache, enum cache_file file, const char *key,
                 struct error **err)
{
    return str_printf(err, "%s/%s/%s%s", cache->directory, cache_places[file].folder, key,
                      cache_places[file].suffix);
}

size_t cache_key_length(const char *name)
{
    size_t length = strspn(name, "0123456789abcdef");
    return length == digest_hex_length(DIGEST_SHA256) || length == digest_hex_length(DIGEST_SHA512)
               ? length
               : 0;
}

static char *default_directory(struct error **err)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (xdg && *xdg == '/')
        return str_printf(err, "%s/kiln", xdg);
    if (home && *home == '/')
        return str_printf(err, "%s/.cache/kiln", home);
    error_set(err, ENOENT, "no directory for the cache: HOME is not set");
    error_hint(err, "set HOME or XDG_CACHE_HOME, or use --cache DIR");
    return NULL;
}

/* Whoever can write into the cache decides what goes into the images built from it. A directory
 * like /tmp, where others can add but not replace, will do for the top: the folders are our own. */
static int prepare_directory(const char *directory, struct error **err)
{
    int r = dir_create(directory, 0700, err);
    _cleanup_close_ int fd = r < 0 ? r : file_open(directory, O_RDONLY | O_DIRECTORY, 0, err);
    if (fd < 0)
        return fd;
    r = private_dir_check(fd, directory, PRIVATE_DIR_STICKY, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(cache_places); i++) {
        int folder = private_dir_open(directory, cache_places[i].folder, err);
        if (folder < 0)
            return folder;
        close(folder);
    }
    return r;
}

int cache_open(const char *directory, struct cache **ret, struct error **err)
{
    _cleanup_(cache_closep) struct cache *cache = calloc(1, sizeof(*cache));
    if (!cache)
        return error_oom(err);
    cache->directory = directory ? str_printf(err, "%s", directory) : default_directory(err);
    if (!cache->directory)
        return directory ? -ENOMEM : -ENOENT;
    int r = prepare_directory(cache->directory, err);
    if (r < 0) {
        error_wrap(err, "the cache cannot be used");
        if (r == -EPERM)
            error_hint(err, "set XDG_CACHE_HOME to a directory of your own, or use --cache DIR");
        if (r == -EACCES || r == -EROFS || r == -ENOSPC || r == -ENOTDIR)
            error_hint(err, "name another place with --cache DIR");
        return r;
    }
    *ret = TAKE_PTR(cache);
    return 0;
}

void cache_close(struct cache *cache)
{
    if (!cache)
        return;
    free(cache->directory);
    free(cache);
}

const char *cache_directory(const struct cache *cache)
{
    return cache->directory;
}

int cache_lookup(struct cache *cache, const char *key, enum cache_check check, struct error **err)
{
    size_t length = cache_key_length(key);
    if (!length || key[length])
        return error_set(err, EINVAL, "'%s' is not the key of a cache entry", key);
    _cleanup_free_ char *path = cache_path(cache, CACHE_BASE, key, err);
    if (!path)
        return -ENOMEM;
    _cleanup_close_ int fd = file_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0, err);
    if (fd < 0)
        return fd;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, EINVAL, "%s: is no regular file", path);
    int r = cache_seal_check(cache, key, fd, &st, check == CACHE_CHECK_CONTENTS, err);
    if (r < 0)
        return r;
    cache_seal_touch(cache, key);
    return TAKE_FD(fd);
}

/* One try: 1 when the lock was had, but of a file that somebody has meanwhile removed. */
static int try_lock(const char *path, uint64_t patience_ms, int *ret, struct error **err)
{
    _cleanup_close_ int fd = file_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600, err);
    if (fd < 0)
        return fd;
    int r = fd_lock(fd, true, patience_ms, path, err);
    if (r < 0)
        return r;
    struct stat ours, named;
    if (fstat(fd, &ours) < 0)
        return error_sys(err, errno, "%s: cannot lock", path);
    if (stat(path, &named) < 0 || ours.st_ino != named.st_ino || ours.st_dev != named.st_dev)
        return 1;
    *ret = TAKE_FD(fd);
    return 0;
}

int cache_take_lock(const struct cache *cache, const char *key, uint64_t patience_ms,
                    struct error **err)
{
    _cleanup_free_ char *path = cache_path(cache, CACHE_LOCK, key, err);
    int r = path ? 1 : -ENOMEM, fd = -1;
    while (r == 1)
        r = try_lock(path, patience_ms, &fd, err);
    return r < 0 ? r : fd;
}
