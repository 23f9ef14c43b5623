/* The gate in front of every block source, and raw images behind it. */

#include "tests/unit/image/scratch.h"

static void ranges_beyond_the_disk_are_refused(void **state)
{
    (void)state;
    make_file("disk", 10000);
    _cleanup_block_ struct block *block = must_open("disk", IMAGE_AUTO, true);
    uint8_t bytes[16];
    struct error *error = NULL;
    assert_int_equal(block_pread(block, bytes, 16, 9984, NULL), 0);
    assert_int_equal(block_pread(block, bytes, 16, 9985, &error), -EINVAL);
    assert_non_null(strstr(error_message(error), "disk: 16 bytes at offset 9985"));
    error_free(error);
    assert_int_equal(block_pread(block, bytes, 16, UINT64_MAX - 3, NULL), -EINVAL);
    assert_int_equal(block_pwrite(block, bytes, 16, 9999, NULL), -EINVAL);
    assert_int_equal(block_pread(block, bytes, 0, 10000, NULL), 0);
    enum block_state kind;
    uint64_t length;
    assert_int_equal(block_extent(block, 10000, 1, &kind, &length, NULL), -EINVAL);
    assert_int_equal(block_extent(block, 0, 0, &kind, &length, NULL), -EINVAL);
}

static void a_block_opened_for_reading_is_not_written(void **state)
{
    (void)state;
    make_file("disk", 4096);
    _cleanup_block_ struct block *block = must_open("disk", IMAGE_RAW, false);
    struct error *error = NULL;
    assert_int_equal(block_pwrite(block, "x", 1, 0, &error), -EROFS);
    assert_non_null(strstr(error_message(error), "disk"));
    error_free(error);
    assert_int_equal(block_flush(block, NULL), 0);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    make_file("disk", 1 << 20);
    _cleanup_block_ struct block *block = must_open("disk", IMAGE_RAW, true);
    char bytes[6] = "";
    assert_int_equal(block_pwrite(block, "hello", 5, 123457, NULL), 0);
    assert_int_equal(block_flush(block, NULL), 0);
    assert_int_equal(block_pread(block, bytes, 5, 123457, NULL), 0);
    assert_string_equal(bytes, "hello");
}

static void holes_of_the_file_are_known(void **state)
{
    (void)state;
    make_file("disk", 64 << 20);
    write_pattern("disk", 1 << 20, 1 << 20);
    write_pattern("disk", 40 << 20, 4096);
    _cleanup_block_ struct block *block = must_open("disk", IMAGE_RAW, false);
    enum block_state kind;
    uint64_t length;
    assert_int_equal(block_extent(block, 0, block->size, &kind, &length, NULL), 0);
    uint64_t data = check_extents(block);
    /* A file system without holes says that all is data, which is as right. */
    assert_true(data >= (1 << 20) + 4096 && data <= block->size);
    assert_true(kind == BLOCK_DATA || length == 1 << 20);
    assert_int_equal(block_extent(block, (1 << 20) + 5, 7, &kind, &length, NULL), 0);
    assert_int_equal(kind, BLOCK_DATA);
    assert_int_equal(length, 7);
}

static void a_file_cut_short_while_open_is_an_error(void **state)
{
    (void)state;
    make_file("disk", 65536);
    _cleanup_block_ struct block *block = must_open("disk", IMAGE_RAW, false);
    assert_int_equal(truncate("disk", 4096), 0);
    uint8_t bytes[4096];
    struct error *error = NULL;
    assert_int_equal(block_pread(block, bytes, sizeof(bytes), 32768, &error), -EIO);
    assert_non_null(strstr(error_message(error), "disk"));
    error_free(error);
}

static void what_is_no_image_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir("directory", 0755), 0);
    assert_int_equal(mkfifo("fifo", 0644), 0);
    must_refuse("directory", IMAGE_AUTO, EISDIR, "directory: is a directory");
    must_refuse("fifo", IMAGE_AUTO, EINVAL, "fifo: is neither a file nor a block device");
    must_refuse("/dev/null", IMAGE_AUTO, EINVAL, "neither a file nor a block device");
    must_refuse("missing", IMAGE_AUTO, ENOENT, "missing: cannot open");
}

/* A kind that fails, to see what the gate makes of it. */
static int failing_read(struct block *block, void *buf, size_t count, uint64_t offset,
                        struct error **err)
{
    (void)buf;
    (void)count;
    (void)offset;
    return error_set(err, EIO, "%s: the disk is on fire", block->name);
}

static void kinds_may_leave_out_what_they_cannot(void **state)
{
    (void)state;
    static const struct block_ops ops = {.name = "failing", .pread = failing_read};
    struct block *block = calloc(1, sizeof(*block));
    block->ops = &ops;
    block->name = strdup("torch");
    block->size = 100;
    block->writable = true;
    enum block_state kind;
    uint64_t length;
    uint8_t byte;
    struct error *error = NULL;
    assert_int_equal(block_pread(block, &byte, 1, 0, &error), -EIO);
    assert_string_equal(error_message(error), "torch: the disk is on fire");
    error_free(error);
    assert_int_equal(block_pwrite(block, "x", 1, 0, NULL), -EROFS);
    assert_int_equal(block_flush(block, NULL), 0);
    assert_int_equal(block_extent(block, 10, 20, &kind, &length, NULL), 0);
    assert_int_equal(kind, BLOCK_DATA);
    assert_int_equal(length, 20);
    block_close(block);
    block_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(ranges_beyond_the_disk_are_refused),
        scratch_test(a_block_opened_for_reading_is_not_written),
        scratch_test(what_is_written_is_read),
        scratch_test(holes_of_the_file_are_known),
        scratch_test(a_file_cut_short_while_open_is_an_error),
        scratch_test(what_is_no_image_is_refused),
        cmocka_unit_test(kinds_may_leave_out_what_they_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
