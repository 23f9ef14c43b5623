#include "base/hash.h"

#include <stdlib.h>

enum { first_capacity = 64 };

struct hash_slot {
    void *item; /* NULL: empty */
    uint64_t code;
};

/* The multiplier is 2^64 divided by the golden ratio: neighbours come to lie far apart. */
uint64_t hash_number(uint64_t number)
{
    return number * UINT64_C(0x9e3779b97f4a7c15);
}

uint64_t hash_text(uint64_t before, const char *text)
{
    for (; *text; text++)
        before = (before ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return before;
}

/* The upper bits of a product are the well-mixed ones. */
static size_t home_of(const struct hash *hash, uint64_t code)
{
    return (size_t)(code ^ code >> 32) & (hash->capacity - 1);
}

static size_t behind(const struct hash *hash, size_t at)
{
    return (at + 1) & (hash->capacity - 1);
}

void *hash_find(const struct hash *hash, uint64_t code, hash_is_fn *is, const void *key)
{
    if (hash->count == 0)
        return NULL;
    for (size_t at = home_of(hash, code); hash->slots[at].item; at = behind(hash, at)) {
        const struct hash_slot *slot = &hash->slots[at];
        if (slot->code == code && (!is || is(slot->item, key)))
            return slot->item;
    }
    return NULL;
}

/* There is room. */
static void put(struct hash *hash, uint64_t code, void *item)
{
    size_t at = home_of(hash, code);
    while (hash->slots[at].item)
        at = behind(hash, at);
    hash->slots[at] = (struct hash_slot){.item = item, .code = code};
    hash->count++;
}

static int grow(struct hash *hash, struct error **err)
{
    struct hash larger = {.capacity = hash->capacity ? 2 * hash->capacity : first_capacity};
    larger.slots = calloc(larger.capacity, sizeof(*larger.slots));
    if (!larger.slots)
        return error_oom(err);
    for (size_t i = 0; i < hash->capacity; i++)
        if (hash->slots[i].item)
            put(&larger, hash->slots[i].code, hash->slots[i].item);
    free(hash->slots);
    *hash = larger;
    return 0;
}

int hash_add(struct hash *hash, uint64_t code, void *item, struct error **err)
{
    if (hash->count + hash->count / 2 >= hash->capacity) {
        int r = grow(hash, err);
        if (r < 0)
            return r;
    }
    put(hash, code, item);
    return 0;
}

void hash_remove(struct hash *hash, uint64_t code, const void *item)
{
    size_t hole = home_of(hash, code), mask = hash->capacity - 1;
    while (hash->slots[hole].item != item)
        hole = behind(hash, hole);
    /* What stands behind the hole moves into it, unless it would then lie before its home. */
    for (size_t at = behind(hash, hole); hash->slots[at].item; at = behind(hash, at)) {
        size_t from_home = (at - home_of(hash, hash->slots[at].code)) & mask;
        if (from_home < ((at - hole) & mask))
            continue;
        hash->slots[hole] = hash->slots[at];
        hole = at;
    }
    hash->slots[hole] = (struct hash_slot){0};
    hash->count--;
}

void *hash_next(const struct hash *hash, size_t *position)
{
    while (*position < hash->capacity) {
        void *item = hash->slots[(*position)++].item;
        if (item)
            return item;
    }
    return NULL;
}

void hash_free(struct hash *hash)
{
    free(hash->slots);
    *hash = (struct hash){0};
}
