/* Staged writes: kept apart from the base, read back over it, written into it in order. */

#include <unistd.h>

#include <sys/syscall.h>

#include "image/staged.h"
#include "tests/unit/image/scratch.h"

enum { cluster = 4096, model_size = 3 * 1024 * 1024 + 777 };

/* A base in memory that counts, records and fails on demand. */
struct memory_block {
    struct block block;
    uint8_t *bytes;
    unsigned reads, writes, flushes;
    uint64_t last_end;                     /* of the previous write: they must ascend */
    bool unordered;                        /* they need not */
    int fail_read, fail_write, fail_flush; /* 1: the next one fails; n: the n-th from now */
};

static int count_down(int *fault, const char *what, struct error **err)
{
    if (*fault > 0 && --*fault == 0)
        return error_set(err, EIO, "injected %s error", what);
    return 0;
}

static int memory_pread(struct block *block, void *buf, size_t count, uint64_t offset,
                        struct error **err)
{
    struct memory_block *memory = (struct memory_block *)block;
    memory->reads++;
    memcpy(buf, memory->bytes + offset, count);
    return count_down(&memory->fail_read, "read", err);
}

static int memory_pwrite(struct block *block, const void *buf, size_t count, uint64_t offset,
                         struct error **err)
{
    struct memory_block *memory = (struct memory_block *)block;
    int r = count_down(&memory->fail_write, "write", err);
    if (r < 0)
        return r;
    assert_true(memory->unordered || memory->writes == 0 || offset >= memory->last_end);
    memory->writes++;
    memory->last_end = offset + count;
    memcpy(memory->bytes + offset, buf, count);
    return 0;
}

static int memory_flush(struct block *block, struct error **err)
{
    struct memory_block *memory = (struct memory_block *)block;
    memory->flushes++;
    return count_down(&memory->fail_flush, "flush", err);
}

static int memory_extent(struct block *block, uint64_t offset, uint64_t length,
                         enum block_state *ret, uint64_t *ret_length, struct error **err)
{
    const struct memory_block *memory = (const struct memory_block *)block;
    (void)err;
    uint64_t run = 1;
    bool zero = memory->bytes[offset] == 0;
    while (run < length && (memory->bytes[offset + run] == 0) == zero)
        run++;
    *ret = zero ? BLOCK_ZERO : BLOCK_DATA;
    *ret_length = run;
    return 0;
}

static void memory_close(struct block *block)
{
    free(((struct memory_block *)block)->bytes);
}

static const struct block_ops memory_ops = {
    .name = "memory",
    .pread = memory_pread,
    .pwrite = memory_pwrite,
    .flush = memory_flush,
    .extent = memory_extent,
    .close = memory_close,
};

static struct memory_block *make_base(size_t size)
{
    struct memory_block *memory = calloc(1, sizeof(*memory));
    memory->block = (struct block){.ops = &memory_ops, .size = size, .writable = true};
    memory->block.name = strdup("base");
    memory->bytes = calloc(1, size + 1);
    return memory;
}

static struct block *stage(struct memory_block *base, uint64_t memory_max)
{
    const struct staged_options options = {.memory_max = memory_max};
    struct block *staged = NULL;
    assert_int_equal(staged_open(&base->block, &options, &staged, NULL), 0);
    return staged;
}

/* The temporary file's writes fail with this, where it is not 0. The test program's own pwrite()
 * stands before the C library's. */
static int pwrite_errno;

ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset)
{
    if (pwrite_errno) {
        errno = pwrite_errno;
        return -1;
    }
    return syscall(SYS_pwrite64, fd, buf, count, offset);
}

static unsigned rnd(unsigned *seed, unsigned below)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 8) % below;
}

static void check_against_model(struct block *staged, const uint8_t *model)
{
    uint8_t *bytes = malloc(model_size);
    must_read(staged, bytes, model_size, 0);
    assert_memory_equal(bytes, model, model_size);
    free(bytes);
}

/* Random reads and writes of all sizes, against an array, with little memory and with enough. */
static void run_model(unsigned seed, uint64_t memory_max)
{
    struct memory_block *base = make_base(model_size);
    pattern(base->bytes + 100000, 500000, seed);
    uint8_t *before = malloc(model_size), *model = malloc(model_size), *chunk = malloc(model_size);
    memcpy(before, base->bytes, model_size);
    memcpy(model, base->bytes, model_size);
    _cleanup_block_ struct block *staged = stage(base, memory_max);
    for (unsigned i = 0; i < 400; i++) {
        unsigned at = rnd(&seed, model_size);
        unsigned most = rnd(&seed, 4) ? 9000 : 400000;
        unsigned count = rnd(&seed, most) + 1;
        at = rnd(&seed, 2) ? at : at / cluster * cluster;
        count = count > model_size - at ? model_size - at : count;
        if (rnd(&seed, 3) == 0) {
            must_read(staged, chunk, count, at);
            assert_memory_equal(chunk, model + at, count);
            continue;
        }
        if (rnd(&seed, 4) == 0) {
            memset(model + at, 0, count);
            assert_int_equal(block_discard(staged, at, count, NULL), 0);
            continue;
        }
        pattern(chunk, count, i);
        memcpy(model + at, chunk, count);
        assert_int_equal(block_pwrite(staged, chunk, count, at, NULL), 0);
    }
    check_against_model(staged, model);
    check_extents(staged);
    assert_memory_equal(base->bytes, before, model_size);
    assert_int_equal(base->writes, 0);
    assert_true(staged_size(staged) > 0 && staged_size(staged) <= model_size + cluster);

    base->unordered = true; /* what was discarded is let go in the end */
    assert_int_equal(staged_commit(staged, NULL, IMAGE_AUTO, NULL), 0);
    assert_memory_equal(base->bytes, model, model_size);
    assert_int_equal(base->flushes, 2); /* of the changes, and of what was let go */
    assert_int_equal(staged_size(staged), 0);
    check_against_model(staged, model);
    free(before);
    free(model);
    free(chunk);
}

static void reads_give_what_was_written_last(void **state)
{
    (void)state;
    run_model(1, 0);
    run_model(2, cluster);
    run_model(3, 300 * cluster);
    run_model(4, 1);
}

static void an_abandoned_layer_leaves_the_base_alone(void **state)
{
    (void)state;
    make_file("disk", 1 << 20);
    struct block *staged = NULL;
    assert_int_equal(staged_open(must_open("disk", IMAGE_RAW, false), NULL, &staged, NULL), 0);
    assert_string_equal(staged->name, "disk");
    assert_int_equal(block_pwrite(staged, "hello", 5, 70000, NULL), 0);
    struct error *error = NULL;
    assert_int_equal(staged_commit(staged, NULL, IMAGE_AUTO, &error), -EROFS);
    error_free(error);
    block_close(staged);
    _cleanup_block_ struct block *block = must_open("disk", IMAGE_RAW, false);
    assert_int_equal(check_extents(block), 0);
}

static void a_whole_cluster_needs_nothing_of_the_base(void **state)
{
    (void)state;
    uint8_t bytes[4 * cluster] = {1};
    struct memory_block *base = make_base(1 << 20);
    _cleanup_block_ struct block *staged = stage(base, 0);
    assert_int_equal(block_pwrite(staged, bytes, sizeof(bytes), 8 * cluster, NULL), 0);
    assert_int_equal(base->reads, 0);
    assert_int_equal(block_pwrite(staged, bytes, 10, 9 * cluster + 5, NULL), 0);
    assert_int_equal(base->reads, 0);
    assert_int_equal(block_pwrite(staged, bytes, 10, 20 * cluster + 5, NULL), 0);
    assert_int_equal(base->reads, 1);
    assert_int_equal(staged_size(staged), 5 * cluster);
}

static void adjacent_clusters_are_written_together(void **state)
{
    (void)state;
    uint8_t bytes[cluster];
    memset(bytes, 7, sizeof(bytes));
    struct memory_block *base = make_base(2 << 20);
    _cleanup_block_ struct block *staged = stage(base, 10 * cluster);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(block_pwrite(staged, bytes, cluster, (99 - i) * cluster, NULL), 0);
    assert_int_equal(block_pwrite(staged, bytes, cluster, 300 * cluster, NULL), 0);
    assert_int_equal(staged_commit(staged, NULL, IMAGE_AUTO, NULL), 0);
    assert_int_equal(base->writes, 2);
}

/* Wherever the commit is cut short, the base holds the guard, or nothing of the changes. */
static void a_guard_stands_while_the_commit_is_under_way(void **state)
{
    (void)state;
    uint8_t bytes[cluster];
    memset(bytes, 7, sizeof(bytes));
    for (unsigned fail = 1; fail <= 5; fail++) {
        struct memory_block *base = make_base(1 << 20);
        _cleanup_block_ struct block *staged = stage(base, 10 * cluster);
        for (unsigned i = 0; i < 8; i += 2)
            assert_int_equal(block_pwrite(staged, bytes, cluster, i * cluster, NULL), 0);
        assert_int_equal(staged_guard(staged, 2 * cluster + 1024, "torn", 4, NULL), 0);
        assert_int_equal(staged_guard(staged, 3 * cluster, "idle", 4, NULL), 0);
        base->unordered = true;
        base->fail_write = (int)fail;
        assert_int_equal(staged_commit(staged, NULL, IMAGE_AUTO, NULL), -ETORN);
        bool begun = base->bytes[0] == 7;
        assert_int_equal(begun, fail > 2);
        assert_int_equal(memcmp(base->bytes + 2 * cluster + 1024, "torn", 4) == 0, fail > 1);
        assert_int_not_equal(memcmp(base->bytes + 3 * cluster, "idle", 4), 0);
        base->fail_write = 0;
        assert_int_equal(staged_commit(staged, NULL, IMAGE_AUTO, NULL), 0);
        assert_memory_equal(base->bytes + 2 * cluster, bytes, cluster);
    }
}

static void a_failed_commit_can_be_repeated(void **state)
{
    (void)state;
    uint8_t bytes[cluster];
    struct memory_block *base = make_base(1 << 20);
    _cleanup_block_ struct block *staged = stage(base, 2 * cluster);
    for (unsigned i = 0; i < 6; i++) {
        pattern(bytes, cluster, i);
        assert_int_equal(block_pwrite(staged, bytes, cluster, 2 * i * cluster, NULL), 0);
    }
    struct error *error = NULL;
    base->fail_write = 3;
    assert_int_equal(staged_commit(staged, NULL, IMAGE_AUTO, &error), -ETORN);
    assert_non_null(strstr(error_message(error), "injected write error"));
    assert_non_null(strstr(error_message(error), "some of the changes"));
    error_clear(&error);
    base->writes = 0;
    base->fail_flush = 1;
    assert_int_equal(staged_commit(staged, NULL, IMAGE_AUTO, &error), -ETORN);
    error_clear(&error);
    assert_int_equal(staged_size(staged), 6 * cluster);
    base->writes = 0;
    assert_int_equal(staged_commit(staged, NULL, IMAGE_AUTO, NULL), 0);
    for (unsigned i = 0; i < 6; i++) {
        pattern(bytes, cluster, i);
        assert_memory_equal(base->bytes + 2 * i * cluster, bytes, cluster);
    }
}

static void read_errors_of_the_base_are_told(void **state)
{
    (void)state;
    uint8_t bytes[cluster];
    struct memory_block *base = make_base(1 << 20);
    memset(base->bytes, 9, 1 << 20);
    _cleanup_block_ struct block *staged = stage(base, 0);
    base->fail_read = 1;
    assert_int_equal(block_pread(staged, bytes, 10, 0, NULL), -EIO);
    base->fail_read = 1;
    assert_int_equal(block_pwrite(staged, "x", 1, 5000, NULL), -EIO);
    assert_int_equal(staged_size(staged), 0);
    assert_int_equal(block_pwrite(staged, "x", 1, 5000, NULL), 0);
    must_read(staged, bytes, cluster, cluster);
    assert_int_equal(bytes[0], 9);
    assert_int_equal(bytes[5000 - cluster], 'x');
}

static void a_full_temporary_directory_is_named(void **state)
{
    (void)state;
    uint8_t bytes[cluster], read_back[cluster];
    pattern(bytes, cluster, 1);
    struct memory_block *base = make_base(1 << 20);
    _cleanup_block_ struct block *staged = stage(base, cluster);
    assert_int_equal(block_pwrite(staged, bytes, cluster, 0, NULL), 0);
    pwrite_errno = ENOSPC;
    struct error *error = NULL;
    int r = block_pwrite(staged, bytes, cluster, cluster, &error);
    pwrite_errno = 0;
    assert_int_equal(r, -ENOSPC);
    const char *directory = getenv("TMPDIR");
    assert_non_null(strstr(error_message(error), directory ? directory : "/var/tmp"));
    assert_non_null(strstr(error_remedy(error), "TMPDIR"));
    error_free(error);
    /* What was staged before is still right, and so is what could not be. */
    must_read(staged, read_back, cluster, 0);
    assert_memory_equal(read_back, bytes, cluster);
    must_read(staged, read_back, cluster, cluster);
    assert_int_equal(read_back[0], 0);
    assert_int_equal(block_pwrite(staged, bytes, cluster, cluster, NULL), 0);
    assert_int_equal(staged_commit(staged, NULL, IMAGE_AUTO, NULL), 0);
    assert_memory_equal(base->bytes + cluster, bytes, cluster);
}

static void a_missing_temporary_directory_is_named(void **state)
{
    (void)state;
    _cleanup_free_ char *before = getenv("TMPDIR") ? strdup(getenv("TMPDIR")) : NULL;
    setenv("TMPDIR", "/nowhere/at-all", 1);
    struct memory_block *base = make_base(1 << 20);
    _cleanup_block_ struct block *staged = stage(base, 1);
    struct error *error = NULL;
    int r = block_pwrite(staged, "x", 1, 0, &error);
    if (before)
        setenv("TMPDIR", before, 1);
    else
        unsetenv("TMPDIR");
    assert_int_equal(r, -ENOENT);
    assert_non_null(strstr(error_message(error), "/nowhere/at-all"));
    error_free(error);
}

static void what_was_discarded_becomes_holes(void **state)
{
    (void)state;
    make_file("disk", 8 << 20);
    write_pattern("disk", 0, 4 << 20);
    struct block *staged = NULL;
    assert_int_equal(staged_open(must_open("disk", IMAGE_RAW, true), NULL, &staged, NULL), 0);
    assert_int_equal(block_discard(staged, 1000, (8 << 20) - 1000, NULL), 0);
    /* Holes of the base need not be remembered. */
    assert_true(staged_size(staged) <= 4 << 20);
    assert_int_equal(check_extents(staged), cluster);
    assert_int_equal(block_pwrite(staged, "x", 1, 1 << 20, NULL), 0);
    assert_int_equal(block_discard(staged, 1 << 20, cluster, NULL), 0);
    assert_int_equal(block_pwrite(staged, "y", 1, (1 << 20) + 9, NULL), 0);
    assert_int_equal(staged_commit(staged, NULL, IMAGE_AUTO, NULL), 0);
    block_close(staged);
    _cleanup_block_ struct block *block = must_open("disk", IMAGE_RAW, false);
    char bytes[16];
    must_read(block, bytes, sizeof(bytes), 1 << 20);
    assert_memory_equal(bytes, "\0\0\0\0\0\0\0\0\0y\0\0\0\0\0\0", sizeof(bytes));
    uint64_t data = check_extents(block);
    assert_true(data == 2 * cluster || data == block->size);
}

/* Two writes at both ends of a vast disk must cost nothing in proportion to it. */
static void a_vast_disk_costs_no_more(void **state)
{
    (void)state;
    make_file("disk", UINT64_C(6) << 40);
    struct block *staged = NULL;
    assert_int_equal(staged_open(must_open("disk", IMAGE_RAW, true), NULL, &staged, NULL), 0);
    assert_int_equal(block_pwrite(staged, "head", 4, 0, NULL), 0);
    assert_int_equal(block_pwrite(staged, "tail", 4, staged->size - 4, NULL), 0);
    assert_int_equal(staged_size(staged), 2 * cluster);
    enum block_state kind;
    uint64_t length;
    assert_int_equal(block_extent(staged, staged->size - 4, 4, &kind, &length, NULL), 0);
    assert_int_equal(kind, BLOCK_DATA);
    assert_int_equal(staged_commit(staged, NULL, IMAGE_AUTO, NULL), 0);
    char bytes[4];
    must_read(staged, bytes, 4, staged->size - 4);
    assert_memory_equal(bytes, "tail", 4);
    block_close(staged);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_give_what_was_written_last),
        scratch_test(an_abandoned_layer_leaves_the_base_alone),
        cmocka_unit_test(a_whole_cluster_needs_nothing_of_the_base),
        cmocka_unit_test(adjacent_clusters_are_written_together),
        cmocka_unit_test(a_guard_stands_while_the_commit_is_under_way),
        cmocka_unit_test(a_failed_commit_can_be_repeated),
        cmocka_unit_test(read_errors_of_the_base_are_told),
        cmocka_unit_test(a_full_temporary_directory_is_named),
        cmocka_unit_test(a_missing_temporary_directory_is_named),
        scratch_test(what_was_discarded_becomes_holes),
        scratch_test(a_vast_disk_costs_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
