/* Directories: entries, and the operations that list and remove them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/ext/internal.h"

#define ENTRIES_MAX 4000000u /* that a listing may have */
#define LINKS_MAX   EXT2_LINK_MAX

static int file_type(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFREG:
        return EXT2_FT_REG_FILE;
    case S_IFDIR:
        return EXT2_FT_DIR;
    case S_IFCHR:
        return EXT2_FT_CHRDEV;
    case S_IFBLK:
        return EXT2_FT_BLKDEV;
    case S_IFIFO:
        return EXT2_FT_FIFO;
    case S_IFSOCK:
        return EXT2_FT_SOCK;
    case S_IFLNK:
        return EXT2_FT_SYMLINK;
    default:
        return EXT2_FT_UNKNOWN;
    }
}

/* 0 where the entry does not say. */
static mode_t mode_type(int type)
{
    static const mode_t types[] = {
        [EXT2_FT_REG_FILE] = S_IFREG, [EXT2_FT_DIR] = S_IFDIR,  [EXT2_FT_CHRDEV] = S_IFCHR,
        [EXT2_FT_BLKDEV] = S_IFBLK,   [EXT2_FT_FIFO] = S_IFIFO, [EXT2_FT_SOCK] = S_IFSOCK,
        [EXT2_FT_SYMLINK] = S_IFLNK,
    };
    return type >= 0 && (size_t)type < ARRAY_SIZE(types) ? types[type] : 0;
}

int ext_lookup(struct ext_fs *fs, uint32_t dir, const char *name, uint32_t *ret, struct error **err)
{
    uint32_t inode = 0;
    if (!ext_names_find(fs->names, dir, name, &inode)) {
        ext_start(fs);
        errcode_t code = ext2fs_lookup(fs->fs, dir, name, (int)strlen(name), NULL, &inode);
        if (code && code != EXT2_ET_FILE_NOT_FOUND)
            return ext_fail(fs, code, err, "a directory cannot be read");
        inode = code ? 0 : inode;
        ext_names_keep(fs->names, dir, name, inode);
    }
    if (!inode)
        return error_set(err, ENOENT, "no such file or directory");
    *ret = inode;
    return 0;
}

/* Listing. */

struct listing {
    guest_dirent_fn *entry;
    void *context;
    bool typed; /* the entries say what they are */
    unsigned count;
    int r;
};

static int list_entry(ext2_ino_t dir, int kind, struct ext2_dir_entry *dirent, int offset,
                      int block_size, char *buf, void *context)
{
    (void)dir, (void)offset, (void)block_size, (void)buf;
    struct listing *listing = context;
    char name[EXT2_NAME_LEN + 1];
    int length = ext2fs_dirent_name_len(dirent);
    memcpy(name, dirent->name, (size_t)length);
    name[length] = '\0';
    if (kind == DIRENT_DOT_FILE || kind == DIRENT_DOT_DOT_FILE)
        return 0;
    /* No system call makes such names. Let through, they would lead elsewhere. */
    if (length == 0 || strlen(name) != (size_t)length || strchr(name, '/') ||
        strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        listing->r = -EUCLEAN;
        return DIRENT_ABORT;
    }
    if (++listing->count > ENTRIES_MAX) {
        listing->r = -EFBIG;
        return DIRENT_ABORT;
    }
    mode_t type = listing->typed ? mode_type(ext2fs_dirent_file_type(dirent)) : 0;
    listing->r = listing->entry(listing->context, name, type);
    return listing->r < 0 ? DIRENT_ABORT : 0;
}

int ext_list(struct ext_fs *fs, uint32_t dir, guest_dirent_fn *entry, void *context,
             struct error **err)
{
    ext_start(fs);
    struct listing listing = {
        .entry = entry, .context = context, .typed = ext2fs_has_feature_filetype(fs->fs->super)};
    errcode_t code = ext2fs_dir_iterate2(fs->fs, dir, 0, NULL, list_entry, &listing);
    if (code)
        return ext_fail(fs, code, err, "the directory cannot be read");
    if (listing.r == -EUCLEAN && err && !*err)
        return error_set(err, EUCLEAN, "the directory holds an impossible name");
    if (listing.r == -EFBIG && err && !*err)
        return error_set(err, EFBIG, "the directory has more than %u entries", ENTRIES_MAX);
    return listing.r;
}

/* Adding. */

int ext_dir_load(struct ext_fs *fs, ext2_ino_t number, bool adding, struct ext_inode *ret,
                 struct error **err)
{
    int r = ext_inode_load(fs, number, ret, err);
    if (r < 0)
        return r;
    if (!S_ISDIR(ret->raw->i_mode))
        r = error_set(err, ENOTDIR, "its parent is not a directory");
    if (r == 0) {
        r = ext_inode_check_change(ret, adding, err);
        if (r < 0)
            error_wrap(err, "its directory");
    }
    if (r < 0)
        ext_inode_free(ret);
    return r;
}

int ext_dir_touch(struct ext_fs *fs, ext2_ino_t number, int links, struct error **err)
{
    _cleanup_ext_inode_ struct ext_inode dir = {0};
    int r = ext_inode_load(fs, number, &dir, err);
    if (r < 0)
        return r;
    /* A count of 1 stands for "more than fit" (dir_nlink) and stays. */
    unsigned count = dir.raw->i_links_count;
    if (links > 0 && count >= LINKS_MAX - 1) {
        if (!ext2fs_has_feature_dir_nlink(fs->fs->super))
            return error_set(err, EMLINK, "its directory has too many directories");
        dir.raw->i_links_count = 1;
    } else if (links && count > 1) {
        dir.raw->i_links_count = (uint16_t)((int)count + links);
    }
    ext_inode_touch(&dir, EXT_TOUCH_MODIFY);
    return ext_inode_store(fs, &dir, err);
}

int ext_dir_add(struct ext_fs *fs, ext2_ino_t dir, const char *name, ext2_ino_t inode, mode_t mode,
                struct error **err)
{
    ext_names_drop(fs->names, dir, name);
    errcode_t code = ext2fs_link(fs->fs, dir, name, inode, file_type(mode));
    if (code == EXT2_ET_DIR_NO_SPACE) {
        code = ext2fs_expand_dir(fs->fs, dir);
        if (!code)
            code = ext2fs_link(fs->fs, dir, name, inode, file_type(mode));
    }
    if (code)
        return ext_fail(fs, code, err, "the directory cannot take the entry");
    return ext_dir_touch(fs, dir, S_ISDIR(mode) ? 1 : 0, err);
}

/* Removing. */

int ext_dir_remove(struct ext_fs *fs, ext2_ino_t dir, const char *name, ext2_ino_t inode,
                   struct error **err)
{
    ext_names_drop(fs->names, dir, name);
    errcode_t code = ext2fs_unlink(fs->fs, dir, name, inode, 0);
    return code ? ext_fail(fs, code, err, "the entry cannot be removed") : 0;
}

int ext_inode_drop_link(struct ext_fs *fs, struct ext_inode *inode, struct error **err)
{
    if (S_ISDIR(inode->raw->i_mode) || inode->raw->i_links_count <= 1)
        return ext_inode_release(fs, inode, err);
    inode->raw->i_links_count--;
    ext_inode_touch(inode, EXT_TOUCH_CHANGE);
    return ext_inode_store(fs, inode, err);
}

int ext_dir_load_entry(struct ext_fs *fs, ext2_ino_t dir, const char *name, struct ext_inode *ret,
                       struct error **err)
{
    _cleanup_ext_inode_ struct ext_inode parent = {0};
    int r = ext_dir_load(fs, dir, false, &parent, err);
    if (r < 0)
        return r;
    ext2_ino_t number;
    r = ext_lookup(fs, dir, name, &number, err);
    return r < 0 ? r : ext_inode_load_for_change(fs, number, ret, err);
}

int ext_unlink(struct ext_fs *fs, uint32_t dir, const char *name, struct error **err)
{
    int r = ext_begin(fs, err);
    if (r < 0)
        return r;
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = ext_dir_load_entry(fs, dir, name, &inode, err);
    if (r == 0 && S_ISDIR(inode.raw->i_mode))
        r = error_set(err, EISDIR, "is a directory");
    if (r == 0)
        r = ext_dir_remove(fs, dir, name, inode.number, err);
    if (r == 0)
        r = ext_inode_drop_link(fs, &inode, err);
    if (r == 0)
        r = ext_dir_touch(fs, dir, 0, err);
    return ext_finish(fs, r, err);
}

static int note_entry(void *context, const char *name, mode_t type)
{
    (void)name, (void)type;
    *(bool *)context = true;
    return -ENOTEMPTY;
}

int ext_dir_check_empty(struct ext_fs *fs, ext2_ino_t dir, struct error **err)
{
    bool found = false;
    int r = ext_list(fs, dir, note_entry, &found, err);
    return found ? error_set(err, ENOTEMPTY, "the directory is not empty") : r;
}

int ext_rmdir(struct ext_fs *fs, uint32_t dir, const char *name, struct error **err)
{
    int r = ext_begin(fs, err);
    if (r < 0)
        return r;
    _cleanup_ext_inode_ struct ext_inode inode = {0};
    r = ext_dir_load_entry(fs, dir, name, &inode, err);
    if (r == 0 && !S_ISDIR(inode.raw->i_mode))
        r = error_set(err, ENOTDIR, "is not a directory");
    if (r == 0 && inode.number == EXT2_ROOT_INO)
        r = error_set(err, EBUSY, "is a root directory");
    if (r == 0)
        r = ext_dir_check_empty(fs, inode.number, err);
    if (r == 0)
        r = ext_dir_remove(fs, dir, name, inode.number, err);
    if (r == 0)
        r = ext_inode_drop_link(fs, &inode, err);
    if (r == 0)
        r = ext_dir_touch(fs, dir, -1, err);
    return ext_finish(fs, r, err);
}

/* Redirecting. */

struct redirect {
    const char *name;
    size_t length;
    ext2_ino_t inode;
    int type; /* -1: the file system does not keep types in entries */
    bool found;
};

static int redirect_entry(ext2_ino_t dir, int kind, struct ext2_dir_entry *dirent, int offset,
                          int block_size, char *buf, void *context)
{
    (void)dir, (void)kind, (void)offset, (void)block_size, (void)buf;
    struct redirect *redirect = context;
    if ((size_t)ext2fs_dirent_name_len(dirent) != redirect->length ||
        memcmp(dirent->name, redirect->name, redirect->length) != 0)
        return 0;
    dirent->inode = redirect->inode;
    if (redirect->type >= 0)
        ext2fs_dirent_set_file_type(dirent, redirect->type);
    redirect->found = true;
    return DIRENT_CHANGED | DIRENT_ABORT;
}

int ext_dir_redirect(struct ext_fs *fs, ext2_ino_t dir, const char *name, ext2_ino_t inode,
                     mode_t mode, struct error **err)
{
    struct redirect redirect = {
        .name = name,
        .length = strlen(name),
        .inode = inode,
        .type = ext2fs_has_feature_filetype(fs->fs->super) ? file_type(mode) : -1,
    };
    ext_names_drop(fs->names, dir, name);
    errcode_t code = ext2fs_dir_iterate2(fs->fs, dir, 0, NULL, redirect_entry, &redirect);
    if (!code && !redirect.found)
        code = EXT2_ET_FILE_NOT_FOUND;
    return code ? ext_fail(fs, code, err, "the entry cannot be changed") : 0;
}
