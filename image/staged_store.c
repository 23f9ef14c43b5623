#include "image/staged_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "base/str.h"
#include "base/tempfile.h"
#include "image/staged_map.h"

/* 256 KiB: large enough to be taken from the kernel and given back to it as a whole. */
enum { chunk_slots = 64 };

int staged_store_init(struct staged_store *store, uint64_t memory_max, struct error **err)
{
    uint64_t slots = min_u64(memory_max / STAGED_CLUSTER, STAGED_NO_SLOT / 2);
    *store = (struct staged_store){.fd = -1, .memory_max = (uint32_t)slots};
    store->chunks = calloc(slots / chunk_slots + 1, sizeof(*store->chunks));
    if (!store->chunks)
        return error_oom(err);
    store->name = str_printf(err, "temporary file in %s", temp_directory());
    return store->name ? 0 : -ENOMEM;
}

static int hint_at_space(int r, struct error **err)
{
    if (r == -ENOSPC || r == -EDQUOT)
        error_hint(err, "free some space there, or set TMPDIR to a directory that has more");
    return r;
}

int staged_store_reserve(struct staged_store *store, uint32_t wanted, uint32_t *ret_slot,
                         uint32_t *ret_count, struct error **err)
{
    uint32_t slot = store->count;
    if (slot >= store->memory_max) {
        if (store->fd < 0)
            store->fd = temp_file("kiln-staged", err);
        if (store->fd < 0)
            return store->fd;
        if (slot >= STAGED_NO_SLOT - wanted)
            return error_set(err, EFBIG, "more than 16 TiB of changes");
    } else if (!store->chunks[slot / chunk_slots]) {
        uint8_t *chunk = malloc((size_t)chunk_slots * STAGED_CLUSTER);
        if (!chunk)
            return error_oom(err);
        store->chunks[slot / chunk_slots] = chunk;
    }
    *ret_slot = slot;
    *ret_count = staged_store_run(store, slot, wanted);
    return 0;
}

void staged_store_take(struct staged_store *store, uint32_t count)
{
    store->count += count;
}

uint32_t staged_store_run(const struct staged_store *store, uint32_t slot, uint32_t count)
{
    if (slot >= store->memory_max)
        return count;
    uint64_t end = min_u64((uint64_t)(slot / chunk_slots + 1) * chunk_slots, store->memory_max);
    return (uint32_t)min_u64(count, end - slot);
}

static uint64_t file_offset(const struct staged_store *store, uint32_t slot, uint64_t within)
{
    return (uint64_t)(slot - store->memory_max) * STAGED_CLUSTER + within;
}

static uint8_t *memory_at(const struct staged_store *store, uint32_t slot, uint64_t within)
{
    return store->chunks[slot / chunk_slots] + (size_t)(slot % chunk_slots) * STAGED_CLUSTER +
           within;
}

int staged_store_read(const struct staged_store *store, uint32_t slot, uint64_t within, void *buf,
                      size_t count, struct error **err)
{
    if (slot < store->memory_max) {
        memcpy(buf, memory_at(store, slot, within), count);
        return 0;
    }
    int r =
        fd_pread_full(store->fd, buf, count, file_offset(store, slot, within), store->name, err);
    return hint_at_space(r, err);
}

int staged_store_write(struct staged_store *store, uint32_t slot, uint64_t within, const void *buf,
                       size_t count, struct error **err)
{
    if (slot < store->memory_max) {
        memcpy(memory_at(store, slot, within), buf, count);
        return 0;
    }
    int r =
        fd_pwrite_full(store->fd, buf, count, file_offset(store, slot, within), store->name, err);
    return hint_at_space(r, err);
}

void staged_store_clear(struct staged_store *store)
{
    for (uint32_t slot = 0; slot < store->memory_max && slot < store->count; slot += chunk_slots)
        free(TAKE_PTR(store->chunks[slot / chunk_slots]));
    if (store->fd >= 0)
        close(TAKE_FD(store->fd));
    store->count = 0;
}

void staged_store_free(struct staged_store *store)
{
    if (store->chunks)
        for (uint32_t i = 0; i <= store->memory_max / chunk_slots; i++)
            free(store->chunks[i]);
    if (store->fd >= 0)
        close(store->fd);
    free(store->chunks);
    free(store->name);
    *store = (struct staged_store){.fd = -1};
}
