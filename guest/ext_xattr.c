/* The extended attributes that the kernel changes together with something else. */
#include <errno.h>
#include <string.h>

#include "base/endian.h"
#include "guest/ext_internal.h"

#define ACCESS_ACL "system.posix_acl_access"
#define CAPABILITY "security.capability"

/* The form in which libext2fs hands out an ACL: that of getxattr(2) (linux/posix_acl_xattr.h). */
struct acl_entry {
    le16_t tag;
    le16_t permissions;
    le32_t id;
};
_Static_assert(sizeof(struct acl_entry) == 8, "layout");

#define ACL_HEADER_SIZE 4

enum acl_tag { ACL_USER_OBJ = 0x01, ACL_GROUP_OBJ = 0x04, ACL_MASK = 0x10, ACL_OTHER = 0x20 };

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

int ext_xattr_drop_capability(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    struct ext2_xattr_handle *handle;
    if (!has_attributes(fs, inode))
        return 0;
    errcode_t code = read_attributes(fs, inode, &handle);
    if (!code) {
        code = ext2fs_xattr_remove(handle, CAPABILITY);
        ext2fs_xattrs_close(&handle);
    }
    if (!code)
        code = reload(fs, inode);
    return code ? ext_fail(fs, code, err, "its attributes cannot be changed") : 0;
}

/* The mask, where there is one, stands for the group's bits of the mode. */
static void apply_mode(struct acl_entry *entries, size_t count, mode_t mode)
{
    struct acl_entry *group = NULL, *mask = NULL;
    for (size_t i = 0; i < count; i++) {
        switch (le16_get(entries[i].tag)) {
        case ACL_USER_OBJ:
            entries[i].permissions = le16_put(mode >> 6 & 7);
            break;
        case ACL_GROUP_OBJ:
            group = &entries[i];
            break;
        case ACL_MASK:
            mask = &entries[i];
            break;
        case ACL_OTHER:
            entries[i].permissions = le16_put(mode & 7);
            break;
        default:
            break;
        }
    }
    if (mask || group)
        (mask ? mask : group)->permissions = le16_put(mode >> 3 & 7);
}

static errcode_t change_acl(struct ext2_xattr_handle *handle, mode_t mode)
{
    void *value;
    size_t size;
    errcode_t code = ext2fs_xattr_get(handle, ACCESS_ACL, &value, &size);
    if (code)
        return code == EXT2_ET_EA_KEY_NOT_FOUND ? 0 : code;
    if (size > ACL_HEADER_SIZE) {
        struct acl_entry *entries = (void *)((char *)value + ACL_HEADER_SIZE);
        apply_mode(entries, (size - ACL_HEADER_SIZE) / sizeof(*entries), mode);
        code = ext2fs_xattr_set(handle, ACCESS_ACL, value, size);
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
