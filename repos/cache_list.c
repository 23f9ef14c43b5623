/* Looking at the cache, and emptying it. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/str.h"
#include "repos/cache_internal.h"

enum { LABEL_MAX = 4096 };

void cache_listing_free(struct cache_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        free(listing->items[i].key);
        free(listing->items[i].label);
    }
    free(listing->items);
    *listing = (struct cache_listing){0};
}

static void close_dir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static DIR *open_folder(const struct cache *cache, enum cache_file file, struct error **err)
{
    _cleanup_free_ char *path =
        str_printf(err, "%s/%s", cache_directory(cache), cache_places[file].folder);
    DIR *dir = path ? opendir(path) : NULL;
    if (path && !dir)
        error_sys(err, errno, "%s: cannot list", path);
    return dir;
}

static char *read_label(const struct cache *cache, const char *key)
{
    char *label = NULL;
    _cleanup_free_ char *path = cache_path(cache, CACHE_LABEL, key, NULL);
    if (!path || file_read(path, LABEL_MAX, &label, NULL, NULL) < 0)
        label = strdup("");
    return label;
}

/* Entries from before there were records are as old as their files. */
static int64_t last_use(const struct cache *cache, const char *key, const struct stat *entry)
{
    struct stat st;
    _cleanup_free_ char *path = cache_path(cache, CACHE_SEAL, key, NULL);
    return path && lstat(path, &st) == 0 ? st.st_mtime : entry->st_mtime;
}

static int add_item(struct cache_listing *listing, const struct cache *cache, const char *name,
                    const struct stat *st, bool partial, struct error **err)
{
    struct cache_item *items =
        reallocarray(listing->items, listing->count + 1, sizeof(*listing->items));
    if (!items)
        return error_oom(err);
    listing->items = items;
    char *key = strndup(name, cache_key_length(name));
    char *label = key ? read_label(cache, key) : NULL;
    if (!label) {
        free(key);
        return error_oom(err);
    }
    items[listing->count++] = (struct cache_item){
        .key = key,
        .label = label,
        .size = (uint64_t)st->st_size,
        .allocated = (uint64_t)st->st_blocks * 512,
        .last_used = partial ? st->st_mtime : last_use(cache, key, st),
        .partial = partial,
    };
    return 0;
}

static int list_folder(const struct cache *cache, enum cache_file file,
                       struct cache_listing *listing, struct error **err)
{
    _cleanup_(close_dir) DIR *dir = open_folder(cache, file, err);
    if (!dir)
        return -EIO;
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        struct stat st;
        size_t length = cache_key_length(entry->d_name);
        if (!length || strcmp(entry->d_name + length, cache_places[file].suffix) != 0 ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        int r = add_item(listing, cache, entry->d_name, &st, file == CACHE_DOWNLOAD, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int latest_first(const void *a, const void *b)
{
    const struct cache_item *left = a, *right = b;
    int order = (left->last_used < right->last_used) - (left->last_used > right->last_used);
    return order ? order : strcmp(left->key, right->key);
}

int cache_list(struct cache *cache, struct cache_listing *ret, struct error **err)
{
    struct cache_listing listing = {0};
    int r = list_folder(cache, CACHE_BASE, &listing, err);
    if (r == 0)
        r = list_folder(cache, CACHE_DOWNLOAD, &listing, err);
    if (r < 0) {
        cache_listing_free(&listing);
        return r;
    }
    if (listing.count > 0)
        qsort(listing.items, listing.count, sizeof(*listing.items), latest_first);
    *ret = listing;
    return 0;
}

/* Removes the files of one key, the lock file last: from then on others get a new one. */
static int remove_entry(const struct cache *cache, const char *key, uint64_t *freed,
                        struct error **err)
{
    bool found = false;
    _cleanup_close_ int lock_fd = cache_take_lock(cache, key, 0, err);
    if (lock_fd < 0)
        return lock_fd;
    cache_remove_unfinished(cache, key);
    for (enum cache_file file = CACHE_BASE; file < CACHE_FILE_COUNT; file++) {
        struct stat st;
        _cleanup_free_ char *path = cache_path(cache, file, key, err);
        if (!path)
            return -ENOMEM;
        if (lstat(path, &st) < 0)
            continue;
        if (unlink(path) < 0)
            return error_sys(err, errno, "%s: cannot remove", path);
        *freed += (uint64_t)st.st_blocks * 512;
        found = found || file != CACHE_LOCK;
    }
    return found ? 0 : error_set(err, ENOENT, "%s: is not in the cache", key);
}

/* The keys of everything that is there, whatever a process that was killed has left of it. */
static int list_keys(const struct cache *cache, struct strv *keys, struct error **err)
{
    for (enum cache_file file = CACHE_BASE; file < CACHE_FILE_COUNT; file++) {
        _cleanup_(close_dir) DIR *dir = open_folder(cache, file, err);
        if (!dir)
            return -EIO;
        struct dirent *entry;
        while ((entry = readdir(dir))) {
            const char *name = entry->d_name[0] == '.' ? entry->d_name + 1 : entry->d_name;
            char *key = strndup(name, cache_key_length(name));
            bool known = key && (!*key || strv_contains(keys, key));
            int r = known ? 0 : strv_take(keys, key, err);
            if (known)
                free(key);
            if (r < 0)
                return r;
        }
    }
    return 0;
}

int cache_remove(struct cache *cache, const char *key, uint64_t *ret_freed, struct error **err)
{
    uint64_t freed = 0;
    _cleanup_strv_ struct strv keys = {0};
    _cleanup_error_ struct error *failure = NULL;
    size_t length = key ? cache_key_length(key) : 0;
    if (key && (!length || key[length]))
        return error_set(err, EINVAL, "'%s' is not the key of a cache entry", key);
    int r = key ? strv_add(&keys, key, err) : list_keys(cache, &keys, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < keys.count; i++) {
        r = remove_entry(cache, keys.items[i], &freed, &failure);
        if (r == -ETIMEDOUT && key)
            return error_set(err, EBUSY, "%s: another process is fetching this image", key);
        /* Somebody fills it, or has removed it at the same time. */
        if (r == -ETIMEDOUT || (r == -ENOENT && !key))
            error_clear(&failure);
        if (failure)
            return error_move(err, TAKE_PTR(failure));
    }
    *ret_freed = freed;
    return 0;
}
