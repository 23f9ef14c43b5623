#include "vmm/virtio/blk.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/checked.h"
#include "base/endian.h"

/* VIRTIO 1.2 §5.2.4, up to what is offered. */
struct blk_space {
    le64_t capacity;
    le32_t size_max;
    le32_t segments_max;
    uint8_t geometry[4];
    le32_t block_size;
    uint8_t physical_block_exponent;
    uint8_t alignment_offset;
    le16_t io_size_min;
    le32_t io_size_optimal;
    uint8_t writeback;
    uint8_t unused;
    le16_t queue_count;
    le32_t discard_sectors_max;
    le32_t discard_segments_max;
    le32_t discard_alignment;
    le32_t zeroes_sectors_max;
    le32_t zeroes_segments_max;
    uint8_t zeroes_may_unmap;
    uint8_t unused_end[3];
};
_Static_assert(sizeof(struct blk_space) == 60, "VIRTIO 1.2 §5.2.4");

/* §5.2.6. */
struct request_header {
    le32_t type;
    le32_t reserved;
    le64_t sector;
};
_Static_assert(sizeof(struct request_header) == 16, "VIRTIO 1.2 §5.2.6");

struct request_range {
    le64_t sector;
    le32_t count;
    le32_t flags;
};
_Static_assert(sizeof(struct request_range) == 16, "VIRTIO 1.2 §5.2.6");

enum {
    SECTOR_SIZE = 512,
    PHYSICAL_EXPONENT = 3,              /* file systems of hosts write 4096 bytes at once */
    SEGMENTS_MAX = VIRTQ_CHAIN_MAX - 2, /* beside a request's header and its status */
    RANGES_MAX = 16,
    RANGE_SECTORS_MAX = 1 << 17, /* 64 MiB: where there are no holes, zeroes are written */
    QUEUES_MAX = 8,
    SERIAL_SIZE = 20,
    GATHER_SIZE = 128 << 10,
    DIRECT_MIN = 32 << 10, /* bytes of a buffer that is worth an access of its own */

    TYPE_IN = 0,
    TYPE_OUT = 1,
    TYPE_FLUSH = 4,
    TYPE_GET_ID = 8,
    TYPE_DISCARD = 11,
    TYPE_WRITE_ZEROES = 13,
    RANGE_UNMAP = 1,

    STATUS_OK = 0,
    STATUS_IOERR = 1,
    STATUS_UNSUPPORTED = 2,
};

/* §5.2.3. */
#define BLK_F_SEG_MAX      VIRTIO_FEATURE(2)
#define BLK_F_RO           VIRTIO_FEATURE(5)
#define BLK_F_BLK_SIZE     VIRTIO_FEATURE(6)
#define BLK_F_FLUSH        VIRTIO_FEATURE(9)
#define BLK_F_TOPOLOGY     VIRTIO_FEATURE(10)
#define BLK_F_MQ           VIRTIO_FEATURE(12)
#define BLK_F_DISCARD      VIRTIO_FEATURE(13)
#define BLK_F_WRITE_ZEROES VIRTIO_FEATURE(14)

struct virtio_blk {
    struct virtio_device device;
    struct block *block;
    struct blk_space space;
    uint64_t size; /* bytes, of whole sectors */
    bool read_only;
    bool reported;
    char serial[SERIAL_SIZE];
    uint8_t gathered[GATHER_SIZE]; /* what is scattered in the guest's memory */
    void (*failed)(void *context, const struct error *error);
    void *context;
};

/* The status that the guest gets for an access of the host. */
static uint8_t status_of(struct virtio_blk *blk, int result, const struct error *error)
{
    if (result >= 0)
        return STATUS_OK;
    if (!blk->reported && blk->failed) {
        blk->reported = true;
        blk->failed(blk->context, error);
    }
    return STATUS_IOERR;
}

static bool on_disk(const struct virtio_blk *blk, uint64_t sector, uint64_t bytes)
{
    return bytes % SECTOR_SIZE == 0 &&
           range_within(sector, bytes / SECTOR_SIZE, blk->size / SECTOR_SIZE);
}

/* Data goes straight between the image and the guest's memory. Only small scattered buffers, such
 * as the pages of a file, are put together first: to most block sources, many small accesses cost
 * far more than one and a copy. */
static bool is_worth_it(const struct iovec *part, size_t count)
{
    return count == 1 || part->iov_len >= DIRECT_MIN;
}

static int read_some(struct virtio_blk *blk, struct virtq_chain *chain, uint64_t offset,
                     struct error **err)
{
    const struct iovec *part = chain->in;
    size_t count = part->iov_len;
    int r;
    if (is_worth_it(part, chain->in_count)) {
        r = block_pread(blk->block, part->iov_base, count, offset, err);
        if (r >= 0)
            virtq_was_written(chain, count);
        return r;
    }
    count = (size_t)min_u64(chain->in_size, sizeof(blk->gathered));
    r = block_pread(blk->block, blk->gathered, count, offset, err);
    if (r >= 0)
        virtq_write(chain, blk->gathered, count);
    return r;
}

static int write_some(struct virtio_blk *blk, struct virtq_chain *chain, uint64_t offset,
                      struct error **err)
{
    const struct iovec *part = chain->out;
    size_t count = part->iov_len;
    int r;
    if (is_worth_it(part, chain->out_count)) {
        r = block_pwrite(blk->block, part->iov_base, count, offset, err);
        virtq_was_read(chain, count);
        return r;
    }
    count = virtq_read(chain, blk->gathered, sizeof(blk->gathered));
    return block_pwrite(blk->block, blk->gathered, count, offset, err);
}

static uint8_t do_read(struct virtio_blk *blk, struct virtq_chain *chain, uint64_t sector)
{
    _cleanup_error_ struct error *error = NULL;
    uint64_t end = sector * SECTOR_SIZE + chain->in_size;
    int r = 0;
    if (!on_disk(blk, sector, chain->in_size))
        return STATUS_IOERR;
    while (r >= 0 && chain->in_size > 0)
        r = read_some(blk, chain, end - chain->in_size, &error);
    return status_of(blk, r, error);
}

static uint8_t do_write(struct virtio_blk *blk, struct virtq_chain *chain, uint64_t sector)
{
    _cleanup_error_ struct error *error = NULL;
    uint64_t end = sector * SECTOR_SIZE + chain->out_size;
    int r = 0;
    if (blk->read_only || !on_disk(blk, sector, chain->out_size))
        return STATUS_IOERR;
    while (r >= 0 && chain->out_size > 0)
        r = write_some(blk, chain, end - chain->out_size, &error);
    /* A driver that does not flush is one that expects its writes to last (§5.2.6.2). */
    if (r >= 0 && !virtio_device_has(&blk->device, BLK_F_FLUSH))
        r = block_flush(blk->block, &error);
    return status_of(blk, r, error);
}

static uint8_t do_flush(struct virtio_blk *blk)
{
    _cleanup_error_ struct error *error = NULL;
    int r = block_flush(blk->block, &error);
    return status_of(blk, r, error);
}

static uint8_t do_range(struct virtio_blk *blk, const struct request_range *range, bool zeroes)
{
    _cleanup_error_ struct error *error = NULL;
    uint64_t sector = le64_get(range->sector), count = le32_get(range->count);
    if (le32_get(range->flags) & ~(zeroes ? (uint32_t)RANGE_UNMAP : 0u))
        return STATUS_UNSUPPORTED;
    if (count > RANGE_SECTORS_MAX || !on_disk(blk, sector, count * SECTOR_SIZE))
        return STATUS_IOERR;
    int r = count == 0
                ? 0
                : block_discard(blk->block, sector * SECTOR_SIZE, count * SECTOR_SIZE, &error);
    return status_of(blk, r, error);
}

/* Both read as zeroes afterwards, and take no space where the block source knows holes. */
static uint8_t do_ranges(struct virtio_blk *blk, struct virtq_chain *chain, bool zeroes)
{
    struct request_range range;
    uint8_t status = STATUS_OK;
    if (blk->read_only || chain->out_size == 0 || chain->out_size % sizeof(range) != 0 ||
        chain->out_size / sizeof(range) > RANGES_MAX)
        return STATUS_IOERR;
    while (status == STATUS_OK && virtq_read(chain, &range, sizeof(range)) == sizeof(range))
        status = do_range(blk, &range, zeroes);
    return status;
}

static uint8_t do_request(struct virtio_blk *blk, struct virtq_chain *chain)
{
    struct request_header header;
    if (virtq_read(chain, &header, sizeof(header)) != sizeof(header))
        return STATUS_IOERR;
    switch (le32_get(header.type)) {
    case TYPE_IN:
        return do_read(blk, chain, le64_get(header.sector));
    case TYPE_OUT:
        return do_write(blk, chain, le64_get(header.sector));
    case TYPE_FLUSH:
        return do_flush(blk);
    case TYPE_GET_ID:
        virtq_write(chain, blk->serial, sizeof(blk->serial));
        return STATUS_OK;
    case TYPE_DISCARD:
        return do_ranges(blk, chain, false);
    case TYPE_WRITE_ZEROES:
        return do_ranges(blk, chain, true);
    default:
        return STATUS_UNSUPPORTED;
    }
}

static void blk_request(struct virtio_device *device, struct virtq_chain *chain)
{
    uint8_t *status = virtq_take_last(chain);
    if (!status)
        return; /* no room for the status */
    *status = do_request((struct virtio_blk *)device, chain);
    chain->written++;
}

static int blk_serve(struct virtio_device *device, unsigned queue)
{
    return virtio_device_drain(device, queue, blk_request);
}

static void blk_free(struct virtio_device *device)
{
    struct virtio_blk *blk = (struct virtio_blk *)device;
    block_close(blk->block);
}

/* What block sources call: files, the overlay's temporary file, and the socket of an nbd server. */
static const int blk_calls[] = {
    SYS_fsync, SYS_fdatasync, SYS_fallocate, SYS_ftruncate, SYS_openat,  SYS_unlink,
    SYS_ioctl, SYS_sendto,    SYS_recvfrom,  SYS_sendmsg,   SYS_recvmsg, SYS_fcntl,
};

static const struct virtio_ops blk_ops = {
    .name = "virtio-blk",
    .type = VIRTIO_TYPE_BLK,
    .pci_class = 0x01, /* mass storage, other */
    .pci_subclass = 0x80,
    .serve = blk_serve,
    .free = blk_free,
    .calls = blk_calls,
    .call_count = ARRAY_SIZE(blk_calls),
};

static void fill_space(struct virtio_blk *blk)
{
    blk->space = (struct blk_space){
        .capacity = le64_put(blk->size / SECTOR_SIZE),
        .segments_max = le32_put(SEGMENTS_MAX),
        .block_size = le32_put(SECTOR_SIZE),
        .physical_block_exponent = PHYSICAL_EXPONENT,
        .io_size_min = le16_put(1 << PHYSICAL_EXPONENT),
        .queue_count = le16_put((uint16_t)blk->device.queue_count),
        .discard_sectors_max = le32_put(RANGE_SECTORS_MAX),
        .discard_segments_max = le32_put(RANGES_MAX),
        .discard_alignment = le32_put(1 << PHYSICAL_EXPONENT),
        .zeroes_sectors_max = le32_put(RANGE_SECTORS_MAX),
        .zeroes_segments_max = le32_put(RANGES_MAX),
        .zeroes_may_unmap = 1,
    };
    blk->device.config = &blk->space;
    blk->device.config_size = sizeof(blk->space);
}

int virtio_blk_new(struct block *block, const struct virtio_blk_config *config,
                   struct virtio_device **ret, struct error **err)
{
    struct virtio_blk *blk = calloc(1, sizeof(*blk));
    if (!blk) {
        block_close(block);
        return error_oom(err);
    }
    blk->block = block;
    blk->size = round_down(block->size, SECTOR_SIZE);
    blk->read_only = config->read_only || !block->writable;
    blk->failed = config->failed;
    blk->context = config->context;
    memcpy(blk->serial, config->serial, strnlen(config->serial, sizeof(blk->serial)));
    blk->device.ops = &blk_ops;
    blk->device.queue_count = (unsigned)min_u64(max_u64(config->queues, 1), QUEUES_MAX);
    blk->device.features = BLK_F_SEG_MAX | BLK_F_BLK_SIZE | BLK_F_TOPOLOGY | BLK_F_FLUSH | BLK_F_MQ;
    blk->device.features |= blk->read_only ? BLK_F_RO : BLK_F_DISCARD | BLK_F_WRITE_ZEROES;
    fill_space(blk);
    int r = virtio_device_init(&blk->device, err);
    if (r < 0)
        virtio_device_free(&blk->device);
    else
        *ret = &blk->device;
    return r;
}
