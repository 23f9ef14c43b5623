/* New objects in directories. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "guest/ext/internal.h"

/* Gives an object a name and stores its inode, in this order: a directory can be full. */
static int link_new(struct ext_fs *fs, ext2_ino_t dir, const char *name, struct ext_inode *inode,
                    struct error **err)
{
    int r = ext_dir_add(fs, dir, name, inode->number, inode->raw->i_mode, err);
    return r < 0 ? r : ext_inode_store(fs, inode, err);
}

static int check_absent(struct ext_fs *fs, ext2_ino_t dir, const char *name, struct error **err)
{
    ext2_ino_t unused;
    errcode_t code = ext2fs_lookup(fs->fs, dir, name, (int)strlen(name), NULL, &unused);
    if (code == EXT2_ET_FILE_NOT_FOUND)
        return 0;
    if (code)
        return ext_fail(fs, code, err, "a directory cannot be read");
    return error_set(err, EEXIST, "already exists");
}

/* What is to be made, and where. */
struct new_object {
    ext2_ino_t dir;
    const char *name;
    mode_t type;
    struct ext_owner owner;
    bool
        inherit; /* in a directory with the set-group-id bit, its group; directories also the bit */
};

/* The first steps of every creation. */
static int begin_new(struct ext_fs *fs, struct new_object new, struct ext_inode *ret,
                     struct error **err)
{
    _cleanup_ext_inode_ struct ext_inode parent = {0};
    int r = ext_dir_load(fs, new.dir, true, &parent, err);
    if (r == 0)
        r = check_absent(fs, new.dir, new.name, err);
    if (r < 0)
        return r;
    if (new.inherit && parent.raw->i_mode &S_ISGID) {
        new.owner.gid = inode_gid(*parent.raw);
        if (S_ISDIR(new.type))
            new.owner.mode |= S_ISGID;
    }
    return ext_inode_new(fs, new.dir, new.type, &new.owner, ret, err);
}

int ext_create(struct ext_fs *fs, uint32_t dir, const char *name, const struct ext_owner *owner,
               const struct ext_content *content, struct error **err)
{
    int r = ext_reserve(fs, content, err);
    if (r == 0)
        r = ext_begin(fs, err);
    if (r < 0)
        return r;
    const struct new_object new = {.dir = dir, .name = name, .type = S_IFREG, .owner = *owner};
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = begin_new(fs, new, &inode, err);
    if (r == 0)
        r = ext_content_write(fs, &inode, content, err);
    if (r == 0)
        r = link_new(fs, dir, name, &inode, err);
    return ext_finish(fs, r, err);
}

/* Gives a new directory its first block. */
static int init_dir(struct ext_fs *fs, struct ext_inode *dir, ext2_ino_t parent, struct error **err)
{
    char *block;
    errcode_t code = ext2fs_new_dir_block(fs->fs, dir->number, parent, &block);
    if (code)
        return ext_fail(fs, code, err, "a directory cannot be made");
    struct ext_content content = {.data = block, .size = fs->fs->blocksize};
    int r = ext_content_write(fs, dir, &content, err);
    if (r == 0) {
        /* Once more in the way that adds the checksum. */
        blk64_t at;
        code = ext2fs_bmap2(fs->fs, dir->number, ext_small(dir), NULL, 0, 0, NULL, &at);
        if (!code)
            code = ext2fs_write_dir_block4(fs->fs, at, block, 0, dir->number);
        if (code)
            r = ext_fail(fs, code, err, "a directory cannot be made");
    }
    ext2fs_free_mem(&block);
    return r;
}

int ext_mkdir(struct ext_fs *fs, uint32_t dir, const char *name, const struct ext_owner *owner,
              struct error **err)
{
    int r = ext_make_room(fs, EXT_DIR_ROOM, err);
    if (r == 0)
        r = ext_begin(fs, err);
    if (r < 0)
        return r;
    const struct new_object new = {
        .dir = dir, .name = name, .type = S_IFDIR, .owner = *owner, .inherit = true};
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = begin_new(fs, new, &inode, err);
    if (r == 0) {
        inode.raw->i_links_count = 2; /* its entry and its own "." */
        r = ext_inode_store(fs, &inode, err);
    }
    if (r == 0)
        r = init_dir(fs, &inode, dir, err);
    if (r == 0)
        r = link_new(fs, dir, name, &inode, err);
    return ext_finish(fs, r, err);
}

/* A short target lies in the inode, a longer one in a block. */
static int write_target(struct ext_fs *fs, struct ext_inode *inode, const char *target,
                        struct error **err)
{
    size_t length = strlen(target);
    if (length < sizeof(inode->raw->i_block)) {
        memset(inode->raw->i_block, 0, sizeof(inode->raw->i_block));
        memcpy(inode->raw->i_block, target, length);
        inode->raw->i_size = (uint32_t)length;
        return 0;
    }
    if (ext2fs_has_feature_extents(fs->fs->super))
        inode->raw->i_flags |= EXT4_EXTENTS_FL;
    struct ext_content content = {.data = target, .size = length};
    return ext_content_write(fs, inode, &content, err);
}

int ext_symlink(struct ext_fs *fs, uint32_t dir, const char *name, const char *target,
                struct error **err)
{
    if (strlen(target) >= fs->fs->blocksize)
        return error_set(err, ENAMETOOLONG, "the link's target is too long");
    int r = ext_make_room(fs, EXT_DIR_ROOM, err);
    if (r == 0)
        r = ext_begin(fs, err);
    if (r < 0)
        return r;
    const struct new_object new = {
        .dir = dir, .name = name, .type = S_IFLNK, .owner = {.mode = 0777}, .inherit = true};
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = begin_new(fs, new, &inode, err);
    if (r == 0)
        r = write_target(fs, &inode, target, err);
    if (r == 0)
        r = link_new(fs, dir, name, &inode, err);
    return ext_finish(fs, r, err);
}

/* How Linux keeps device numbers (linux/kdev_t.h): in the old form where both parts fit into a
 * byte. */
static void set_device(struct ext_inode *inode, dev_t device)
{
    uint32_t high = major(device), low = minor(device);
    memset(inode->raw->i_block, 0, sizeof(inode->raw->i_block));
    if (high < 256 && low < 256)
        inode->raw->i_block[0] = high << 8 | low;
    else
        inode->raw->i_block[1] = (low & 0xff) | high << 8 | (low & ~UINT32_C(0xff)) << 12;
}

dev_t ext_inode_device(const struct ext_inode *inode)
{
    uint32_t old = inode->raw->i_block[0], new = inode->raw->i_block[1];
    if (!S_ISCHR(inode->raw->i_mode) && !S_ISBLK(inode->raw->i_mode))
        return 0;
    if (old)
        return makedev(old >> 8 & 0xff, old & 0xff);
    return makedev(new >> 8 & 0xfff, (new & 0xff) | (new >> 12 & 0xfff00));
}

static int check_device(mode_t mode, dev_t device, struct error **err)
{
    bool needed = S_ISCHR(mode) || S_ISBLK(mode);
    if (needed && (major(device) > 0xfff || minor(device) > 0xfffff))
        return error_set(err, EINVAL, "a device number is too large for Linux");
    return 0;
}

int ext_mknod(struct ext_fs *fs, uint32_t dir, const char *name, mode_t mode, dev_t device,
              struct error **err)
{
    int r = check_device(mode, device, err);
    if (r == 0)
        r = ext_make_room(fs, EXT_DIR_ROOM, err);
    if (r == 0)
        r = ext_begin(fs, err);
    if (r < 0)
        return r;
    const struct new_object new = {.dir = dir,
                                   .name = name,
                                   .type = mode & S_IFMT,
                                   .owner = {.mode = mode & 07777},
                                   .inherit = true};
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = begin_new(fs, new, &inode, err);
    if (r == 0) {
        if (S_ISCHR(mode) || S_ISBLK(mode))
            set_device(&inode, device);
        r = link_new(fs, dir, name, &inode, err);
    }
    return ext_finish(fs, r, err);
}

static int add_link(struct ext_fs *fs, struct ext_inode *inode, uint32_t dir, const char *name,
                    struct error **err)
{
    if (inode->raw->i_links_count >= EXT2_LINK_MAX)
        return error_set(err, EMLINK, "has too many names already");
    inode->raw->i_links_count++;
    ext_inode_touch(inode, EXT_TOUCH_CHANGE);
    return link_new(fs, dir, name, inode, err);
}

int ext_link(struct ext_fs *fs, uint32_t number, uint32_t dir, const char *name, struct error **err)
{
    int r = ext_make_room(fs, EXT_DIR_ROOM, err);
    if (r == 0)
        r = ext_begin(fs, err);
    if (r < 0)
        return r;
    _cleanup_ext_inode_ struct ext_inode inode = {0}, parent = {0};
    r = ext_dir_load(fs, dir, true, &parent, err);
    if (r == 0)
        r = check_absent(fs, dir, name, err);
    if (r == 0)
        r = ext_inode_load_for_change(fs, number, &inode, err);
    if (r == 0 && S_ISDIR(inode.raw->i_mode))
        r = error_set(err, EPERM, "is a directory, which can have one name only");
    if (r == 0)
        r = add_link(fs, &inode, dir, name, err);
    return ext_finish(fs, r, err);
}
