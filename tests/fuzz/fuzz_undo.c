/* An undo journal: every record that passes the gate lies within the disk. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "image/undo.h"
#include "tests/fuzz/memory_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint64_t disk_size = 1 << 20;

static int check(void *context, const struct undo_record *record, struct error **err)
{
    (void)err;
    uint64_t *sum = context;
    if (record->length == 0 || record->length > disk_size ||
        record->offset > disk_size - record->length)
        abort();
    *sum += record->codes[(record->length - 1) / UNDO_CLUSTER];
    for (uint32_t i = 0; record->bytes && i < record->length; i++)
        *sum += ((const uint8_t *)record->bytes)[i];
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    volatile uint64_t kept;
    uint64_t sum = 0;
    if (!memory)
        abort();
    memory->bytes = malloc(size + 1);
    memory->block = (struct block){.ops = &memory_ops, .name = strdup("journal"), .size = size};
    if (!memory->bytes || !memory->block.name)
        abort();
    memcpy(memory->bytes, data, size);
    undo_read(&memory->block, disk_size, check, &sum, NULL);
    kept = sum;
    (void)kept;
    block_close(&memory->block);
    return 0;
}
