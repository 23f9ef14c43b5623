/* Blocks of a file system in memory: a write-back cache. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ext_cache;

/* NULL: out of memory. */
struct ext_cache *ext_cache_new(size_t block_size);
void ext_cache_free(struct ext_cache *cache);

/* The block's contents, or NULL when it is not held. Pointers stay valid until the next insertion.
 */
uint8_t *ext_cache_find(struct ext_cache *cache, uint64_t block);

/* Adds a block that is not held, with contents for the caller to fill. NULL: out of memory. */
uint8_t *ext_cache_insert(struct ext_cache *cache, uint64_t block);

/* To be called before a held block is changed. Returns its contents. */
uint8_t *ext_cache_dirty(struct ext_cache *cache, uint64_t block);

/* Removes a block that was inserted but could not be filled. */
void ext_cache_drop(struct ext_cache *cache, uint64_t block);

/* Removes a block, if it is held, whose contents are about to be replaced on disk directly. */
void ext_cache_forget(struct ext_cache *cache, uint64_t block);

/* How many times a block was changed. */
uint64_t ext_cache_changes(const struct ext_cache *cache);

uint64_t ext_cache_dirty_bytes(const struct ext_cache *cache);

/* Numbers of the changed blocks in ascending order; caller frees. -ENOMEM. */
int ext_cache_list_dirty(const struct ext_cache *cache, uint64_t **ret, size_t *ret_count);
void ext_cache_all_clean(struct ext_cache *cache);
