/* Inodes: reading them with suspicion, making, changing and giving them up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "guest/ext/internal.h"

/* Contents or entries of these are not plain bytes, or are not for us to change. */
#define STRANGE_FLAGS                                                                              \
    (EXT2_COMPRBLK_FL | EXT4_ENCRYPT_FL | EXT4_VERITY_FL | EXT4_EA_INODE_FL | EXT4_SNAPFILE_FL |   \
     EXT4_CASEFOLD_FL)

void ext_inode_free(struct ext_inode *inode)
{
    free(inode->raw);
    inode->raw = NULL;
}

static int allocate(struct ext_fs *fs, ext2_ino_t number, struct ext_inode *ret, struct error **err)
{
    size_t size = EXT2_INODE_SIZE(fs->fs->super);
    size_t room = size < sizeof(struct ext2_inode_large) ? sizeof(struct ext2_inode_large) : size;
    *ret = (struct ext_inode){.number = number, .size = size, .raw = calloc(1, room)};
    return ret->raw ? 0 : error_oom(err);
}

static bool known_type(mode_t mode)
{
    return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISBLK(mode) || S_ISCHR(mode) ||
           S_ISFIFO(mode) || S_ISSOCK(mode);
}

int ext_inode_load(struct ext_fs *fs, ext2_ino_t number, struct ext_inode *ret, struct error **err)
{
    if (number != EXT2_ROOT_INO && number < EXT2_FIRST_INODE(fs->fs->super))
        return error_set(err, EUCLEAN, "a directory names the reserved inode %u", number);
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    int r = allocate(fs, number, &inode, err);
    if (r < 0)
        return r;
    errcode_t code =
        ext2fs_read_inode_full(fs->fs, number, (struct ext2_inode *)inode.raw, (int)inode.size);
    if (code)
        return ext_fail(fs, code, err, "inode %u cannot be read", number);
    if (inode.raw->i_links_count == 0 || inode.raw->i_dtime != 0 || !known_type(inode.raw->i_mode))
        return error_set(err, EUCLEAN, "a directory names inode %u, which is not in use", number);
    *ret = inode;
    inode.raw = NULL;
    return 0;
}

int ext_inode_store(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    errcode_t code =
        ext2fs_write_inode_full(fs->fs, inode->number, ext_small(inode), (int)inode->size);
    return code ? ext_fail(fs, code, err, "inode %u cannot be written", inode->number) : 0;
}

/* Whether the inode has room for a field of the extra part and uses it. */
#define HAS_EXTRA(inode, field)                                                                    \
    ((inode)->size >= offsetof(struct ext2_inode_large, field) + sizeof((inode)->raw->field) &&    \
     (inode)->raw->i_extra_isize + (size_t)EXT2_GOOD_OLD_INODE_SIZE >=                             \
         offsetof(struct ext2_inode_large, field) + sizeof((inode)->raw->field))

/* The extra part of a time: two more bits for the seconds; the nanoseconds stay zero. */
static uint32_t epoch_of(int64_t seconds)
{
    return (uint32_t)((seconds - (int32_t)seconds) >> 32) & EXT4_EPOCH_MASK;
}

void ext_inode_touch(struct ext_inode *inode, unsigned what)
{
    int64_t now = clock_build_time();
    if (what & EXT_TOUCH_MODIFY) {
        inode->raw->i_mtime = (uint32_t)now;
        if (HAS_EXTRA(inode, i_mtime_extra))
            inode->raw->i_mtime_extra = epoch_of(now);
    }
    inode->raw->i_ctime = (uint32_t)now;
    if (HAS_EXTRA(inode, i_ctime_extra))
        inode->raw->i_ctime_extra = epoch_of(now);
}

/* A time of which `extra` holds more bits, 0 where the inode has no room for them. */
static int64_t time_of(uint32_t low, uint32_t extra)
{
    return (int32_t)low + ((int64_t)(extra & EXT4_EPOCH_MASK) << 32);
}

static int64_t mtime_of(const struct ext_inode *inode)
{
    return time_of(inode->raw->i_mtime,
                   HAS_EXTRA(inode, i_mtime_extra) ? inode->raw->i_mtime_extra : 0);
}

static int64_t atime_of(const struct ext_inode *inode)
{
    return time_of(inode->raw->i_atime,
                   HAS_EXTRA(inode, i_atime_extra) ? inode->raw->i_atime_extra : 0);
}

int ext_stat(struct ext_fs *fs, uint32_t number, struct guest_stat *ret, struct error **err)
{
    ext_start(fs);
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    int r = ext_inode_load(fs, number, &inode, err);
    if (r < 0)
        return r;
    *ret = (struct guest_stat){
        .mode = inode.raw->i_mode,
        .uid = inode_uid(*inode.raw),
        .gid = inode_gid(*inode.raw),
        .size = EXT2_I_SIZE(inode.raw),
        .inode = number,
        .links = inode.raw->i_links_count,
        .device = ext_inode_device(&inode),
        .atime = atime_of(&inode),
        .mtime = mtime_of(&inode),
    };
    return 0;
}

int ext_inode_check_change(const struct ext_inode *inode, bool append_is_fine, struct error **err)
{
    uint32_t fixed = EXT2_IMMUTABLE_FL | (append_is_fine ? 0 : EXT2_APPEND_FL);
    if (inode->raw->i_flags & fixed) {
        error_set(err, EPERM, "it is marked %s",
                  inode->raw->i_flags & EXT2_IMMUTABLE_FL ? "immutable" : "append-only");
        return error_hint(err, "clear the mark in the guest with chattr");
    }
    if (inode->raw->i_flags & STRANGE_FLAGS) {
        error_set(err, EOPNOTSUPP, "it is encrypted, verified or compressed");
        return error_hint(err, "use --engine appliance");
    }
    return 0;
}

static void set_owner(struct ext_inode *inode, uid_t uid, gid_t gid)
{
    inode->raw->i_uid = (uint16_t)uid;
    inode->raw->i_gid = (uint16_t)gid;
    ext2fs_set_i_uid_high(*inode->raw, (uint16_t)(uid >> 16));
    ext2fs_set_i_gid_high(*inode->raw, (uint16_t)(gid >> 16));
}

/* The one place where objects come into being: what else a new one must carry, such as a security
 * label, belongs here. */
int ext_inode_new(struct ext_fs *fs, ext2_ino_t parent, mode_t type, const struct ext_owner *owner,
                  struct ext_inode *ret, struct error **err)
{
    ext2_ino_t number;
    int r = ext_alloc_inode(fs->alloc, parent, S_ISDIR(type), &number, err);
    if (r < 0)
        return r;
    struct ext_inode inode;
    r = allocate(fs, number, &inode, err);
    if (r < 0)
        return r;
    inode.raw->i_mode = (uint16_t)(type | owner->mode);
    set_owner(&inode, owner->uid, owner->gid);
    inode.raw->i_links_count = 1;
    if (inode.size > EXT2_GOOD_OLD_INODE_SIZE)
        inode.raw->i_extra_isize = sizeof(struct ext2_inode_large) - EXT2_GOOD_OLD_INODE_SIZE;
    ext_inode_touch(&inode, EXT_TOUCH_MODIFY);
    inode.raw->i_atime = inode.raw->i_mtime;
    if (HAS_EXTRA(&inode, i_crtime_extra)) {
        inode.raw->i_atime_extra = inode.raw->i_mtime_extra;
        inode.raw->i_crtime = inode.raw->i_mtime;
        inode.raw->i_crtime_extra = inode.raw->i_mtime_extra;
    }
    r = ext_content_init(fs, &inode, err);
    if (r < 0) {
        ext_inode_free(&inode);
        return r;
    }
    *ret = inode;
    return 0;
}

int ext_inode_release(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    if (S_ISDIR(inode->raw->i_mode))
        ext_names_drop_all(fs->names);
    int r = ext_content_drop(fs, inode, err);
    if (r < 0)
        return r;
    /* The block of extended attributes may be shared with other inodes. */
    errcode_t code = ext2fs_free_ext_attr(fs->fs, inode->number, inode->raw);
    if (code)
        return ext_fail(fs, code, err, "the attributes of inode %u cannot be freed", inode->number);
    ext_inode_touch(inode, EXT_TOUCH_CHANGE);
    inode->raw->i_links_count = 0;
    inode->raw->i_dtime = (uint32_t)clock_build_time();
    if (!inode->raw->i_dtime)
        inode->raw->i_dtime = 1; /* zero would mean that it is in use */
    r = ext_inode_store(fs, inode, err);
    if (r < 0)
        return r;
    return ext_alloc_release_inode(fs->alloc, inode->number, S_ISDIR(inode->raw->i_mode), err);
}

int ext_inode_load_for_change(struct ext_fs *fs, ext2_ino_t number, struct ext_inode *ret,
                              struct error **err)
{
    int r = ext_inode_load(fs, number, ret, err);
    if (r < 0)
        return r;
    r = ext_inode_check_change(ret, false, err);
    if (r < 0)
        ext_inode_free(ret);
    return r;
}

static int store_change(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    ext_inode_touch(inode, EXT_TOUCH_CHANGE);
    return ext_inode_store(fs, inode, err);
}

int ext_chmod(struct ext_fs *fs, uint32_t number, mode_t mode, struct error **err)
{
    int r = ext_make_room(fs, 2, err);
    if (r == 0)
        r = ext_begin(fs, err);
    if (r < 0)
        return r;
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = ext_inode_load_for_change(fs, number, &inode, err);
    if (r == 0)
        r = ext_xattr_chmod(fs, &inode, mode, err);
    if (r == 0) {
        inode.raw->i_mode = (uint16_t)((inode.raw->i_mode & LINUX_S_IFMT) | mode);
        r = store_change(fs, &inode, err);
    }
    return ext_finish(fs, r, err);
}

/* As the kernel does it: a change of owner takes the set-id bits away from what is no directory. */
static mode_t mode_for_new_owner(mode_t mode)
{
    if (S_ISDIR(mode))
        return mode;
    if (mode & S_IXGRP)
        mode &= ~(mode_t)S_ISGID;
    return mode & ~(mode_t)S_ISUID;
}

int ext_chown(struct ext_fs *fs, uint32_t number, uid_t uid, gid_t gid, struct error **err)
{
    int r = ext_begin(fs, err);
    if (r < 0)
        return r;
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = ext_inode_load_for_change(fs, number, &inode, err);
    if (r == 0 && S_ISREG(inode.raw->i_mode))
        r = ext_xattr_drop_capability(fs, &inode, err);
    if (r == 0) {
        set_owner(&inode, uid, gid);
        inode.raw->i_mode = (uint16_t)mode_for_new_owner(inode.raw->i_mode);
        r = store_change(fs, &inode, err);
    }
    return ext_finish(fs, r, err);
}

/* What of a time can be kept: 34 bits, or 32 in a small inode (Linux Documentation/filesystems/
 * ext4, "Inode Timestamps"). */
static int64_t clamp_time(int64_t seconds, bool extra)
{
    int64_t last = extra ? INT32_MAX + (INT64_C(3) << 32) : INT32_MAX;
    return seconds < INT32_MIN ? INT32_MIN : seconds > last ? last : seconds;
}

int ext_set_times(struct ext_fs *fs, uint32_t number, const struct guest_times *times,
                  struct error **err)
{
    int r = ext_begin(fs, err);
    if (r < 0)
        return r;
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = ext_inode_load_for_change(fs, number, &inode, err);
    if (r == 0) {
        bool extra = HAS_EXTRA(&inode, i_atime_extra);
        int64_t atime = clamp_time(times->atime, extra), mtime = clamp_time(times->mtime, extra);
        inode.raw->i_atime = (uint32_t)atime;
        inode.raw->i_mtime = (uint32_t)mtime;
        if (extra) {
            inode.raw->i_atime_extra = epoch_of(atime);
            inode.raw->i_mtime_extra = epoch_of(mtime);
        }
        r = store_change(fs, &inode, err);
    }
    return ext_finish(fs, r, err);
}
