/* Reading the contents of files. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/endian.h"
#include "guest/ext/internal.h"
#include "guest/sink.h"

#define CHUNK ((size_t)1 << 20)

/* How far a hole that begins at logical block `at` reaches, the handle being at the extent before
 * it, or, where there is none, at the first one. */
static errcode_t measure_hole(ext2_extent_handle_t handle, uint64_t at, uint64_t *ret_count)
{
    struct ext2fs_extent extent;
    errcode_t code = ext2fs_extent_get(handle, EXT2_EXTENT_CURRENT, &extent);
    if (!code && extent.e_lblk <= at)
        code = ext2fs_extent_get(handle, EXT2_EXTENT_NEXT_LEAF, &extent);
    *ret_count = UINT64_MAX;
    if (code == EXT2_ET_EXTENT_NO_NEXT || code == EXT2_ET_NO_CURRENT_NODE)
        return 0;
    if (!code)
        *ret_count = extent.e_lblk > at ? extent.e_lblk - at : 1;
    return code;
}

/* The part of an extent, or of a hole, that begins at logical block `at`. */
static errcode_t find_in_extents(struct ext_fs *fs, struct ext_inode *inode, uint64_t at,
                                 uint64_t *ret_start, uint64_t *ret_count)
{
    ext2_extent_handle_t handle;
    struct ext2fs_extent extent;
    errcode_t code = ext2fs_extent_open2(fs->fs, inode->number, ext_small(inode), &handle);
    if (code)
        return code;
    *ret_start = 0;
    code = ext2fs_extent_goto(handle, at);
    if (code == EXT2_ET_EXTENT_NOT_FOUND || code == EXT2_ET_NO_CURRENT_NODE) {
        code = measure_hole(handle, at, ret_count);
    } else if (!code) {
        code = ext2fs_extent_get(handle, EXT2_EXTENT_CURRENT, &extent);
        if (!code && (at < extent.e_lblk || at - extent.e_lblk >= extent.e_len))
            code = EXT2_ET_EXTENT_HEADER_BAD;
        if (!code) {
            uint64_t skip = at - extent.e_lblk;
            *ret_count = extent.e_len - skip;
            if (!(extent.e_flags & EXT2_EXTENT_FLAGS_UNINIT))
                *ret_start = extent.e_pblk + skip;
        }
    }
    ext2fs_extent_free(handle);
    return code;
}

/* How far a hole reaches that begins at logical block `at`, as far as whole blocks of block numbers
 * are missing; 1 where none is. The layout: Linux Documentation/filesystems/ext4, "Direct/Indirect
 * Block Addressing". */
static errcode_t skip_missing(struct ext_fs *fs, const struct ext_inode *inode, uint64_t at,
                              uint8_t *buf, uint64_t *ret_count)
{
    uint64_t each = fs->fs->blocksize / 4, unit = each;
    unsigned slot = EXT2_IND_BLOCK;
    *ret_count = 1;
    if (at < EXT2_NDIR_BLOCKS)
        return 0;
    for (at -= EXT2_NDIR_BLOCKS; at >= unit; slot++, unit *= each) {
        if (slot == EXT2_TIND_BLOCK)
            return EXT2_ET_FILE_TOO_BIG;
        at -= unit;
    }
    uint32_t block = inode->raw->i_block[slot];
    while (block && unit > each) {
        errcode_t code = io_channel_read_blk64(fs->fs->io, block, 1, buf);
        if (code)
            return code;
        unit /= each;
        uint64_t entry = at / unit % each;
        le32_t number;
        memcpy(&number, buf + entry * sizeof(number), sizeof(number));
        block = le32_get(number);
    }
    if (!block)
        *ret_count = unit - at % unit;
    return 0;
}

static errcode_t find_by_block(struct ext_fs *fs, struct ext_inode *inode, uint64_t at,
                               uint64_t limit, uint64_t *ret_start, uint64_t *ret_count)
{
    uint64_t count = 0;
    limit = min_u64(limit, CHUNK / 1024);
    while (count < limit) {
        blk64_t block;
        errcode_t code = ext2fs_bmap2(fs->fs, inode->number, ext_small(inode), NULL, 0, at + count,
                                      NULL, &block);
        if (code)
            return code;
        if (count == 0)
            *ret_start = block;
        else if (block != (*ret_start ? *ret_start + count : 0))
            break;
        count++;
    }
    *ret_count = count;
    if (*ret_start || count < limit)
        return 0;
    /* All of it a hole: perhaps much more is. */
    _cleanup_free_ uint8_t *buf = malloc(fs->fs->blocksize);
    if (!buf)
        return EXT2_ET_NO_MEMORY;
    uint64_t more;
    errcode_t code = skip_missing(fs, inode, at, buf, &more);
    *ret_count = max_u64(count, more);
    return code;
}

int ext_content_run(struct ext_fs *fs, struct ext_inode *inode, uint64_t at, uint64_t limit,
                    uint64_t *ret_start, uint64_t *ret_count, struct error **err)
{
    errcode_t code = inode->raw->i_flags & EXT4_EXTENTS_FL
                         ? find_in_extents(fs, inode, at, ret_start, ret_count)
                         : find_by_block(fs, inode, at, limit, ret_start, ret_count);
    if (code)
        return ext_fail(fs, code, err, "cannot read");
    *ret_count = min_u64(*ret_count, limit);
    return 0;
}

int ext_content_count_run(const struct ext_fs *fs, uint64_t *runs, struct error **err)
{
    if (++*runs <= 2 * ext2fs_blocks_count(fs->fs->super) + 1000)
        return 0;
    return error_set(err, EUCLEAN, "%s is damaged: a file has more parts than there is room for",
                     fs->name);
}

static int read_inline(struct ext_fs *fs, struct ext_inode *inode, void *buf, size_t size,
                       struct error **err)
{
    size_t held;
    errcode_t code = ext2fs_inline_data_size(fs->fs, inode->number, &held);
    _cleanup_free_ uint8_t *data = code ? NULL : calloc(1, held + 1);
    if (!code && !data)
        return error_oom(err);
    if (!code)
        code = ext2fs_inline_data_get(fs->fs, inode->number, ext_small(inode), data, &held);
    if (code)
        return ext_fail(fs, code, err, "cannot read");
    memset(buf, 0, size);
    memcpy(buf, data, size < held ? size : held);
    return 0;
}

/* Whole blocks go straight to where they are wanted; the last one may be wanted in part. */
static int read_run(struct ext_fs *fs, uint64_t start, uint64_t count, uint8_t *out, size_t room,
                    struct error **err)
{
    size_t block = fs->fs->blocksize;
    uint64_t whole = min_u64(count, room / block);
    int r = whole ? ext_io_read_data(fs->fs->io, start, whole, out, err) : 0;
    if (r < 0 || whole == count)
        return r;
    _cleanup_free_ uint8_t *last = malloc(block);
    if (!last)
        return error_oom(err);
    r = ext_io_read_data(fs->fs->io, start + whole, 1, last, err);
    if (r == 0)
        memcpy(out + whole * block, last, room - whole * block);
    return r;
}

static int check_readable(const struct ext_inode *inode, struct error **err)
{
    if (inode->raw->i_flags & (EXT4_ENCRYPT_FL | EXT2_COMPRBLK_FL))
        return error_set(err, EOPNOTSUPP, "it is encrypted or compressed");
    return 0;
}

int ext_content_read(struct ext_fs *fs, struct ext_inode *inode, void *buf, size_t size,
                     struct error **err)
{
    int r = check_readable(inode, err);
    if (r < 0)
        return r;
    if (inode->raw->i_flags & EXT4_INLINE_DATA_FL)
        return read_inline(fs, inode, buf, size, err);
    size_t block = fs->fs->blocksize;
    uint8_t *out = buf;
    for (uint64_t at = 0; size > 0;) {
        uint64_t start = 0;
        uint64_t count = 0, left = size / block + (size % block != 0);
        ext_start(fs);
        r = ext_content_run(fs, inode, at, min_u64(left, CHUNK / block), &start, &count, err);
        if (r < 0)
            return r;
        size_t bytes = (size_t)min_u64(count * block, size);
        if (start)
            r = read_run(fs, start, count, out, bytes, err);
        else
            memset(out, 0, bytes);
        if (r < 0)
            return r;
        at += count;
        out += bytes;
        size -= bytes;
    }
    return 0;
}

/* Part of a file that is mapped: `bytes` of it from block `start` on. */
static int send_run(struct ext_fs *fs, uint64_t start, uint64_t bytes, uint8_t *buf,
                    struct sink *sink, struct error **err)
{
    size_t block = fs->fs->blocksize;
    uint64_t count = bytes / block + (bytes % block != 0);
    int r = ext_io_read_data(fs->fs->io, start, count, buf, err);
    return r < 0 ? r : sink_data(sink, buf, (size_t)bytes, err);
}

static int send_all(struct ext_fs *fs, struct ext_inode *inode, uint8_t *buf, struct sink *sink,
                    struct error **err)
{
    size_t block = fs->fs->blocksize;
    uint64_t left = EXT2_I_SIZE(inode->raw), runs = 0;
    for (uint64_t at = 0; left > 0;) {
        uint64_t start = 0, count = 0, blocks = left / block + (left % block != 0);
        ext_start(fs);
        int r = ext_content_count_run(fs, &runs, err);
        if (r == 0)
            r = ext_content_run(fs, inode, at, blocks, &start, &count, err);
        if (r < 0)
            return r;
        if (start)
            count = min_u64(count, CHUNK / block);
        uint64_t bytes = count == blocks ? left : count * block;
        r = start ? send_run(fs, start, bytes, buf, sink, err) : sink_zeroes(sink, bytes, err);
        if (r < 0)
            return r;
        at += count;
        left -= bytes;
    }
    return sink_end(sink, err);
}

static int send_inline(struct ext_fs *fs, struct ext_inode *inode, struct sink *sink,
                       struct error **err)
{
    uint64_t size = EXT2_I_SIZE(inode->raw);
    if (size > fs->fs->blocksize)
        return error_set(err, EUCLEAN, "%s is damaged: inode %u cannot hold its contents", fs->name,
                         inode->number);
    _cleanup_free_ uint8_t *data = malloc((size_t)size + 1);
    if (!data)
        return error_oom(err);
    int r = read_inline(fs, inode, data, (size_t)size, err);
    return r < 0 ? r : sink_data(sink, data, (size_t)size, err);
}

int ext_download(struct ext_fs *fs, uint32_t number, int fd, struct error **err)
{
    struct sink sink;
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    sink_open(fd, &sink);
    ext_start(fs);
    int r = ext_inode_load(fs, number, &inode, err);
    if (r == 0)
        r = check_readable(&inode, err);
    if (r < 0)
        return r;
    if (inode.raw->i_flags & EXT4_INLINE_DATA_FL)
        return send_inline(fs, &inode, &sink, err);
    _cleanup_free_ uint8_t *buf = malloc(CHUNK);
    return buf ? send_all(fs, &inode, buf, &sink, err) : error_oom(err);
}
