#include "builder/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/fdio.h"
#include "base/proc.h"
#include "base/str.h"
#include "image/image.h"
#include "image/partition.h"

/* Linux Documentation/filesystems/ext4/super.rst: the superblock and its magic. */
enum { ext_superblock = 1024, ext_magic_offset = 56, ext_magic = 0xef53 };

static const uint64_t resize_timeout_ms = 10 * 60 * 1000;

int grow_parse_device(const char *device, unsigned *ret, struct error **err)
{
    static const char *const prefixes[] = {"/dev/sda", "/dev/vda", "/dev/hda", "/dev/xvda"};
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        if (!str_starts(device, prefixes[i]))
            continue;
        const char *digits = device + strlen(prefixes[i]);
        uint64_t number = 0;
        if (*digits && (parse_u64(digits, device, &number, NULL) < 0 || number > 128))
            break;
        *ret = (unsigned)number;
        return 0;
    }
    return error_set(err, EINVAL, "'%s' is not a partition like /dev/sda3", device);
}

/* Whether `bytes` stand at that place of the partition. */
static int has_magic(struct block *block, const struct partition *partition, uint64_t at,
                     const char *bytes, bool *ret, struct error **err)
{
    char found[16];
    size_t length = strlen(bytes);
    *ret = false;
    if (!range_within(at, length, partition->length))
        return 0;
    int r = block_pread(block, found, length, partition->start + at, err);
    *ret = r == 0 && memcmp(found, bytes, length) == 0;
    return r;
}

/* By its type, or by what mkswap(8) writes at the end of the first page, in pages of 4 and 64 KiB.
 */
static int is_swap(struct block *block, const struct partition *partition, bool *ret,
                   struct error **err)
{
    static const char swap_guid[] = "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f";
    enum { swap_mbr_type = 0x82 };
    static const uint64_t pages[] = {4096, 65536};
    int r = 0;
    *ret = partition->mbr_type == swap_mbr_type || strcmp(partition->type_guid, swap_guid) == 0;
    for (size_t i = 0; r == 0 && !*ret && i < ARRAY_SIZE(pages); i++)
        r = has_magic(block, partition, pages[i] - 10, "SWAPSPACE2", ret, err);
    return r;
}

/* More swap is not what a larger disk is asked for. */
static int refuse_swap(const struct partition_table *table, const struct partition *swap,
                       struct error **err)
{
    const struct partition *largest = NULL;
    for (size_t i = 0; i < table->count; i++) {
        const struct partition *item = &table->items[i];
        if (item->number != swap->number && (!largest || item->length > largest->length))
            largest = item;
    }
    error_set(err, EINVAL,
              "--size: the last partition, /dev/sda%u, is swap, and none before it can grow",
              swap->number);
    return error_hint(err,
                      "build without --size, and copy the result into a larger disk: truncate -s "
                      "SIZE NEW; virt-resize --expand /dev/sda%u OLD NEW",
                      largest ? largest->number : 1);
}

static int check_no_swap(struct block *block, const struct partition_table *table,
                         const struct partition *partition, struct error **err)
{
    bool swap = false;
    int r = is_swap(block, partition, &swap, err);
    return r == 0 && swap ? refuse_swap(table, partition, err) : r;
}

static int choose_partition(struct block *block, const char *expand, unsigned *ret_number,
                            struct error **err)
{
    _cleanup_partition_table_ struct partition_table table = {0};
    int r = partition_table_read(block, &table, err);
    if (r < 0)
        return r;
    if (table.scheme == PARTITION_NONE) {
        *ret_number = 0;
        return 0;
    }
    const struct partition *partition = partition_last(&table);
    if (expand) {
        unsigned number = 0;
        r = grow_parse_device(expand, &number, err);
        if (r < 0)
            return r;
        partition = partition_find(&table, number);
    }
    if (!partition)
        return error_set(err, EINVAL, "the disk has no partition %s", expand ? expand : "to grow");
    r = check_no_swap(block, &table, partition, err);
    if (r == 0)
        *ret_number = partition->number;
    return r;
}

static int has_ext(struct block *block, uint64_t start, bool *ret, struct error **err)
{
    le16_t magic;
    *ret = false;
    if (!range_within(start + ext_superblock + ext_magic_offset, sizeof(magic), block->size))
        return 0;
    int r =
        block_pread(block, &magic, sizeof(magic), start + ext_superblock + ext_magic_offset, err);
    if (r == 0)
        *ret = le16_get(magic) == ext_magic;
    return r;
}

/*
 * resize2fs takes "FILE?offset=BYTES" but ignores the offset in two places: it would size the file
 * system by the whole file, so the size is given; and at its end it truncates the file to the size
 * of the file system, which would lose the last `offset` bytes, so truncation is disabled.
 */
static int resize_ext(const char *path, uint64_t start, uint64_t length, struct error **err)
{
    char size[32];
    _cleanup_free_ char *device =
        start ? str_printf(err, "%s?offset=%llu", path, (unsigned long long)start) : strdup(path);
    if (!device)
        return error_oom(err);
    snprintf(size, sizeof(size), "%lluK", (unsigned long long)length / 1024);
    const char *const argv[] = {"resize2fs", "-f", device, size, NULL};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv, .keep_file_sizes = true};
    struct stat before, after;
    if (stat(path, &before) < 0)
        return error_sys(err, errno, "cannot get the size of the disk");
    int r = proc_check(&options, NULL, 0, 1 << 20, resize_timeout_ms, NULL, err);
    if (r == -ENOENT)
        error_hint(err, "install e2fsprogs");
    if (r == 0 && (stat(path, &after) < 0 || after.st_size != before.st_size))
        r = error_set(err, EIO, "resize2fs changed the size of the disk");
    return r;
}

static int grow_partition(struct block *block, const char *expand, struct grow_result *ret,
                          uint64_t *ret_start, struct error **err)
{
    unsigned number = 0;
    int r = choose_partition(block, expand, &number, err);
    if (r < 0)
        return r;
    if (number == 0) {
        snprintf(ret->device, sizeof(ret->device), "/dev/sda");
        ret->length = block->size;
        *ret_start = 0;
        return 0;
    }
    snprintf(ret->device, sizeof(ret->device), "/dev/sda%u", number);
    r = partition_grow(block, number, &ret->length, err);
    if (r < 0)
        return r;
    _cleanup_partition_table_ struct partition_table table = {0};
    r = partition_table_read(block, &table, err);
    if (r < 0)
        return r;
    const struct partition *partition = partition_find(&table, number);
    if (!partition)
        return error_set(err, EIO, "%s: is gone after growing it", ret->device);
    *ret_start = partition->start;
    return 0;
}

static void warn_not_grown(const struct grow_result *result, const char *lvexpand,
                           struct reporter *reporter)
{
    if (lvexpand)
        report(reporter, REPORT_WARNING,
               "%s: the partition was grown, the logical volume %s was not; to do that in the "
               "guest: --firstboot-command 'pvresize PARTITION; lvextend -r -l +100%%FREE %s'",
               result->device, lvexpand, lvexpand);
    else
        report(reporter, REPORT_WARNING,
               "%s: the partition was grown, the file system in it was not: it is not ext2/3/4",
               result->device);
}

int build_grow(const char *path, const char *name, const struct index_entry *entry,
               struct reporter *reporter, struct grow_result *ret, struct error **err)
{
    struct grow_result result = {0};
    uint64_t start = 0;
    int fd = file_open(path, O_RDWR, 0, err);
    if (fd < 0)
        return fd;
    _cleanup_block_ struct block *block = NULL;
    int r = block_from_fd(fd, name, true, &block, err);
    if (r == 0)
        r = grow_partition(block, entry->expand, &result, &start, err);
    if (r == 0)
        r = has_ext(block, start, &result.filesystem, err);
    if (r < 0)
        return r;
    block_close(TAKE_PTR(block));
    if (result.filesystem)
        r = resize_ext(path, start, result.length, err);
    else
        warn_not_grown(&result, entry->lvexpand, reporter);
    if (r < 0)
        return error_wrap(err, "%s: cannot grow the file system on %s", name, result.device);
    *ret = result;
    return 0;
}
