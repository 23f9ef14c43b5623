/* Blocks of a file system in memory: a write-back cache whose changes can be taken back. */
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

/* To be called before a held block is changed. Returns its contents. NULL: out of memory. */
uint8_t *ext_cache_dirty(struct ext_cache *cache, uint64_t block);

/* Removes a block that was inserted but could not be filled. */
void ext_cache_drop(struct ext_cache *cache, uint64_t block);

/* Removes a block whose contents are about to be replaced behind the cache's back. A rollback does
 * bring it back. -ENOMEM on failure. */
int ext_cache_forget(struct ext_cache *cache, uint64_t block);

/* One transaction at a time. A rollback that fails (-ENOMEM) leaves contents that must not be
 * written out. */
void ext_cache_begin(struct ext_cache *cache);
void ext_cache_end(struct ext_cache *cache);
int ext_cache_rollback(struct ext_cache *cache);

uint64_t ext_cache_dirty_bytes(const struct ext_cache *cache);

/* Numbers of the changed blocks in ascending order; caller frees. -ENOMEM. */
int ext_cache_list_dirty(const struct ext_cache *cache, uint64_t **ret, size_t *ret_count);
void ext_cache_all_clean(struct ext_cache *cache);
