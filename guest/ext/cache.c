#include "guest/ext/cache.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hash.h"

#define CLEAN_BYTES ((size_t)8 << 20) /* of unchanged blocks that are kept */

struct entry {
    uint64_t block;
    struct entry *newer, *older; /* in order of last use */
    bool dirty;
    uint8_t data[];
};

struct ext_cache {
    size_t block_size;
    size_t dirty;
    struct entry *newest, *oldest;
    struct hash entries; /* by block */
    uint64_t changes;
};

static struct entry *find(const struct ext_cache *cache, uint64_t block)
{
    return hash_find(&cache->entries, hash_number(block), NULL, NULL);
}

static void list_remove(struct ext_cache *cache, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void list_add(struct ext_cache *cache, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
    cache->newest = entry;
}

static void set_dirty(struct ext_cache *cache, struct entry *entry, bool dirty)
{
    if (entry->dirty == dirty)
        return;
    entry->dirty = dirty;
    cache->dirty += dirty ? 1 : (size_t)-1;
}

static void discard(struct ext_cache *cache, struct entry *entry)
{
    hash_remove(&cache->entries, hash_number(entry->block), entry);
    list_remove(cache, entry);
    set_dirty(cache, entry, false);
    free(entry);
}

struct ext_cache *ext_cache_new(size_t block_size)
{
    struct ext_cache *cache = calloc(1, sizeof(*cache));
    if (cache)
        cache->block_size = block_size;
    return cache;
}

void ext_cache_free(struct ext_cache *cache)
{
    if (!cache)
        return;
    while (cache->oldest)
        discard(cache, cache->oldest);
    hash_free(&cache->entries);
    free(cache);
}

uint8_t *ext_cache_find(struct ext_cache *cache, uint64_t block)
{
    struct entry *entry = find(cache, block);
    if (!entry)
        return NULL;
    if (entry != cache->newest) {
        list_remove(cache, entry);
        list_add(cache, entry);
    }
    return entry->data;
}

/* Makes room by letting go of the blocks that were not used for the longest time. */
static void evict(struct ext_cache *cache)
{
    size_t limit = CLEAN_BYTES / cache->block_size;
    const size_t *held = &cache->entries.count;
    for (size_t tries = *held; tries > 0 && *held - cache->dirty >= limit; tries--) {
        struct entry *entry = cache->oldest;
        if (!entry->dirty) {
            discard(cache, entry);
            continue;
        }
        /* Away from the cold end, so that it is not passed over every time. */
        list_remove(cache, entry);
        list_add(cache, entry);
    }
}

uint8_t *ext_cache_insert(struct ext_cache *cache, uint64_t block)
{
    struct entry *entry = malloc(sizeof(*entry) + cache->block_size);
    if (!entry)
        return NULL;
    evict(cache);
    if (hash_add(&cache->entries, hash_number(block), entry, NULL) < 0) {
        free(entry);
        return NULL;
    }
    *entry = (struct entry){.block = block};
    list_add(cache, entry);
    return entry->data;
}

uint8_t *ext_cache_dirty(struct ext_cache *cache, uint64_t block)
{
    struct entry *entry = find(cache, block);
    set_dirty(cache, entry, true);
    cache->changes++;
    return entry->data;
}

void ext_cache_drop(struct ext_cache *cache, uint64_t block)
{
    discard(cache, find(cache, block));
}

void ext_cache_forget(struct ext_cache *cache, uint64_t block)
{
    struct entry *entry = find(cache, block);
    if (entry)
        discard(cache, entry);
}

uint64_t ext_cache_changes(const struct ext_cache *cache)
{
    return cache->changes;
}

uint64_t ext_cache_dirty_bytes(const struct ext_cache *cache)
{
    return (uint64_t)cache->dirty * cache->block_size;
}

static int compare(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int ext_cache_list_dirty(const struct ext_cache *cache, uint64_t **ret, size_t *ret_count)
{
    uint64_t *blocks = reallocarray(NULL, cache->dirty + 1, sizeof(*blocks));
    if (!blocks)
        return -ENOMEM;
    size_t count = 0;
    for (const struct entry *entry = cache->newest; entry; entry = entry->older)
        if (entry->dirty)
            blocks[count++] = entry->block;
    qsort(blocks, count, sizeof(*blocks), compare);
    *ret = blocks;
    *ret_count = count;
    return 0;
}

void ext_cache_all_clean(struct ext_cache *cache)
{
    for (struct entry *entry = cache->newest; entry; entry = entry->older)
        set_dirty(cache, entry, false);
}
