/* Where staged clusters keep their bytes: in memory up to a cap, then in an unlinked temporary
 * file. Internal to image/. */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* Clusters have slots, numbered in the order in which they were taken. */
struct staged_store {
    uint8_t **chunks;    /* memory, a fixed number of slots each, made when first needed */
    uint32_t memory_max; /* slots that are in memory; the others are in the file */
    uint32_t count;      /* slots taken */
    int fd;              /* of the file; negative: none yet */
    char *name;          /* of the file, for messages */
};

int staged_store_init(struct staged_store *store, uint64_t memory_max, struct error **err);

/* Slots that would be taken next and lie together, so that one transfer serves them: at least one,
 * at most `wanted`. They count as taken after staged_store_take() alone. */
int staged_store_reserve(struct staged_store *store, uint32_t wanted, uint32_t *ret_slot,
                         uint32_t *ret_count, struct error **err);
void staged_store_take(struct staged_store *store, uint32_t count);

/* How many of `count` slots from `slot` on lie together. */
uint32_t staged_store_run(const struct staged_store *store, uint32_t slot, uint32_t count);

/* Bytes of slots that lie together; `within` is from the beginning of `slot`. */
int staged_store_read(const struct staged_store *store, uint32_t slot, uint64_t within, void *buf,
                      size_t count, struct error **err);
int staged_store_write(struct staged_store *store, uint32_t slot, uint64_t within, const void *buf,
                       size_t count, struct error **err);

/* Forgets all slots, keeping the memory cap. */
void staged_store_clear(struct staged_store *store);
void staged_store_free(struct staged_store *store);
