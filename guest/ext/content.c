/* The contents of files: mapping of blocks, writing, giving back. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "guest/ext/hole.h"
#include "guest/ext/internal.h"

#define CHUNK      ((size_t)1 << 20)
#define EXTENT_MAX 32768u /* blocks in one initialised extent */

uint64_t ext_blocks_for(const struct ext_fs *fs, uint64_t bytes)
{
    uint64_t blocks = bytes / fs->fs->blocksize + (bytes % fs->fs->blocksize != 0);
    return blocks + blocks / 256;
}

uint64_t ext_size_max(const struct ext_fs *fs, const struct ext_inode *inode)
{
    uint64_t block = fs->fs->blocksize, each = block / 4;
    /* Contents within the inode are moved out of it when they grow. */
    bool moves =
        inode->raw->i_flags & EXT4_INLINE_DATA_FL && ext2fs_has_feature_extents(fs->fs->super);
    if (moves || inode->raw->i_flags & EXT4_EXTENTS_FL)
        return UINT32_MAX * block;
    uint64_t mapped = EXT2_NDIR_BLOCKS + each + each * each + each * each * each;
    /* Sectors are counted in 32 bits, or, with huge_file, in 48. */
    uint64_t counted = ext2fs_has_feature_huge_file(fs->fs->super) ? UINT64_MAX : UINT32_MAX;
    uint64_t limit = min_u64(mapped, UINT32_MAX) * block;
    return counted == UINT32_MAX ? min_u64(limit, (counted - 8 * each) * 512) : limit;
}

int ext_make_room(struct ext_fs *fs, uint64_t blocks, struct error **err)
{
    if (!fs->alloc || ext_alloc_available(fs->alloc) >= blocks || !ext_alloc_pending(fs->alloc))
        return 0;
    return ext_sync(fs, err);
}

int ext_content_init(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    memset(inode->raw->i_block, 0, sizeof(inode->raw->i_block));
    inode->raw->i_flags &= ~(uint32_t)(EXT4_INLINE_DATA_FL | EXT4_EXTENTS_FL);
    mode_t mode = inode->raw->i_mode;
    if (!ext2fs_has_feature_extents(fs->fs->super) || !(S_ISREG(mode) || S_ISDIR(mode)))
        return 0;
    /* libext2fs makes an empty tree where it finds all zeroes. */
    ext2_extent_handle_t handle;
    errcode_t code = ext2fs_extent_open2(fs->fs, inode->number, ext_small(inode), &handle);
    if (code)
        return ext_fail(fs, code, err, "an empty file cannot be made");
    ext2fs_extent_free(handle);
    return 0;
}

/* Writing. */

struct writer {
    struct ext_fs *fs;
    struct ext_inode *inode;
    uint64_t next; /* logical block to be written next */
    uint64_t goal;
    struct ext2fs_extent run; /* mapped next; runs that touch are joined first */
};

static errcode_t insert_extent(struct writer *writer)
{
    if (writer->run.e_len == 0)
        return 0;
    ext2_filsys fs = writer->fs->fs;
    ext2_extent_handle_t handle;
    errcode_t code =
        ext2fs_extent_open2(fs, writer->inode->number, ext_small(writer->inode), &handle);
    if (code)
        return code;
    /* Not found is expected; it leaves the handle at the extent before. */
    struct ext2fs_extent before;
    ext2fs_extent_goto(handle, writer->run.e_lblk);
    code = ext2fs_extent_get(handle, EXT2_EXTENT_CURRENT, &before);
    int flags = code ? 0 : EXT2_EXTENT_INSERT_AFTER;
    if (!code || code == EXT2_ET_NO_CURRENT_NODE)
        code = ext2fs_extent_insert(handle, flags, &writer->run);
    if (!code)
        code = ext2fs_extent_fix_parents(handle);
    ext2fs_extent_free(handle);
    writer->run.e_len = 0;
    return code;
}

static errcode_t map_extent(struct writer *writer, uint64_t start, uint32_t count)
{
    struct ext2fs_extent *run = &writer->run;
    if (run->e_len && run->e_pblk + run->e_len == start &&
        run->e_lblk + run->e_len == writer->next && run->e_len + count <= EXTENT_MAX) {
        run->e_len += count;
        return 0;
    }
    errcode_t code = insert_extent(writer);
    *run = (struct ext2fs_extent){.e_pblk = start, .e_lblk = writer->next, .e_len = count};
    return code;
}

static errcode_t map_indirect(struct writer *writer, uint64_t start, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        blk64_t block = start + i;
        if (block > UINT32_MAX)
            return EXT2_ET_FILE_TOO_BIG;
        errcode_t code =
            ext2fs_bmap2(writer->fs->fs, writer->inode->number, ext_small(writer->inode), NULL,
                         BMAP_SET | BMAP_ALLOC, writer->next + i, NULL, &block);
        if (code)
            return code;
    }
    return 0;
}

static errcode_t map(struct writer *writer, uint64_t start, uint32_t count)
{
    errcode_t code = writer->inode->raw->i_flags & EXT4_EXTENTS_FL
                         ? map_extent(writer, start, count)
                         : map_indirect(writer, start, count);
    if (code)
        return code;
    writer->next += count;
    writer->goal = start + count;
    return ext2fs_iblk_add_blocks(writer->fs->fs, ext_small(writer->inode), count);
}

/* `count` whole blocks. */
static int write_blocks(struct writer *writer, const uint8_t *data, uint64_t count,
                        struct error **err)
{
    struct ext_fs *fs = writer->fs;
    while (count > 0) {
        uint64_t start, got;
        uint64_t want = min_u64(count, EXTENT_MAX);
        ext_start(fs);
        errcode_t code = ext_alloc_run(fs->alloc, writer->goal, want, &start, &got);
        if (code)
            return ext_fail(fs, code, err, "cannot write");
        int r = ext_io_write_data(fs->fs->io, start, got, data, err);
        if (r < 0)
            return r;
        code = map(writer, start, (uint32_t)got);
        if (code)
            return ext_fail(fs, code, err, "cannot write");
        data += got * fs->fs->blocksize;
        count -= got;
    }
    return 0;
}

/* The next bytes of the contents, fewer than `room` only at their end. */
static ssize_t next_bytes(const struct ext_content *content, uint64_t done, uint8_t *buf,
                          size_t room, struct error **err)
{
    if (content->data) {
        size_t n = (size_t)min_u64(content->size - done, room);
        memcpy(buf, (const uint8_t *)content->data + done, n);
        return (ssize_t)n;
    }
    size_t n = 0;
    while (n < room) {
        ssize_t got = read(content->fd, buf + n, room - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_sys(err, errno, "cannot read the file to upload");
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

/* Steps over a hole of the file to upload, whole blocks of it, and lets *part end where the next
 * one begins. */
static int skip_hole(struct writer *writer, int fd, uint64_t *done, size_t *part,
                     struct error **err)
{
    uint64_t block = writer->fs->fs->blocksize, start, end;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at < 0)
        return 0;
    bool more = hole_find_data(fd, (uint64_t)at, &start, &end);
    uint64_t skip = more ? round_down(start - (uint64_t)at, block) : end - (uint64_t)at;
    if (skip > 0) {
        if (*done + skip > ext_size_max(writer->fs, writer->inode))
            return error_set(err, EFBIG, "is too large for the file system");
        if (lseek(fd, (off_t)skip, SEEK_CUR) < 0)
            return error_sys(err, errno, "cannot read the file to upload");
        *done += skip;
        writer->next += skip / block;
    }
    /* Whatever comes behind the end by now is not looked for. */
    uint64_t left = end == UINT64_MAX ? *part : end - (uint64_t)at - skip;
    *part = (size_t)min_u64(*part, max_u64(round_up(left, block), block));
    return 0;
}

static int write_all(struct writer *writer, const struct ext_content *content, uint64_t *ret_size,
                     struct error **err)
{
    size_t block = writer->fs->fs->blocksize;
    size_t room = CHUNK;
    if (content->data)
        room = (size_t)min_u64(CHUNK, round_up(max_u64(content->size, 1), block));
    _cleanup_free_ uint8_t *buf = malloc(room);
    if (!buf)
        return error_oom(err);
    uint64_t done = 0;
    for (;;) {
        size_t part = room;
        int r = content->data ? 0 : skip_hole(writer, content->fd, &done, &part, err);
        if (r < 0)
            return r;
        ssize_t n = next_bytes(content, done, buf, part, err);
        if (n < 0)
            return (int)n;
        size_t padded = (size_t)round_up((uint64_t)n, block);
        memset(buf + n, 0, padded - (size_t)n);
        r = write_blocks(writer, buf, padded / block, err);
        if (r < 0)
            return r;
        done += (uint64_t)n;
        if ((size_t)n < part || (content->data && done == content->size))
            break;
    }
    *ret_size = done;
    return 0;
}

int ext_content_write(struct ext_fs *fs, struct ext_inode *inode, const struct ext_content *content,
                      struct error **err)
{
    struct writer writer = {
        .fs = fs,
        .inode = inode,
        .goal = ext2fs_find_inode_goal(fs->fs, inode->number, NULL, 0),
    };
    uint64_t size = 0;
    int r = write_all(&writer, content, &size, err);
    if (r < 0)
        return r;
    errcode_t code = insert_extent(&writer);
    if (!code)
        code = ext2fs_inode_size_set(fs->fs, ext_small(inode), (ext2_off64_t)size);
    return code ? ext_fail(fs, code, err, "cannot write") : 0;
}

/* Giving back. */

struct release {
    uint64_t count;
    errcode_t code;
};

static int release_block(ext2_filsys fs, blk64_t *block, e2_blkcnt_t index, blk64_t ref_block,
                         int ref_offset, void *context)
{
    (void)index, (void)ref_block, (void)ref_offset;
    struct release *release = context;
    if (*block <= fs->super->s_first_data_block || *block >= ext2fs_blocks_count(fs->super)) {
        release->code = EXT2_ET_BAD_BLOCK_NUM;
        return BLOCK_ABORT;
    }
    ext2fs_block_alloc_stats2(fs, *block, -1);
    release->count++;
    return 0;
}

/* libext2fs's own ext2fs_punch() refuses files that reach the file system's last block. */
static int drop_blocks(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    struct release release = {0};
    ext_start_long(fs, inode->raw->i_blocks);
    errcode_t code = ext2fs_block_iterate3(fs->fs, inode->number, BLOCK_FLAG_READ_ONLY, NULL,
                                           release_block, &release);
    if (!code)
        code = release.code;
    if (!code)
        code = ext2fs_iblk_sub_blocks(fs->fs, ext_small(inode), release.count);
    return code ? ext_fail(fs, code, err, "the blocks of inode %u cannot be freed", inode->number)
                : 0;
}

/* The rest of inline data is kept among the inode's attributes. */
static int drop_inline(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    errcode_t code = ext2fs_punch(fs->fs, inode->number, ext_small(inode), NULL, 0, ~0ULL);
    if (!code)
        code = ext2fs_read_inode_full(fs->fs, inode->number, ext_small(inode), (int)inode->size);
    return code ? ext_fail(fs, code, err, "the contents of inode %u cannot be freed", inode->number)
                : 0;
}

int ext_content_drop(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    int r = 0;
    if (inode->raw->i_flags & EXT4_INLINE_DATA_FL)
        r = drop_inline(fs, inode, err);
    else if (ext2fs_inode_has_valid_blocks2(fs->fs, ext_small(inode)))
        r = drop_blocks(fs, inode, err);
    if (r == 0)
        r = ext_content_init(fs, inode, err);
    if (r < 0)
        return r;
    inode->raw->i_size = 0;
    inode->raw->i_size_high = 0;
    return ext_inode_store(fs, inode, err);
}
