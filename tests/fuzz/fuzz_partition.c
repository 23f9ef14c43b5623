/* Partition tables from strangers: reading, and growing whatever was found.
 *
 * Byte 0: bit 0 makes the checksums of a primary GPT right, without which hardly any change would
 * get past them. Byte 1: the disk's size in units of 128 KiB. Then the disk's first bytes. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/checked.h"
#include "base/endian.h"
#include "image/partition.h"
#include "tests/fuzz/memory_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put32(uint8_t *bytes, uint32_t value)
{
    le32_t field = le32_put(value);
    memcpy(bytes, &field, sizeof(field));
}

static uint64_t get(const uint8_t *bytes, size_t size)
{
    uint8_t whole[8] = {0};
    le64_t field;
    memcpy(whole, bytes, size);
    memcpy(&field, whole, sizeof(field));
    return le64_get(field);
}

static void fix_checksums(uint8_t *disk, uint64_t size)
{
    uint8_t *header = disk + 512;
    uint64_t entries = get(header + 72, 8), length = get(header + 80, 4) * get(header + 84, 4);
    uint32_t header_size = (uint32_t)get(header + 12, 4);
    if (entries < size / 512 && range_within(entries * 512, length, size))
        put32(header + 88, (uint32_t)crc32(0, disk + entries * 512, (uInt)length));
    put32(header + 16, 0);
    if (header_size <= 512)
        put32(header + 16, (uint32_t)crc32(0, header, header_size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct memory *memory = calloc(1, sizeof(*memory));
    struct block *block = &memory->block;
    block->ops = &memory_ops;
    block->name = strdup("memory");
    block->size = (data[1] % 20 + 1) * (UINT64_C(128) << 10);
    block->writable = true;
    memory->bytes = calloc(1, block->size);
    memcpy(memory->bytes, data + 2, min_u64(size - 2, block->size));
    if (data[0] & 1)
        fix_checksums(memory->bytes, block->size);
    struct partition_table table = {0};
    if (partition_table_read(block, &table, NULL) == 0) {
        for (size_t i = 0; i < table.count && i < 8; i++) {
            uint64_t length;
            struct partition_table after = {0};
            const struct partition *item = &table.items[i];
            if (partition_grow(block, item->number, &length, NULL) < 0)
                continue;
            /* What was grown is still there, and not smaller. */
            if (partition_table_read(block, &after, NULL) < 0 || length < item->length ||
                !partition_find(&after, item->number) ||
                partition_find(&after, item->number)->start != item->start ||
                partition_find(&after, item->number)->length != length)
                abort();
            partition_table_free(&after);
        }
        partition_table_free(&table);
    }
    block_close(block);
    return 0;
}
