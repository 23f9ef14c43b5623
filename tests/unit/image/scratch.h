/* A directory of its own for each test, the tools that make and judge images, and block sources
 * whose I/O fails on demand. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/fdio.h"
#include "base/proc.h"
#include "base/str.h"
#include "image/image.h"
#include "tests/unit/unit.h"

struct scratch {
    char directory[128];
    char before[512]; /* the working directory to return to */
};

/* The test runs inside its directory, so that plain file names do. */
static int scratch_enter(void **state)
{
    struct scratch *s = calloc(1, sizeof(*s));
    const char *base = getenv("TMPDIR");
    snprintf(s->directory, sizeof(s->directory), "%s/kiln-unit.XXXXXX",
             base && strlen(base) < 100 ? base : "/tmp");
    if (!getcwd(s->before, sizeof(s->before)) || !mkdtemp(s->directory) || chdir(s->directory) < 0)
        return -1;
    *state = s;
    return 0;
}

static int scratch_remove(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static int scratch_leave(void **state)
{
    struct scratch *s = *state;
    int r = chdir(s->before);
    if (r == 0)
        r = nftw(s->directory, scratch_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(s);
    return r;
}

#define scratch_test(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, scratch_enter, scratch_leave)

/* Runs a tool to its end and returns its exit status; *ret_out: what it printed, or NULL. */
static inline int tool_output(const char *const *argv, char **ret_out)
{
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    struct proc_output output = {0};
    if (proc_run(&options, NULL, 0, 16 << 20, 60 * 1000, &output, NULL) < 0)
        fail_msg("%s: cannot be run", argv[0]);
    if (ret_out)
        *ret_out = TAKE_PTR(output.out);
    int status = WIFEXITED(output.status) ? WEXITSTATUS(output.status) : -1;
    proc_output_free(&output);
    return status;
}

#define tool(...) tool_output((const char *const[]){__VA_ARGS__, NULL}, NULL)
#define must(...) assert_int_equal(tool(__VA_ARGS__), 0)

static inline void make_file(const char *path, uint64_t size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    close(fd);
}

static inline void write_at(const char *path, uint64_t offset, const void *bytes, size_t count)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(fd_pwrite_full(fd, bytes, count, offset, path, NULL), 0);
    close(fd);
}

/* Bytes that look random and depend on where they are, so that none is mistaken for another. */
static inline void pattern(uint8_t *bytes, size_t count, uint64_t seed)
{
    uint64_t x = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < count; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes[i] = (uint8_t)x;
    }
}

static inline void write_pattern(const char *path, uint64_t offset, size_t count)
{
    uint8_t *bytes = malloc(count);
    pattern(bytes, count, offset + 1);
    write_at(path, offset, bytes, count);
    free(bytes);
}

static inline struct block *must_open(const char *path, enum image_format format, bool writable)
{
    const struct image_open_options options = {.format = format, .writable = writable};
    struct error *error = NULL;
    struct block *block = NULL;
    if (image_open(path, &options, &block, &error) < 0)
        fail_msg("%s", error_message(error));
    return block;
}

/* Opening must fail with that errno, and with `text` in its message. */
static inline void must_refuse(const char *path, enum image_format format, int errnum,
                               const char *text)
{
    const struct image_open_options options = {.format = format, .lock = true};
    struct error *error = NULL;
    struct block *block = NULL;
    int r = image_open(path, &options, &block, &error);
    if (r == 0) {
        block_close(block);
        fail_msg("%s was opened, but should fail with '%s'", path, text);
    }
    if (!strstr(error_message(error), text))
        fail_msg("'%s' lacks '%s'", error_message(error), text);
    assert_int_equal(r, -errnum);
    error_free(error);
}

static inline void must_read(struct block *block, void *buf, size_t count, uint64_t offset)
{
    struct error *error = NULL;
    if (block_pread(block, buf, count, offset, &error) < 0)
        fail_msg("%s", error_message(error));
}

/* Both blocks read alike: whole, and at odd places. */
static inline void must_equal(struct block *a, struct block *b)
{
    enum { step = (1 << 20) + 4095 };
    uint8_t *x = malloc(step), *y = malloc(step);
    assert_int_equal(a->size, b->size);
    for (uint64_t offset = 0; offset < a->size; offset += step) {
        size_t count = (size_t)min_u64(step, a->size - offset);
        must_read(a, x, count, offset);
        must_read(b, y, count, offset);
        if (memcmp(x, y, count) != 0)
            fail_msg("%s and %s differ behind %llu", a->name, b->name, (unsigned long long)offset);
    }
    free(x);
    free(y);
}

/* What the block calls a hole reads as zeroes, and its runs cover it. Returns the bytes of data. */
static inline uint64_t check_extents(struct block *block)
{
    uint64_t data = 0;
    for (uint64_t offset = 0; offset < block->size;) {
        enum block_state state;
        uint64_t length;
        struct error *error = NULL;
        if (block_extent(block, offset, block->size - offset, &state, &length, &error) < 0)
            fail_msg("%s", error_message(error));
        for (uint64_t at = 0; state == BLOCK_ZERO && at < length; at += 65536) {
            uint8_t bytes[65536];
            size_t count = (size_t)min_u64(sizeof(bytes), length - at);
            assert_int_equal(block_pread(block, bytes, count, offset + at, NULL), 0);
            assert_true(bytes[0] == 0 && memcmp(bytes, bytes + 1, count - 1) == 0);
        }
        data += state == BLOCK_DATA ? length : 0;
        offset += length;
    }
    return data;
}
