/* The qcow2 reader on images from strangers: header, tables, compressed clusters. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "image/qcow2.h"

enum { most = 256 << 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_at(struct block *block, uint64_t offset, uint8_t *buf)
{
    size_t count = (size_t)min_u64(most, block->size - offset);
    block_pread(block, buf, count, offset, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct block *block = NULL;
    int fd = memfd_create("image", MFD_CLOEXEC);
    if (fd < 0 || fd_pwrite_full(fd, data, size, 0, "image", NULL) < 0)
        abort();
    if (qcow2_open(fd, "image", NULL, &block, NULL) < 0)
        return 0;
    uint8_t *buf = malloc(most);
    read_at(block, 0, buf);
    read_at(block, block->size / 2, buf);
    read_at(block, block->size > most ? block->size - most : 0, buf);
    uint64_t offset = 0;
    for (unsigned i = 0; i < 64 && offset < block->size; i++) {
        enum block_state state;
        uint64_t length;
        if (block_extent(block, offset, block->size - offset, &state, &length, NULL) < 0)
            break;
        read_at(block, offset, buf);
        offset += length;
    }
    free(buf);
    block_close(block);
    return 0;
}
