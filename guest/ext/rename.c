/* Renaming, with the rules of rename(2). */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "guest/ext/internal.h"

/* Whether the directory `inner` is `outer` or lies below it. */
static int find_within(struct ext_fs *fs, ext2_ino_t inner, ext2_ino_t outer, bool *ret,
                       struct error **err)
{
    /* Longer chains of ".." than a path can have are loops. */
    for (unsigned steps = 0; steps < 4096; steps++) {
        *ret = inner == outer;
        if (inner == outer || inner == EXT2_ROOT_INO)
            return 0;
        int r = ext_lookup(fs, inner, "..", &inner, err);
        if (r < 0)
            return r;
    }
    return error_set(err, EUCLEAN, "%s is damaged: its directories form a loop", fs->name);
}

/* What rename(2) says about the pair; target->raw is NULL when there is none. */
static int check_pair(struct ext_fs *fs, const struct ext_inode *moved,
                      const struct ext_inode *target, const uint32_t dirs[static 2],
                      struct error **err)
{
    bool dir = S_ISDIR(moved->raw->i_mode), within = false;
    int r = dir && dirs[0] != dirs[1] ? find_within(fs, dirs[1], moved->number, &within, err) : 0;
    if (r < 0)
        return r;
    if (within)
        return error_set(err, EINVAL, "a directory cannot be moved into itself");
    if (!target->raw)
        return 0;
    bool onto_dir = S_ISDIR(target->raw->i_mode);
    r = onto_dir ? find_within(fs, dirs[0], target->number, &within, err) : 0;
    if (r < 0)
        return r;
    if (within)
        return error_set(err, ENOTEMPTY, "it lies in the directory that it is to replace");
    if (dir && !onto_dir)
        return error_set(err, ENOTDIR, "a directory cannot replace a file");
    if (!dir && onto_dir)
        return error_set(err, EISDIR, "a file cannot replace a directory");
    return dir ? ext_dir_check_empty(fs, target->number, err) : 0;
}

/* Gives the moved object its new name, in the place of `target` (raw NULL: there is none). */
static int set_new_name(struct ext_fs *fs, const struct ext_inode *moved, struct ext_inode *target,
                        ext2_ino_t to_dir, const char *to, struct error **err)
{
    mode_t mode = moved->raw->i_mode;
    if (!target->raw)
        return ext_dir_add(fs, to_dir, to, moved->number, mode, err);
    int r = ext_dir_redirect(fs, to_dir, to, moved->number, mode, err);
    if (r == 0)
        r = ext_inode_drop_link(fs, target, err);
    /* For directories: one came, one went. */
    return r == 0 ? ext_dir_touch(fs, to_dir, 0, err) : r;
}

static int move(struct ext_fs *fs, struct ext_inode *moved, struct ext_inode *target,
                const uint32_t dirs[static 2], const char *const names[static 2],
                struct error **err)
{
    bool dir = S_ISDIR(moved->raw->i_mode), crosses = dirs[0] != dirs[1];
    int r = check_pair(fs, moved, target, dirs, err);
    if (r == 0)
        r = set_new_name(fs, moved, target, dirs[1], names[1], err);
    if (r == 0)
        r = ext_dir_remove(fs, dirs[0], names[0], moved->number, err);
    if (r == 0)
        r = ext_dir_touch(fs, dirs[0], dir ? -1 : 0, err);
    if (r == 0 && dir && crosses)
        r = ext_dir_redirect(fs, moved->number, "..", dirs[1], S_IFDIR, err);
    if (r < 0)
        return r;
    /* The directory's inode may have changed below our copy: its ".." can lie in it. */
    _cleanup_ext_inode_ struct ext_inode again = {0};
    r = ext_inode_load(fs, moved->number, &again, err);
    if (r < 0)
        return r;
    ext_inode_touch(&again, EXT_TOUCH_CHANGE);
    return ext_inode_store(fs, &again, err);
}

int ext_rename(struct ext_fs *fs, uint32_t from_dir, const char *from, uint32_t to_dir,
               const char *to, struct error **err)
{
    int r = ext_make_room(fs, EXT_DIR_ROOM, err);
    if (r == 0)
        r = ext_begin(fs, err);
    if (r < 0)
        return r;
    _cleanup_ext_inode_ struct ext_inode moved = {0}, target = {0}, parent = {0};
    r = ext_dir_load_entry(fs, from_dir, from, &moved, err);
    if (r == 0)
        r = ext_dir_load(fs, to_dir, true, &parent, err);
    struct error *absent = NULL;
    if (r == 0) {
        r = ext_dir_load_entry(fs, to_dir, to, &target, &absent);
        if (r == -ENOENT) {
            error_clear(&absent);
            r = 0;
        }
    }
    if (absent)
        error_move(err, absent);
    /* Two names of one object: nothing is to be done, rename(2) says. */
    bool same = r == 0 && target.raw && target.number == moved.number;
    if (r == 0 && !same)
        r = move(fs, &moved, &target, (uint32_t[]){from_dir, to_dir}, (const char *[]){from, to},
                 err);
    return ext_finish(fs, r, err);
}
