/* What the files of cache.h share. */
#pragma once

#include "repos/cache.h"

/* Where the files of an entry lie. */
enum cache_file {
    CACHE_BASE,
    CACHE_SEAL,
    CACHE_LABEL,
    CACHE_DOWNLOAD,
    CACHE_LOCK,
    CACHE_FILE_COUNT
};

struct cache_place {
    const char *folder, *suffix;
};
extern const struct cache_place cache_places[CACHE_FILE_COUNT];

/* Caller frees. */
char *cache_path(const struct cache *cache, enum cache_file file, const char *key,
                 struct error **err);

/* Digits at the beginning of name, when they are exactly a key's; else 0. */
size_t cache_key_length(const char *name);

/* Takes the key's lock: its descriptor, or -ETIMEDOUT when another process keeps it. */
int cache_take_lock(const struct cache *cache, const char *key, uint64_t patience_ms,
                    struct error **err);

struct stat;
/* Records what the entry open as fd is. */
int cache_seal_write(const struct cache *cache, const char *key, int fd, struct error **err);
/* -EBADMSG: the entry, whose fstat() is given, is not what was recorded, or nothing was. Reads its
 * contents where the file system says that it was changed, after 30 days, and with `contents`. */
int cache_seal_check(const struct cache *cache, const char *key, int fd, const struct stat *st,
                     bool contents, struct error **err);
/* The record's modification time says when the entry was used last. */
void cache_seal_touch(const struct cache *cache, const char *key);

/* Where the file system has no nameless files, a process that was killed leaves an unfinished image
 * under a hidden name. To be called with the lock held. */
void cache_remove_unfinished(const struct cache *cache, const char *key);
