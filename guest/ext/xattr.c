/* Extended attributes: reading and changing them, also together with something else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "guest/ext/acl.h"
#include "guest/ext/internal.h"

#define CAPABILITY "security.capability"
#define VALUE_MAX  65536u /* bytes, in Linux */

/* Whether the inode can have attributes at all: most have none, and need not be looked at. */
static bool has_attributes(struct ext_fs *fs, const struct ext_inode *inode)
{
    if (ext2fs_file_acl_block(fs->fs, ext_small(inode)))
        return true;
    size_t at = EXT2_GOOD_OLD_INODE_SIZE + (size_t)inode->raw->i_extra_isize;
    uint32_t magic;
    if (inode->size <= EXT2_GOOD_OLD_INODE_SIZE || at + sizeof(magic) > inode->size)
        return false;
    memcpy(&magic, (const char *)inode->raw + at, sizeof(magic));
    return magic == EXT2_EXT_ATTR_MAGIC;
}

static errcode_t read_attributes(struct ext_fs *fs, const struct ext_inode *inode,
                                 struct ext2_xattr_handle **ret)
{
    errcode_t code = ext2fs_xattrs_open(fs->fs, inode->number, ret);
    if (code)
        return code;
    code = ext2fs_xattrs_read(*ret);
    if (code)
        ext2fs_xattrs_close(ret);
    return code;
}

/* The attributes lie in the inode as well: the copy in memory must follow. */
static errcode_t reload(struct ext_fs *fs, struct ext_inode *inode)
{
    return ext2fs_read_inode_full(fs->fs, inode->number, ext_small(inode), (int)inode->size);
}

/* libext2fs keeps a block whose last attribute has gone. */
static errcode_t drop_empty_block(struct ext_fs *fs, struct ext_inode *inode)
{
    blk64_t block = ext2fs_file_acl_block(fs->fs, ext_small(inode));
    if (!block)
        return 0;
    _cleanup_free_ char *buf = malloc(fs->fs->blocksize);
    if (!buf)
        return EXT2_ET_NO_MEMORY;
    errcode_t code = ext2fs_read_ext_attr3(fs->fs, block, buf, inode->number);
    if (code)
        return code;
    uint32_t first;
    memcpy(&first, buf + sizeof(struct ext2_ext_attr_header), sizeof(first));
    return first ? 0 : ext2fs_free_ext_attr(fs->fs, inode->number, inode->raw);
}

/* The inode is then as it is to be stored. */
static errcode_t remove_attribute(struct ext_fs *fs, struct ext_inode *inode, const char *name)
{
    struct ext2_xattr_handle *handle;
    if (!has_attributes(fs, inode))
        return 0;
    errcode_t code = read_attributes(fs, inode, &handle);
    if (!code) {
        code = ext2fs_xattr_remove(handle, name);
        ext2fs_xattrs_close(&handle);
    }
    if (!code)
        code = reload(fs, inode);
    return code ? code : drop_empty_block(fs, inode);
}

int ext_xattr_drop_capability(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    errcode_t code = remove_attribute(fs, inode, CAPABILITY);
    return code ? ext_fail(fs, code, err, "its attributes cannot be changed") : 0;
}

static errcode_t change_acl(struct ext2_xattr_handle *handle, mode_t mode)
{
    void *value;
    size_t size;
    errcode_t code = ext2fs_xattr_get(handle, EXT_ACL_ACCESS, &value, &size);
    if (code)
        return code == EXT2_ET_EA_KEY_NOT_FOUND ? 0 : code;
    if (ext_acl_count(size) > 0) {
        ext_acl_apply_mode(value, size, mode);
        code = ext2fs_xattr_set(handle, EXT_ACL_ACCESS, value, size);
    }
    ext2fs_free_mem(&value);
    return code;
}

int ext_xattr_chmod(struct ext_fs *fs, struct ext_inode *inode, mode_t mode, struct error **err)
{
    struct ext2_xattr_handle *handle;
    if (!has_attributes(fs, inode))
        return 0;
    errcode_t code = read_attributes(fs, inode, &handle);
    if (!code) {
        code = change_acl(handle, mode);
        ext2fs_xattrs_close(&handle);
    }
    if (!code)
        code = reload(fs, inode);
    return code ? ext_fail(fs, code, err, "its access control list cannot be changed") : 0;
}

/* Whether ext4 knows the name; those that it keeps for itself are not among them. */
static bool is_known(const char *name)
{
    static const char *const spaces[] = {"user.", "trusted.", "security."};
    for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
        if (str_starts(name, spaces[i]) && name[strlen(spaces[i])])
            return true;
    return strcmp(name, EXT_ACL_ACCESS) == 0 || strcmp(name, EXT_ACL_DEFAULT) == 0;
}

/* Listing. */

struct xattr_listing {
    struct ext2_xattr_handle *handle;
    guest_xattr_fn *attribute;
    void *context;
    errcode_t code;
    int r;
};

static int list_attribute(char *name, char *raw, size_t raw_size, void *context)
{
    (void)raw, (void)raw_size;
    struct xattr_listing *listing = context;
    void *value;
    size_t size;
    if (!is_known(name))
        return 0;
    /* Once more by name: lists are converted only so. */
    listing->code = ext2fs_xattr_get(listing->handle, name, &value, &size);
    if (listing->code)
        return XATTR_ABORT;
    listing->r = listing->attribute(listing->context, name, value, size);
    ext2fs_free_mem(&value);
    return listing->r < 0 ? XATTR_ABORT : 0;
}

int ext_list_xattrs(struct ext_fs *fs, uint32_t number, guest_xattr_fn *attribute, void *context,
                    struct error **err)
{
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    struct xattr_listing listing = {.attribute = attribute, .context = context};
    ext_start(fs);
    int r = ext_inode_load(fs, number, &inode, err);
    if (r < 0 || !has_attributes(fs, &inode))
        return r;
    errcode_t code = read_attributes(fs, &inode, &listing.handle);
    if (code == EXT2_ET_MISSING_EA_FEATURE)
        return 0;
    if (!code) {
        code = ext2fs_xattrs_iterate(listing.handle, list_attribute, &listing);
        ext2fs_xattrs_close(&listing.handle);
    }
    if (!code)
        code = listing.code;
    return code ? ext_fail(fs, code, err, "its attributes cannot be read") : listing.r;
}

/* Setting. */

/* What the kernel says about an attribute of such an object. */
static int check_place(const struct ext_inode *inode, const char *name, bool removing,
                       struct error **err)
{
    mode_t mode = inode->raw->i_mode;
    bool acl = str_starts(name, "system.posix_acl_");
    if (str_ends(name, ".") && !acl)
        return error_set(err, EINVAL, "an extended attribute's name is not valid");
    if (!is_known(name) || (acl && S_ISLNK(mode)))
        return error_set(err, EOPNOTSUPP, "cannot have the attribute %s", name);
    if (str_starts(name, "user.") && !S_ISREG(mode) && !S_ISDIR(mode))
        return error_set(err, EPERM, "only files and directories can have the attribute %s", name);
    if (strcmp(name, EXT_ACL_DEFAULT) == 0 && !S_ISDIR(mode) && !removing)
        return error_set(err, EACCES, "only directories can have the attribute %s", name);
    return 0;
}

/* An access list changes the mode as well; where the mode can say it all, that is all it changes.
 * *keep: whether the list itself is to be kept. */
static int settle_acl(struct ext_inode *inode, const char *name, const void *value, size_t size,
                      bool *keep, struct error **err)
{
    bool access = strcmp(name, EXT_ACL_ACCESS) == 0;
    *keep = true;
    if (!access && strcmp(name, EXT_ACL_DEFAULT) != 0)
        return 0;
    int r = ext_acl_check(value, size, err);
    if (r < 0)
        return r;
    *keep = ext_acl_count(size) > 0;
    if (access && *keep) {
        mode_t mode = inode->raw->i_mode;
        *keep = !ext_acl_to_mode(value, size, &mode);
        inode->raw->i_mode = (uint16_t)mode;
    }
    return 0;
}

static errcode_t set_attribute(struct ext_fs *fs, struct ext_inode *inode, const char *name,
                               const void *value, size_t size)
{
    struct ext2_xattr_handle *handle;
    if (!ext2fs_has_feature_xattr(fs->fs->super)) {
        ext2fs_set_feature_xattr(fs->fs->super);
        ext2fs_mark_super_dirty(fs->fs);
    }
    errcode_t code = read_attributes(fs, inode, &handle);
    if (code)
        return code;
    code = ext2fs_xattr_set(handle, name, value, size);
    ext2fs_xattrs_close(&handle);
    if (!code)
        code = reload(fs, inode);
    return code ? code : drop_empty_block(fs, inode);
}

static int change_attribute(struct ext_fs *fs, struct ext_inode *inode, const char *name,
                            const void *value, size_t size, struct error **err)
{
    bool keep = value != NULL;
    int r = check_place(inode, name, !value, err);
    if (r == 0 && value)
        r = settle_acl(inode, name, value, size, &keep, err);
    if (r < 0)
        return r;
    /* What follows reads the inode anew. */
    mode_t mode = inode->raw->i_mode;
    errcode_t code =
        keep ? set_attribute(fs, inode, name, value, size) : remove_attribute(fs, inode, name);
    if (code == EXT2_ET_EA_NO_SPACE)
        return error_set(err, ENOSPC, "the attribute %s does not fit", name);
    if (code)
        return ext_fail(fs, code, err, "the attribute %s cannot be changed", name);
    inode->raw->i_mode = (uint16_t)mode;
    ext_inode_touch(inode, EXT_TOUCH_CHANGE);
    return ext_inode_store(fs, inode, err);
}

int ext_set_xattr(struct ext_fs *fs, uint32_t number, const char *name, const void *value,
                  size_t size, struct error **err)
{
    if (size > VALUE_MAX)
        return error_set(err, E2BIG, "the value of %s is too large", name);
    int r = ext_make_room(fs, 1, err);
    if (r == 0)
        r = ext_begin(fs, err);
    if (r < 0)
        return r;
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = ext_inode_load_for_change(fs, number, &inode, err);
    if (r == 0)
        r = change_attribute(fs, &inode, name, value, size, err);
    return ext_finish(fs, r, err);
}
