/* Copies of whole images, and their digests. */

#include <signal.h>
#include <sys/resource.h>

#include "image/copy.h"
#include "tests/unit/image/scratch.h"

enum { disk_size = 40 << 20 };

static void make_disk(const char *path)
{
    make_file(path, disk_size + 777);
    write_pattern(path, 10, 5000);
    write_pattern(path, 20 << 20, 3 << 20);
    write_pattern(path, disk_size + 700, 77);
}

static int copy(const char *from, const char *to, enum copy_method *ret, struct reporter *reporter,
                struct error **err)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    assert_true(in >= 0 && out >= 0);
    int r = copy_file_sparse(in, from, out, to, reporter, ret, err);
    close(in);
    close(out);
    return r;
}

static void must_be_same(const char *a, const char *b)
{
    must("cmp", a, b);
    struct stat x, y;
    assert_int_equal(stat(a, &x), 0);
    assert_int_equal(stat(b, &y), 0);
    assert_true(y.st_blocks <= x.st_blocks + 64);
}

struct counter {
    struct reporter reporter;
    unsigned ends;
};

static void count_ends(struct reporter *reporter, const char *task, uint64_t done, uint64_t total)
{
    assert_string_equal(task, "Copying");
    ((struct counter *)reporter)->ends += done == total;
}

static void a_copy_is_equal_and_as_sparse(void **state)
{
    (void)state;
    enum copy_method method;
    struct counter counter = {.reporter = {.progress = count_ends}};
    make_disk("disk");
    assert_int_equal(copy("disk", "out", &method, &counter.reporter, NULL), 0);
    must_be_same("disk", "out");
    assert_int_equal(counter.ends, 1);
}

static void a_copy_to_another_file_system_is_equal(void **state)
{
    (void)state;
    if (access("/dev/shm", W_OK) < 0)
        skip_because("/dev/shm cannot be written");
    char there[] = "/dev/shm/kiln-unit.XXXXXX";
    int fd = mkstemp(there);
    assert_true(fd >= 0);
    close(fd);
    make_disk("disk");
    int r = copy("disk", there, NULL, NULL, NULL);
    int same = tool("cmp", "disk", there);
    struct stat st;
    stat(there, &st);
    unlink(there);
    assert_int_equal(r, 0);
    assert_int_equal(same, 0);
    assert_true((uint64_t)st.st_blocks * 512 < disk_size / 2);
}

static void empty_and_hollow_files_are_copied(void **state)
{
    (void)state;
    make_file("empty", 0);
    assert_int_equal(copy("empty", "out1", NULL, NULL, NULL), 0);
    must_be_same("empty", "out1");
    /* As large as a disk gets, in no time. */
    make_file("hollow", UINT64_C(8) << 40);
    assert_int_equal(copy("hollow", "out2", NULL, NULL, NULL), 0);
    struct stat st;
    assert_int_equal(stat("out2", &st), 0);
    assert_int_equal(st.st_size, UINT64_C(8) << 40);
    assert_true(st.st_blocks < 64);
}

static void the_target_must_be_empty(void **state)
{
    (void)state;
    struct error *error = NULL;
    make_disk("disk");
    make_file("out", 5);
    assert_int_equal(copy("disk", "out", NULL, NULL, &error), -EINVAL);
    assert_string_equal(error_message(error), "out: is not empty");
    error_free(error);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct error *error = NULL;
    make_disk("disk");
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 2 << 20;
    setrlimit(RLIMIT_FSIZE, &small);
    int r = copy("disk", "out", NULL, NULL, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    /* Where a reflink is possible, the limit does not count. */
    if (r == 0)
        return;
    assert_int_equal(r, -EFBIG);
    assert_non_null(strstr(error_message(error), "out: "));
    error_free(error);
}

static int to_raw(const char *from, const char *to)
{
    struct counter counter = {.reporter = {.progress = count_ends}};
    _cleanup_block_ struct block *block = must_open(from, IMAGE_AUTO, false);
    int out = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    int r = copy_block_to_raw(block, out, to, &counter.reporter, NULL);
    close(out);
    if (r == 0)
        assert_int_equal(counter.ends, 1);
    return r;
}

static void a_qcow2_image_becomes_the_raw_disk(void **state)
{
    (void)state;
    make_disk("disk");
    assert_int_equal(truncate("disk", disk_size), 0);
    must("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", "disk", "image");
    assert_int_equal(to_raw("image", "out"), 0);
    must_be_same("disk", "out");
    /* Allocated clusters full of zeroes become holes. */
    must("qemu-img", "create", "-q", "-f", "qcow2", "-o", "preallocation=full", "image", "16M");
    assert_int_equal(to_raw("image", "out"), 0);
    struct stat st;
    assert_int_equal(stat("out", &st), 0);
    assert_int_equal(st.st_size, 16 << 20);
    assert_true(st.st_blocks < 64);
}

/* A disk of 4 MiB of which the second MiB is data; reading anything else is wrong. */
static int strict_read(struct block *block, void *buf, size_t count, uint64_t offset,
                       struct error **err)
{
    if (offset < 1 << 20 || offset + count > 2 << 20)
        return error_set(err, EIO, "%s: holes are not to be read", block->name);
    memset(buf, 'd', count);
    return 0;
}

static int strict_extent(struct block *block, uint64_t offset, uint64_t length,
                         enum block_state *ret, uint64_t *ret_length, struct error **err)
{
    (void)block;
    (void)err;
    bool data = offset >= 1 << 20 && offset < 2 << 20;
    uint64_t end = offset < 1 << 20 ? 1 << 20 : (offset < 2 << 20 ? 2 << 20 : 4 << 20);
    *ret = data ? BLOCK_DATA : BLOCK_ZERO;
    *ret_length = min_u64(length, end - offset);
    return 0;
}

static void holes_are_not_read(void **state)
{
    (void)state;
    static const struct block_ops ops = {
        .name = "strict", .pread = strict_read, .extent = strict_extent};
    struct block *block = calloc(1, sizeof(*block));
    char hex[DIGEST_MAX_HEX], expected[DIGEST_MAX_HEX];
    block->ops = &ops;
    block->name = strdup("strict");
    block->size = 4 << 20;
    char *bytes = calloc(1, 4 << 20);
    memset(bytes + (1 << 20), 'd', 1 << 20);
    assert_int_equal(digest_bytes(DIGEST_SHA512, bytes, 4 << 20, expected, NULL), 0);
    free(bytes);
    assert_int_equal(block_digest(block, DIGEST_SHA512, hex, NULL), 0);
    assert_int_equal(strlen(hex), 128);
    int out = open("out", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(copy_block_to_raw(block, out, "out", NULL, NULL), 0);
    assert_int_equal(digest_fd(DIGEST_SHA512, out, "out", hex, NULL), 0);
    assert_string_equal(hex, expected);
    close(out);
    block_close(block);
}

static void digest_of(const char *path, char *hex)
{
    _cleanup_block_ struct block *block = must_open(path, IMAGE_RAW, false);
    assert_int_equal(block_digest(block, DIGEST_SHA256, hex, NULL), 0);
}

static void the_digest_tells_every_change(void **state)
{
    (void)state;
    char before[DIGEST_MAX_HEX], after[DIGEST_MAX_HEX];
    make_file("disk", disk_size);
    write_pattern("disk", 1 << 20, 4096);
    digest_of("disk", before);
    write_at("disk", 30 << 20, "x", 1);
    digest_of("disk", after);
    assert_string_not_equal(before, after);
    /* Zeroes are zeroes, written or not. */
    write_at("disk", 30 << 20, "", 1);
    digest_of("disk", after);
    assert_string_equal(before, after);
    assert_int_equal(truncate("disk", disk_size + 512), 0);
    digest_of("disk", after);
    assert_string_not_equal(before, after);
    /* The same bytes elsewhere. */
    make_file("moved", disk_size);
    uint8_t bytes[4096];
    pattern(bytes, sizeof(bytes), (1 << 20) + 1);
    write_at("moved", 1 << 20, bytes, sizeof(bytes));
    digest_of("moved", after);
    assert_string_equal(before, after);
    make_file("moved", disk_size);
    write_at("moved", 2 << 20, bytes, sizeof(bytes));
    digest_of("moved", after);
    assert_string_not_equal(before, after);
}

static int failing_read(struct block *block, void *buf, size_t count, uint64_t offset,
                        struct error **err)
{
    (void)buf;
    (void)count;
    return offset < 2 << 20 ? 0 : error_set(err, EIO, "%s: bad sector", block->name);
}

static void an_error_while_reading_is_passed_on(void **state)
{
    (void)state;
    static const struct block_ops ops = {.name = "failing", .pread = failing_read};
    struct block *block = calloc(1, sizeof(*block));
    struct error *error = NULL;
    char hex[DIGEST_MAX_HEX];
    block->ops = &ops;
    block->name = strdup("old disk");
    block->size = 4 << 20;
    assert_int_equal(block_digest(block, DIGEST_SHA256, hex, &error), -EIO);
    assert_string_equal(error_message(error), "old disk: bad sector");
    error_free(error);
    int out = open("out", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(copy_block_to_raw(block, out, "out", NULL, NULL), -EIO);
    close(out);
    block_close(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(a_copy_is_equal_and_as_sparse),
        scratch_test(a_copy_to_another_file_system_is_equal),
        scratch_test(empty_and_hollow_files_are_copied),
        scratch_test(the_target_must_be_empty),
        scratch_test(a_full_disk_is_an_error),
        scratch_test(a_qcow2_image_becomes_the_raw_disk),
        scratch_test(holes_are_not_read),
        scratch_test(the_digest_tells_every_change),
        scratch_test(an_error_while_reading_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
