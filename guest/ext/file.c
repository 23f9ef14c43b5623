/* Regular files and links, as a whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/str.h"
#include "guest/ext/hole.h"
#include "guest/ext/internal.h"

#define TARGET_MAX 4095u /* of a symbolic link, in Linux */

/* `whole`: a file that is larger than max is refused, not cut. */
static int read_at_most(struct ext_fs *fs, uint32_t number, size_t max, bool whole, char **ret,
                        size_t *ret_size, struct error **err)
{
    ext_start(fs);
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    int r = ext_inode_load(fs, number, &inode, err);
    if (r < 0)
        return r;
    uint64_t size = EXT2_I_SIZE(inode.raw);
    if (whole && (size > max || size >= SIZE_MAX))
        return error_set(err, EFBIG, "is larger than the %zu bytes allowed", max);
    size = min_u64(size, max);
    _cleanup_free_ char *data = malloc((size_t)size + 1);
    if (!data)
        return error_oom(err);
    r = ext_content_read(fs, &inode, data, (size_t)size, err);
    if (r < 0)
        return r;
    data[size] = '\0';
    *ret = TAKE_PTR(data);
    *ret_size = (size_t)size;
    return 0;
}

int ext_read(struct ext_fs *fs, uint32_t number, size_t max, char **ret, size_t *ret_size,
             struct error **err)
{
    return read_at_most(fs, number, max, true, ret, ret_size, err);
}

int ext_read_head(struct ext_fs *fs, uint32_t number, size_t max, char **ret, size_t *ret_size,
                  struct error **err)
{
    return read_at_most(fs, number, max, false, ret, ret_size, err);
}

int ext_readlink(struct ext_fs *fs, uint32_t number, char **ret, struct error **err)
{
    ext_start(fs);
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    int r = ext_inode_load(fs, number, &inode, err);
    if (r < 0)
        return r;
    if (!S_ISLNK(inode.raw->i_mode))
        return error_set(err, EINVAL, "is not a symbolic link");
    uint64_t size = EXT2_I_SIZE(inode.raw);
    if (size == 0 || size > TARGET_MAX)
        return error_set(err, EUCLEAN, "%s is damaged: a link's target has %llu bytes", fs->name,
                         (unsigned long long)size);
    _cleanup_free_ char *target = calloc(1, (size_t)size + 1);
    if (!target)
        return error_oom(err);
    bool in_inode = size < sizeof(inode.raw->i_block) &&
                    !(inode.raw->i_flags & (EXT4_INLINE_DATA_FL | EXT4_ENCRYPT_FL));
    if (in_inode)
        memcpy(target, inode.raw->i_block, (size_t)size);
    else
        r = ext_content_read(fs, &inode, target, (size_t)size, err);
    if (r < 0)
        return r;
    if (*target == '\0')
        return error_set(err, EUCLEAN, "%s is damaged: a link's target is empty", fs->name);
    *ret = TAKE_PTR(target);
    return 0;
}

/* Bytes that must be free for the contents, as far as that can be known. */
static uint64_t size_of(const struct ext_content *content)
{
    return content->data ? content->size : hole_count_data(content->fd);
}

static int no_space(struct ext_fs *fs, uint64_t bytes, struct error **err)
{
    char needs[16], has[16];
    error_set(err, ENOSPC, "needs %s, but %s has only %s left", format_size(bytes, needs), fs->name,
              format_size(ext_free(fs), has));
    return error_hint(err, "enlarge the image, for instance with --size");
}

/* Blocks that a file's contents hold now. */
static uint64_t blocks_held(const struct ext_fs *fs, const struct ext_inode *inode)
{
    uint64_t sectors = inode->raw->i_blocks;
    return sectors / (fs->fs->blocksize / 512);
}

static int empty_file(struct ext_fs *fs, uint32_t number, struct error **err)
{
    int r = ext_begin(fs, err);
    if (r < 0)
        return r;
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = ext_inode_load(fs, number, &inode, err);
    if (r == 0)
        r = ext_content_drop(fs, &inode, err);
    r = ext_finish(fs, r, err);
    return r < 0 ? r : ext_sync(fs, err);
}

/*
 * Sees to the room that new contents need beside the old ones. Where there is not enough, but would
 * be without the old ones, these go first: the one case in which a failure can cost the old
 * contents.
 */
static int make_room_for(struct ext_fs *fs, uint32_t number, const struct ext_inode *inode,
                         uint64_t bytes, struct error **err)
{
    uint64_t need = ext_blocks_for(fs, bytes);
    int r = ext_make_room(fs, need, err);
    if (r < 0 || !fs->alloc || ext_alloc_available(fs->alloc) >= need)
        return r;
    if (inode && ext_alloc_available(fs->alloc) + blocks_held(fs, inode) >= need)
        return empty_file(fs, number, err);
    return no_space(fs, bytes, err);
}

int ext_reserve(struct ext_fs *fs, const struct ext_content *content, struct error **err)
{
    return make_room_for(fs, 0, NULL, size_of(content), err);
}

int ext_replace(struct ext_fs *fs, uint32_t number, const struct ext_content *content,
                struct error **err)
{
    _cleanup_ext_inode_ struct ext_inode now = {0}, inode = {0};
    ext_start(fs);
    int r = ext_inode_load_for_change(fs, number, &now, err);
    if (r == 0)
        r = make_room_for(fs, number, &now, size_of(content), err);
    if (r == 0)
        r = ext_begin(fs, err);
    if (r < 0)
        return r;
    r = ext_inode_load_for_change(fs, number, &inode, err);
    if (r == 0)
        r = ext_content_drop(fs, &inode, err);
    if (r == 0)
        r = ext_xattr_drop_capability(fs, &inode, err);
    if (r == 0)
        r = ext_content_write(fs, &inode, content, err);
    if (r == 0) {
        ext_inode_touch(&inode, EXT_TOUCH_MODIFY);
        r = ext_inode_store(fs, &inode, err);
    }
    return ext_finish(fs, r, err);
}
