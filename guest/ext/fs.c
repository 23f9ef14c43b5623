/* Opening and closing an ext file system, and the bounds of each operation on it. */
#include "guest/ext/fs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/str.h"
#include "guest/ext/internal.h"
#include "guest/ext_state.h"
#include "image/staged.h"

/* When this much waits to be written, it is written at the end of an operation. */
#define DIRTY_MAX ((uint64_t)32 << 20)

/* Blocks that an operation may read by way of libext2fs: few in a small file system, and in any
 * other a directory of 1 GiB. */
#define READS_MIN ((uint64_t)1 << 12)
#define READS_MAX ((uint64_t)1 << 18)

/* Features that the write path knows to keep right. What is missing here either needs accounting of
 * its own (quota, bigalloc, shared blocks) or changes what names and contents mean (encryption,
 * case folding). */
#define WRITABLE_COMPAT                                                                            \
    (EXT2_FEATURE_COMPAT_DIR_PREALLOC | EXT3_FEATURE_COMPAT_HAS_JOURNAL |                          \
     EXT2_FEATURE_COMPAT_EXT_ATTR | EXT2_FEATURE_COMPAT_RESIZE_INODE |                             \
     EXT2_FEATURE_COMPAT_DIR_INDEX | EXT4_FEATURE_COMPAT_SPARSE_SUPER2 |                           \
     EXT4_FEATURE_COMPAT_FAST_COMMIT | EXT4_FEATURE_COMPAT_ORPHAN_FILE)
#define WRITABLE_INCOMPAT                                                                          \
    (EXT2_FEATURE_INCOMPAT_FILETYPE | EXT2_FEATURE_INCOMPAT_META_BG |                              \
     EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG | \
     EXT4_FEATURE_INCOMPAT_CSUM_SEED | EXT4_FEATURE_INCOMPAT_LARGEDIR |                            \
     EXT4_FEATURE_INCOMPAT_INLINE_DATA)
#define WRITABLE_RO_COMPAT                                                                         \
    (EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE |                     \
     EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_GDT_CSUM |                          \
     EXT4_FEATURE_RO_COMPAT_DIR_NLINK | EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE |                       \
     EXT4_FEATURE_RO_COMPAT_METADATA_CSUM)

/* libext2fs reports some kinds of damage to standard error. We find them by other means. */
static void silence(const char *who, errcode_t code, const char *fmt, va_list args)
{
    (void)who, (void)code, (void)fmt, (void)args;
}

static int errno_of(errcode_t code)
{
    switch (code) {
    case EXT2_ET_NO_MEMORY:
        return ENOMEM;
    case EXT2_ET_FILE_NOT_FOUND:
        return ENOENT;
    case EXT2_ET_NO_DIRECTORY:
        return ENOTDIR;
    case EXT2_ET_FILE_EXISTS:
    case EXT2_ET_DIR_EXISTS:
        return EEXIST;
    case EXT2_ET_BLOCK_ALLOC_FAIL:
    case EXT2_ET_INODE_ALLOC_FAIL:
    case EXT2_ET_DIR_NO_SPACE:
        return ENOSPC;
    case EXT2_ET_RO_FILSYS:
        return EROFS;
    case EXT2_ET_FILE_TOO_BIG:
        return EFBIG;
    default:
        return code > 0 && code < 256 ? (int)code : EUCLEAN;
    }
}

int ext_fail(struct ext_fs *fs, errcode_t code, struct error **err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *what = NULL;
    if (vasprintf(&what, fmt, args) < 0)
        what = NULL;
    va_end(args);
    _cleanup_free_ char *text = what;
    if (!text)
        return error_oom(err);

    /* The block source or the allocator knows better what happened. */
    struct error *cause = fs->fs ? ext_io_take_error(fs->fs->io) : NULL;
    if (!cause && fs->alloc)
        cause = ext_alloc_take_error(fs->alloc);
    if (cause) {
        error_move(err, cause);
        return error_wrap(err, "%s", text);
    }
    int errnum = errno_of(code);
    if (errnum == ENOSPC)
        return error_set(err, ENOSPC, "%s: %s is full", text, fs->name);
    if (errnum == EUCLEAN)
        return error_set(err, EUCLEAN, "%s: %s is damaged (libext2fs error %ld)", text, fs->name,
                         code & 0xff);
    return error_sys(err, errnum, "%s", text);
}

/* What a read of a file system in this state would get wrong, or NULL. */
static const char *read_blocker(const struct ext2_super_block *super)
{
    if (super->s_feature_incompat & EXT3_FEATURE_INCOMPAT_RECOVER)
        return "its journal needs recovery";
    if (super->s_feature_incompat & EXT4_FEATURE_INCOMPAT_CASEFOLD)
        return "it folds the case of names";
    return NULL;
}

/* Why the file system must not be written by us, or NULL. */
static const char *write_blocker(ext2_filsys fs)
{
    const struct ext2_super_block *super = fs->super;
    if (super->s_feature_incompat & EXT4_FEATURE_INCOMPAT_MMP)
        return "it is protected against being mounted twice";
    if (super->s_journal_dev)
        return "its journal is on another device";
    if (super->s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT || super->s_last_orphan)
        return "deleted files wait to be cleaned up";
    if (super->s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_QUOTA)
        return "it keeps quotas";
    if (super->s_feature_compat & ~(uint32_t)WRITABLE_COMPAT ||
        super->s_feature_incompat & ~(uint32_t)WRITABLE_INCOMPAT ||
        super->s_feature_ro_compat & ~(uint32_t)WRITABLE_RO_COMPAT)
        return "it has features that only the kernel keeps right";
    if (super->s_creator_os != EXT2_OS_LINUX)
        return "it was not made for Linux";
    if (super->s_state & EXT2_ERROR_FS)
        return "errors were found in it";
    if (!(super->s_state & EXT2_VALID_FS))
        return "it was not unmounted cleanly";
    if (EXT2_INODES_PER_GROUP(super) % 8 || EXT2_BLOCKS_PER_GROUP(super) % 8 ||
        EXT2_INODES_PER_GROUP(super) > fs->blocksize * 8 ||
        EXT2_BLOCKS_PER_GROUP(super) > fs->blocksize * 8)
        return "its block groups are of a strange size";
    return NULL;
}

/* The gate: what libext2fs would take on trust about the size of things. */
static int check_super(const struct ext_source *source, const char *name, struct error **err)
{
    struct ext2_super_block super;
    if (source->length < SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE)
        return error_set(err, EUCLEAN, "%s: is too small for a file system", name);
    int r =
        block_pread(source->block, &super, sizeof(super), source->offset + SUPERBLOCK_OFFSET, err);
    if (r < 0)
        return r;
    if (super.s_magic != EXT2_SUPER_MAGIC)
        return error_set(err, EINVAL, "%s: holds no ext file system", name);
    if (super.s_feature_incompat & EXT3_FEATURE_INCOMPAT_JOURNAL_DEV)
        return error_set(err, EINVAL, "%s: holds the journal of another file system", name);
    if (super.s_log_block_size > 6)
        return error_set(err, EUCLEAN, "%s: has an impossible block size", name);
    uint64_t blocks = super.s_blocks_count;
    if (super.s_feature_incompat & EXT4_FEATURE_INCOMPAT_64BIT)
        blocks |= (uint64_t)super.s_blocks_count_hi << 32;
    if (blocks > source->length >> (10 + super.s_log_block_size)) {
        error_set(err, EUCLEAN, "%s: the file system is larger than the space it is in", name);
        return error_hint(err, "the image may be truncated");
    }
    return 0;
}

_Static_assert(sizeof(struct ext2_super_block) == SUPERBLOCK_SIZE, "on-disk layout");

static int open_library(struct ext_fs *fs, bool writable, struct error **err)
{
    char io_name[EXT_IO_NAME_MAX];
    ext_io_name(&fs->source, io_name);
    fs->source.writable = writable;
    int flags = EXT2_FLAG_64BITS | EXT2_FLAG_SKIP_MMP | (writable ? EXT2_FLAG_RW : 0);
    set_com_err_hook(silence);
    errcode_t code = ext2fs_open2(io_name, NULL, flags, 0, 0, ext_io_manager(), &fs->fs);
    if (!code)
        return 0;
    fs->fs = NULL;
    if (code == EXT2_ET_UNSUPP_FEATURE)
        return error_set(err, EOPNOTSUPP, "%s: it has features that are not known here", fs->name);
    return ext_fail(fs, code, err, "%s: cannot be opened", fs->name);
}

/* Writing needs every descriptor to be as it was written: they say where things are put. */
static const char *check_descriptors(ext2_filsys fs)
{
    for (dgrp_t group = 0; group < fs->group_desc_count; group++)
        if (!ext2fs_group_desc_csum_verify(fs, group))
            return "its group descriptors are damaged";
    return NULL;
}

int ext_open(struct block *block, uint64_t offset, uint64_t length, bool writable, const char *name,
             struct ext_fs **ret, struct error **err)
{
    struct ext_fs *fs = calloc(1, sizeof(*fs));
    if (!fs)
        return error_oom(err);
    fs->source = (struct ext_source){.block = block, .offset = offset, .length = length};
    fs->names = ext_names_new();
    int r = fs->names ? str_replace(&fs->name, name, err) : error_oom(err);
    if (r == 0)
        r = check_super(&fs->source, name, err);
    if (r == 0)
        r = open_library(fs, false, err);
    if (r == 0) {
        fs->blocker = read_blocker(fs->fs->super);
        if (writable && !fs->blocker)
            fs->blocker = write_blocker(fs->fs);
        if (writable && !fs->blocker)
            fs->blocker = fs->damage = check_descriptors(fs->fs);
        if (writable && !fs->blocker) {
            /* Copies of the superblock and the descriptors are left alone, as the kernel does it:
             * there are the more of them the larger the file system is. */
            fs->fs->flags |= EXT2_FLAG_RW | EXT2_FLAG_MASTER_SB_ONLY;
            fs->source.writable = true;
            fs->fs->now = clock_build_time();
            r = ext_alloc_new(fs->fs, &fs->alloc, err);
        }
    }
    if (r < 0) {
        ext_close(fs);
        return r;
    }
    *ret = fs;
    return 0;
}

void ext_close(struct ext_fs *fs)
{
    if (!fs)
        return;
    if (fs->fs)
        ext2fs_free(fs->fs);
    ext_alloc_free(fs->alloc);
    ext_names_free(fs->names);
    free(fs->name);
    free(fs->failure);
    free(fs);
}

const char *ext_blocker(const struct ext_fs *fs)
{
    return fs->blocker;
}

const char *ext_damage(const struct ext_fs *fs)
{
    return fs->damage;
}

void ext_start_long(struct ext_fs *fs, uint64_t blocks)
{
    /* Nothing in it can lead to more blocks than there are, met a few times each. */
    uint64_t all = 4 * ext2fs_blocks_count(fs->fs->super) + READS_MIN;
    ext_io_budget(fs->fs->io, min_u64(all, READS_MAX + blocks));
}

void ext_start(struct ext_fs *fs)
{
    ext_start_long(fs, 0);
}

int ext_check_intact(const struct ext_fs *fs, struct error **err)
{
    if (!fs->broken)
        return 0;
    return error_set(err, EIO, "%s is unusable since a change to it failed half-way: %s", fs->name,
                     fs->failure ? fs->failure : "out of memory");
}

static uint64_t count_changes(const struct ext_fs *fs)
{
    return ext_io_changes(fs->fs->io) + ext_alloc_changes(fs->alloc);
}

int ext_begin(struct ext_fs *fs, struct error **err)
{
    if (!fs->alloc)
        return error_set(err, EROFS, "%s cannot be written: %s", fs->name,
                         fs->blocker ? fs->blocker : "it was opened for reading only");
    int r = ext_check_intact(fs, err);
    if (r < 0)
        return r;
    ext_start(fs);
    fs->changes = count_changes(fs);
    return 0;
}

/* `err`: as it describes r, where the caller wants that. */
static void give_up(struct ext_fs *fs, int r, struct error *const *err)
{
    fs->broken = true;
    free(fs->failure);
    fs->failure = strdup(err && *err ? error_message(*err) : strerror(-r));
}

static void end_failed(struct ext_fs *fs, int r, struct error *const *err)
{
    if (count_changes(fs) != fs->changes) {
        give_up(fs, r, err);
    } else if (fs->fs->icache) {
        ext2fs_flush_icache(fs->fs); /* may hold what libext2fs could not write */
    }
}

int ext_finish(struct ext_fs *fs, int r, struct error **err)
{
    struct error *late = ext_alloc_take_error(fs->alloc);
    if (r == 0 && late)
        r = error_move(err, late);
    else
        error_free(late);
    if (r < 0) {
        end_failed(fs, r, err);
        return r;
    }
    if (ext_io_dirty(fs->fs->io) > DIRTY_MAX)
        return ext_sync(fs, err);
    return 0;
}

/* The superblock as it shall lie on the disk while the rest is being written. */
static void make_guard(const struct ext_fs *fs, struct ext2_super_block *ret)
{
    *ret = *fs->fs->super;
    ext_state_guard((uint8_t *)ret);
}

int ext_guard(struct ext_fs *fs, struct block *staged, struct error **err)
{
    struct ext2_super_block guard;
    if (!fs->alloc)
        return 0;
    make_guard(fs, &guard);
    return staged_guard(staged, ext_io_superblock(fs->fs->io), &guard, sizeof(guard), err);
}

int ext_sync(struct ext_fs *fs, struct error **err)
{
    int r = ext_check_intact(fs, err);
    if (r < 0)
        return r;
    if (!fs->alloc || (ext_io_dirty(fs->fs->io) == 0 && !(fs->fs->flags & EXT2_FLAG_DIRTY)))
        return 0;
    ext_start(fs);
    struct ext2_super_block guard;
    make_guard(fs, &guard);
    errcode_t code = ext2fs_flush2(fs->fs, EXT2_FLAG_FLUSH_NO_SYNC);
    if (code)
        return ext_fail(fs, code, err, "%s: cannot be written", fs->name);
    r = ext_io_commit(fs->fs->io, &guard, err);
    if (r < 0) {
        give_up(fs, r, err);
        return error_wrap(err, "%s", fs->name);
    }
    fs->fs->flags |= EXT2_FLAG_MASTER_SB_ONLY;
    ext_alloc_committed(fs->alloc);
    return 0;
}

const char *ext_kind(const struct ext_fs *fs)
{
    const struct ext2_super_block *super = fs->fs->super;
    if (super->s_feature_incompat & (EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT |
                                     EXT4_FEATURE_INCOMPAT_FLEX_BG) ||
        super->s_feature_ro_compat &
            (EXT4_FEATURE_RO_COMPAT_HUGE_FILE | EXT4_FEATURE_RO_COMPAT_METADATA_CSUM))
        return "ext4";
    return super->s_feature_compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL ? "ext3" : "ext2";
}

uint64_t ext_size(const struct ext_fs *fs)
{
    return ext2fs_blocks_count(fs->fs->super) * fs->fs->blocksize;
}

uint64_t ext_free(const struct ext_fs *fs)
{
    return ext2fs_free_blocks_count(fs->fs->super) * fs->fs->blocksize;
}
