/* Changing the contents of files in part. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "guest/ext/internal.h"

#define CHUNK ((size_t)1 << 20)

/* Gives `count` blocks back. */
static errcode_t release_run(struct ext_fs *fs, struct ext_inode *inode, uint64_t start,
                             uint64_t count)
{
    uint64_t first = fs->fs->super->s_first_data_block + 1,
             end = ext2fs_blocks_count(fs->fs->super);
    if (start < first || !range_within(start, count, end))
        return EXT2_ET_BAD_BLOCK_NUM;
    for (uint64_t i = 0; i < count; i++)
        ext2fs_block_alloc_stats2(fs->fs, start + i, -1);
    return ext2fs_iblk_sub_blocks(fs->fs, ext_small(inode), count);
}

/* Shortens or deletes the last extent where it reaches beyond the first `keep` blocks. *done: it
 * does not, or there is none. */
static errcode_t cut_last_extent(struct ext_fs *fs, struct ext_inode *inode,
                                 ext2_extent_handle_t handle, uint64_t keep, bool *done)
{
    struct ext2fs_extent extent;
    errcode_t code = ext2fs_extent_get(handle, EXT2_EXTENT_ROOT, &extent);
    *done = code == EXT2_ET_EXTENT_NO_NEXT;
    if (*done)
        return 0;
    if (!code)
        code = ext2fs_extent_get(handle, EXT2_EXTENT_LAST_LEAF, &extent);
    if (code)
        return code;
    *done = extent.e_lblk + extent.e_len <= keep;
    if (*done)
        return 0;
    uint64_t kept = keep > extent.e_lblk ? keep - extent.e_lblk : 0;
    code = release_run(fs, inode, extent.e_pblk + kept, extent.e_len - kept);
    if (code)
        return code;
    extent.e_len = (uint32_t)kept;
    return kept > 0 ? ext2fs_extent_replace(handle, 0, &extent) : ext2fs_extent_delete(handle, 0);
}

static errcode_t cut_extents(struct ext_fs *fs, struct ext_inode *inode, uint64_t keep)
{
    ext2_extent_handle_t handle;
    errcode_t code = ext2fs_extent_open2(fs->fs, inode->number, ext_small(inode), &handle);
    if (code)
        return code;
    for (bool done = false; !code && !done;)
        code = cut_last_extent(fs, inode, handle, keep, &done);
    ext2fs_extent_free(handle);
    return code;
}

static int cut_blocks(struct ext_fs *fs, struct ext_inode *inode, uint64_t keep, struct error **err)
{
    errcode_t code = 0;
    ext_start_long(fs, inode->raw->i_blocks);
    if (inode->raw->i_flags & EXT4_EXTENTS_FL)
        code = cut_extents(fs, inode, keep);
    else if (keep < UINT32_MAX)
        /* libext2fs adds start and count in 32 bits. */
        code = ext2fs_punch(fs->fs, inode->number, ext_small(inode), NULL, keep, UINT32_MAX - 1);
    return code ? ext_fail(fs, code, err, "the blocks of inode %u cannot be freed", inode->number)
                : 0;
}

/* What lies behind the end of a file in its last block would come to light when it grows. */
static int clear_tail(struct ext_fs *fs, struct ext_inode *inode, uint64_t end, struct error **err)
{
    size_t block = fs->fs->blocksize, used = (size_t)(end % block);
    uint64_t start = 0, count;
    int r = used ? ext_content_run(fs, inode, end / block, 1, &start, &count, err) : 0;
    if (r < 0 || !start)
        return r;
    _cleanup_free_ char *buf = malloc(block);
    if (!buf)
        return error_oom(err);
    errcode_t code = io_channel_read_blk64(fs->fs->io, start, 1, buf);
    if (!code) {
        memset(buf + used, 0, block - used);
        code = io_channel_write_blk64(fs->fs->io, start, 1, buf);
    }
    return code ? ext_fail(fs, code, err, "the last block cannot be written") : 0;
}

/* Contents within the inode are few: they are written anew, where they can grow. */
static int move_out(struct ext_fs *fs, struct ext_inode *inode, uint64_t keep, struct error **err)
{
    if (keep > fs->fs->blocksize)
        return error_set(err, EUCLEAN, "%s is damaged: inode %u cannot hold its contents", fs->name,
                         inode->number);
    _cleanup_free_ char *data = malloc((size_t)keep + 1);
    if (!data)
        return error_oom(err);
    int r = ext_content_read(fs, inode, data, (size_t)keep, err);
    if (r == 0)
        r = ext_content_drop(fs, inode, err);
    struct ext_content content = {.data = data, .size = (size_t)keep, .fd = -1};
    return r < 0 ? r : ext_content_write(fs, inode, &content, err);
}

static int resize(struct ext_fs *fs, struct ext_inode *inode, uint64_t size, struct error **err)
{
    uint64_t now = EXT2_I_SIZE(inode->raw), block = fs->fs->blocksize;
    uint64_t end = min_u64(now, size);
    int r = 0;
    if (inode->raw->i_flags & EXT4_INLINE_DATA_FL) {
        r = move_out(fs, inode, end, err);
    } else {
        if (size < now)
            r = cut_blocks(fs, inode, size / block + (size % block != 0), err);
        if (r == 0)
            r = clear_tail(fs, inode, end, err);
    }
    if (r < 0)
        return r;
    errcode_t code = ext2fs_inode_size_set(fs->fs, ext_small(inode), (ext2_off64_t)size);
    return code ? ext_fail(fs, code, err, "its size cannot be changed") : 0;
}

int ext_truncate(struct ext_fs *fs, uint32_t number, uint64_t size, struct error **err)
{
    int r = ext_make_room(fs, 2, err);
    if (r == 0)
        r = ext_begin(fs, err);
    if (r < 0)
        return r;
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = ext_inode_load_for_change(fs, number, &inode, err);
    if (r == 0 && size > ext_size_max(fs, &inode))
        r = error_set(err, EFBIG, "a file of this size does not fit the file system");
    if (r == 0)
        r = ext_xattr_drop_capability(fs, &inode, err);
    if (r == 0)
        r = resize(fs, &inode, size, err);
    if (r == 0) {
        ext_inode_touch(&inode, EXT_TOUCH_MODIFY);
        r = ext_inode_store(fs, &inode, err);
    }
    return ext_finish(fs, r, err);
}

/* Overwriting. */

static int overwrite_blocks(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    size_t block = fs->fs->blocksize;
    uint64_t size = EXT2_I_SIZE(inode->raw), all = size / block + (size % block != 0);
    _cleanup_free_ void *zeroes = calloc(1, CHUNK);
    if (!zeroes)
        return error_oom(err);
    for (uint64_t at = 0, runs = 0; at < all;) {
        uint64_t start = 0, count = 0;
        ext_start(fs);
        int r = ext_content_count_run(fs, &runs, err);
        if (r == 0)
            r = ext_content_run(fs, inode, at, all - at, &start, &count, err);
        if (r == 0 && start) {
            count = min_u64(count, CHUNK / block);
            r = ext_io_write_data(fs->fs->io, start, count, zeroes, err);
        }
        if (r < 0)
            return r;
        at += count;
    }
    return 0;
}

static int overwrite_inline(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    size_t held;
    errcode_t code = ext2fs_inline_data_size(fs->fs, inode->number, &held);
    _cleanup_free_ void *zeroes = code ? NULL : calloc(1, held + 1);
    if (!code && !zeroes)
        return error_oom(err);
    if (!code)
        code = ext2fs_inline_data_set(fs->fs, inode->number, ext_small(inode), zeroes, held);
    if (!code)
        code = ext2fs_read_inode_full(fs->fs, inode->number, ext_small(inode), (int)inode->size);
    return code ? ext_fail(fs, code, err, "its contents cannot be overwritten") : 0;
}

int ext_overwrite(struct ext_fs *fs, uint32_t number, struct error **err)
{
    int r = ext_begin(fs, err);
    if (r < 0)
        return r;
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = ext_inode_load_for_change(fs, number, &inode, err);
    if (r == 0)
        r = inode.raw->i_flags & EXT4_INLINE_DATA_FL ? overwrite_inline(fs, &inode, err)
                                                     : overwrite_blocks(fs, &inode, err);
    if (r == 0) {
        ext_inode_touch(&inode, EXT_TOUCH_MODIFY);
        r = ext_inode_store(fs, &inode, err);
    }
    return ext_finish(fs, r, err);
}
