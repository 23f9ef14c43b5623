/* A hash table of pointers, which grows with what it holds. The table does not own its items. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Zero-initialise. */
struct hash {
    struct hash_slot *slots; /* open addressing */
    size_t capacity;         /* a power of two */
    size_t count;
};

/* Different numbers have different codes. */
uint64_t hash_number(uint64_t number);
/* FNV-1a, beginning with hash_text_start or the code of what goes before. */
uint64_t hash_text(uint64_t before, const char *text);
#define hash_text_start UINT64_C(0xcbf29ce484222325)

/* Whether the item has this key. */
typedef bool hash_is_fn(const void *item, const void *key);

/* The item with the code and the key, or NULL. `is` is NULL where the code alone tells. */
void *hash_find(const struct hash *hash, uint64_t code, hash_is_fn *is, const void *key);
/* Adds an item whose key is not in the table. */
int hash_add(struct hash *hash, uint64_t code, void *item, struct error **err);
/* The item must be in the table, under that code. */
void hash_remove(struct hash *hash, uint64_t code, const void *item);
/* All items, in no order: begin with *position = 0. NULL at the end. The table must not change
 * meanwhile. */
void *hash_next(const struct hash *hash, size_t *position);
void hash_free(struct hash *hash);
