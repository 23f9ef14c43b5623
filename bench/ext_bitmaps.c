/*
 * What the bitmaps of guest/ext/alloc.h save against those of libext2fs, which are read and written
 * as a whole. bench/ext-bitmaps calls it, a process for each figure:
 *
 *   ext_bitmaps settle IMAGE     initialises the bitmaps of all groups, as long use does
 *   ext_bitmaps library IMAGE    makes a file of 4 KiB by libext2fs alone
 *   ext_bitmaps kiln IMAGE       makes it by guest/ext
 *   ext_bitmaps many IMAGE       makes and removes 50 of them, a hundred times over
 *
 * It prints milliseconds and KiB of peak memory.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "guest/ext/fs.h"
#include "guest/ext/lib.h"

enum { rounds = 100, files = 50 };

static char contents[4096];

static void must(errcode_t code, const char *what)
{
    if (!code)
        return;
    fprintf(stderr, "%s: libext2fs error %ld\n", what, code);
    exit(1);
}

static ext2_filsys open_library(const char *image)
{
    ext2_filsys fs;
    must(ext2fs_open2(image, NULL, EXT2_FLAG_64BITS | EXT2_FLAG_RW, 0, 0, unix_io_manager, &fs),
         "ext2fs_open2");
    must(ext2fs_read_bitmaps(fs), "ext2fs_read_bitmaps");
    fs->flags |= EXT2_FLAG_MASTER_SB_ONLY;
    return fs;
}

static void settle(const char *image)
{
    ext2_filsys fs = open_library(image);
    for (dgrp_t group = 0; group < fs->group_desc_count; group++) {
        ext2fs_bg_flags_clear(fs, group, EXT2_BG_BLOCK_UNINIT | EXT2_BG_INODE_UNINIT);
        ext2fs_bg_itable_unused_set(fs, group, 0);
        ext2fs_group_desc_csum_set(fs, group);
    }
    ext2fs_mark_bb_dirty(fs);
    ext2fs_mark_ib_dirty(fs);
    ext2fs_mark_super_dirty(fs);
    must(ext2fs_close_free(&fs), "ext2fs_close_free");
}

/* One block, which it writes past the extent tree: the least that a file can cost. */
static void by_library(const char *image)
{
    ext2_filsys fs = open_library(image);
    ext2_ino_t number;
    blk64_t block;
    char name[32];
    snprintf(name, sizeof(name), "library-%d", (int)getpid());
    must(ext2fs_new_inode(fs, EXT2_ROOT_INO, S_IFREG | 0644, NULL, &number), "ext2fs_new_inode");
    must(ext2fs_new_block2(fs, 0, NULL, &block), "ext2fs_new_block2");
    must(io_channel_write_blk64(fs->io, block, -(int)sizeof(contents), contents), "write");
    struct ext2_inode inode = {.i_mode = S_IFREG | 0644,
                               .i_links_count = 1,
                               .i_size = sizeof(contents),
                               .i_blocks = sizeof(contents) / 512,
                               .i_block = {(uint32_t)block}};
    must(ext2fs_write_new_inode(fs, number, &inode), "ext2fs_write_new_inode");
    must(ext2fs_link(fs, EXT2_ROOT_INO, name, number, EXT2_FT_REG_FILE), "ext2fs_link");
    ext2fs_inode_alloc_stats2(fs, number, +1, 0);
    ext2fs_block_alloc_stats2(fs, block, +1);
    must(ext2fs_close_free(&fs), "ext2fs_close_free");
}

static void check(int r, struct error **error)
{
    if (r == 0)
        return;
    fprintf(stderr, "%s\n", error_message(*error));
    exit(1);
}

static void create(struct ext_fs *fs, const char *name)
{
    static const struct ext_owner owner = {.mode = 0644};
    static const struct ext_content content = {
        .data = contents, .size = sizeof(contents), .fd = -1};
    struct error *error = NULL;
    check(ext_create(fs, EXT_ROOT, name, &owner, &content, &error), &error);
}

static void create_and_remove(struct ext_fs *fs)
{
    struct error *error = NULL;
    char name[16];
    for (unsigned i = 0; i < files; i++) {
        snprintf(name, sizeof(name), "many-%u", i);
        create(fs, name);
    }
    for (unsigned i = 0; i < files; i++) {
        snprintf(name, sizeof(name), "many-%u", i);
        check(ext_unlink(fs, EXT_ROOT, name, &error), &error);
    }
}

static void by_kiln(const char *image, bool many)
{
    struct error *error = NULL;
    struct block *block;
    struct ext_fs *fs;
    char name[32];
    snprintf(name, sizeof(name), "kiln-%d", (int)getpid());
    int fd = open(image, O_RDWR | O_CLOEXEC);
    check(block_from_fd(fd, image, true, &block, &error), &error);
    check(ext_open(block, 0, block->size, true, image, &fs, &error), &error);
    if (!many)
        create(fs, name);
    for (unsigned i = 0; many && i < rounds; i++)
        create_and_remove(fs);
    check(ext_sync(fs, &error), &error);
    ext_close(fs);
    block_close(block);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: ext_bitmaps settle|library|kiln|many IMAGE\n");
        return 2;
    }
    uint64_t started = clock_now_ns();
    if (strcmp(argv[1], "settle") == 0)
        settle(argv[2]);
    else if (strcmp(argv[1], "library") == 0)
        by_library(argv[2]);
    else
        by_kiln(argv[2], strcmp(argv[1], "many") == 0);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%.1f %ld\n", (double)(clock_now_ns() - started) / 1e6, usage.ru_maxrss);
    return 0;
}
