/* Expanding compressed images: right, sparse, and never fooled by damage. */

#include <signal.h>
#include <sys/resource.h>

#include "image/copy.h"
#include "image/expand.h"
#include "tests/unit/image/scratch.h"

enum { disk_size = 2 << 20 };

/* Half of it data that does not compress, so that every part of the stream matters. */
static void make_disk(const char *path)
{
    make_file(path, disk_size);
    write_pattern(path, 0, 20000);
    write_pattern(path, 1 << 20, 150000);
    write_pattern(path, disk_size - 10000, 5000);
}

static void compress(const char *command, const char *from, const char *to)
{
    char line[256];
    snprintf(line, sizeof(line), "%s <%s >%s", command, from, to);
    must("sh", "-c", line);
}

static int expand_with(const char *path, struct expand_options options, struct error **err)
{
    uint64_t size = UINT64_MAX;
    int in = open(path, O_RDONLY | O_CLOEXEC);
    int out = open("out", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(in >= 0 && out >= 0);
    int r = compression_probe(in, path, &options.compression, NULL);
    assert_int_equal(r, 0);
    if (options.max_size == 0)
        options.max_size = 64 << 20;
    r = image_expand(in, path, &options, out, &size, err);
    struct stat st;
    assert_int_equal(fstat(out, &st), 0);
    if (r == 0)
        assert_int_equal(size, st.st_size);
    close(in);
    close(out);
    return r;
}

static void must_expand_to(const char *path, const char *expected)
{
    struct error *error = NULL;
    if (expand_with(path, (struct expand_options){0}, &error) < 0)
        fail_msg("%s", error_message(error));
    _cleanup_block_ struct block *out = must_open("out", IMAGE_RAW, false);
    _cleanup_block_ struct block *disk = must_open(expected, IMAGE_RAW, false);
    must_equal(out, disk);
}

static void must_fail(const char *path, int errnum, const char *text)
{
    struct error *error = NULL;
    int r = expand_with(path, (struct expand_options){0}, &error);
    if (r == 0 || !strstr(error_message(error), text) || !strstr(error_message(error), path))
        fail_msg("'%s' lacks '%s'", r ? error_message(error) : "success", text);
    assert_int_equal(r, -errnum);
    error_free(error);
}

/* What makes packed-0, packed-1, ... of `disk`, once for all tests. */
static const char *const commands[] = {
    "xz -T1 -0",
    "xz -T2 -0 --block-size=64KiB",
    "xz -T2 -0 --block-size=64KiB --check=sha256",
    "xz -T1 -0 --check=none",
    "gzip -1",
    "zstd -q -1",
    "zstd -q -1 --check",
};

static int make_packed(void **state)
{
    int r = scratch_enter(state);
    if (r < 0)
        return r;
    make_disk("disk");
    must("sh", "-c", "cat disk disk >twice");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        char name[16];
        snprintf(name, sizeof(name), "packed-%zu", i);
        compress(commands[i], "disk", name);
    }
    return 0;
}

/* A copy of packed-I that the test may change. */
static void use_packed(size_t i)
{
    char name[16];
    snprintf(name, sizeof(name), "packed-%zu", i);
    must("cp", name, "packed");
}

enum { PACKED_XZ = 0, PACKED_XZ_BLOCKS = 1, PACKED_GZIP = 4, PACKED_ZSTD = 5 };

static void each_compression_gives_the_disk_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        use_packed(i);
        must_expand_to("packed", "disk");
    }
    must_expand_to("disk", "disk");
}

static void zeroes_become_holes(void **state)
{
    (void)state;
    make_file("hollow", 16 << 20);
    write_pattern("hollow", 8 << 20, 5000);
    compress("xz -0", "hollow", "packed");
    must_expand_to("packed", "hollow");
    struct stat st;
    assert_int_equal(stat("out", &st), 0);
    assert_true((uint64_t)st.st_blocks * 512 <= 1 << 20);
}

static void the_digest_is_that_of_the_compressed_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        char expected[DIGEST_MAX_HEX], hex[DIGEST_MAX_HEX];
        _cleanup_digest_ struct digest *digest = NULL;
        use_packed(i);
        if (str_starts(commands[i], "xz"))
            must("sh", "-c", "head -c 8 /dev/zero >>packed");
        int fd = open("packed", O_RDONLY | O_CLOEXEC);
        assert_int_equal(digest_fd(DIGEST_SHA512, fd, "packed", expected, NULL), 0);
        close(fd);
        assert_int_equal(digest_new(DIGEST_SHA512, &digest, NULL), 0);
        struct expand_options options = {.digest = digest};
        assert_int_equal(expand_with("packed", options, NULL), 0);
        assert_int_equal(digest_finish(digest, hex, NULL), 0);
        assert_string_equal(expected, hex);
    }
}

static void streams_may_follow_each_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        use_packed(i);
        must("sh", "-c", "cat packed packed >both");
        must_expand_to("both", "twice");
    }
    use_packed(PACKED_XZ);
    must("sh", "-c",
         "(cat packed; head -c 4 /dev/zero; cat packed; head -c 1048580 /dev/zero) >both");
    must_expand_to("both", "twice");
    use_packed(PACKED_GZIP);
    must("sh", "-c", "(cat packed; head -c 777 /dev/zero) >padded");
    must_expand_to("padded", "disk");
    /* A frame to be skipped, as pzstd writes them. */
    use_packed(PACKED_ZSTD);
    must("sh", "-c",
         "(cat packed; printf '\\120\\052\\115\\030\\003\\0\\0\\0abc'; cat packed) >both");
    must_expand_to("both", "twice");
}

static void what_follows_the_data_must_be_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        use_packed(i);
        must("sh", "-c", "(cat packed; echo '<html>error 404</html>') >longer");
        must_fail("longer", EINVAL, "something else follows the ");
    }
    use_packed(PACKED_XZ);
    must("sh", "-c", "(cat packed; head -c 3 /dev/zero) >longer");
    must_fail("longer", EINVAL, "something else follows the xz data");
    must("sh", "-c", "(cat packed; head -c 2 /dev/zero; cat packed) >longer");
    must_fail("longer", EINVAL, "something else follows the xz data");
    use_packed(PACKED_ZSTD);
    must("sh", "-c", "(cat packed; head -c 4 /dev/zero) >longer");
    must_fail("longer", EINVAL, "something else follows the zstd data");
}

static void a_truncated_file_is_said_to_be_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        struct stat st;
        use_packed(i);
        assert_int_equal(stat("packed", &st), 0);
        const off_t lengths[] = {st.st_size - 1, st.st_size - 13, st.st_size / 2, 20};
        for (size_t j = 0; j < ARRAY_SIZE(lengths); j++) {
            assert_int_equal(truncate("packed", lengths[j]), 0);
            must_fail("packed", EINVAL, "ends in the middle of its ");
        }
    }
}

/* gzip covers its header with no check; what comes after it, and all of the others, is covered. */
static void no_flipped_bit_goes_unnoticed(void **state)
{
    (void)state;
    static const struct {
        const char *command;
        size_t unchecked;
    } kinds[] = {{"xz -0", 0},
                 {"xz -T2 -0 --block-size=64KiB", 0},
                 {"gzip -1n", 10},
                 {"zstd -q --check", 0}};
    make_file("small", 1 << 20);
    write_pattern("small", 5000, 20000);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char *whole = NULL;
        size_t size = 0;
        compress(kinds[i].command, "small", "packed");
        assert_int_equal(file_read("packed", 2 << 20, &whole, &size, NULL), 0);
        for (size_t j = 0; j < 60; j++) {
            size_t at = kinds[i].unchecked + (size - kinds[i].unchecked - 1) * j / 59;
            char byte = (char)(whole[at] ^ (1 << j % 8));
            write_at("packed", at, &byte, 1);
            struct error *error = NULL;
            struct expand_options options = {0};
            /* In the first bytes it is no longer a compressed file, but an uncompressed one. */
            int r = at < 6 ? -EINVAL : expand_with("packed", options, &error);
            /* gzip has bits that mean nothing, which is fine where nothing changed. */
            if (r == 0 && tool("cmp", "-s", "out", "small") != 0)
                fail_msg("%s: bit %zu of byte %zu of %zu", kinds[i].command, j % 8, at, size);
            if (error)
                assert_non_null(strstr(error_message(error), "packed: "));
            error_free(error);
            write_at("packed", at, &whole[at], 1);
        }
        free(whole);
    }
}

static void a_flipped_bit_is_said_to_be_damage(void **state)
{
    (void)state;
    use_packed(PACKED_XZ_BLOCKS);
    write_at("packed", 90000, "damage", 6);
    must_fail("packed", EINVAL, "is damaged: its xz data is corrupt before byte ");
    use_packed(PACKED_GZIP);
    write_at("packed", 90000, "damage", 6);
    must_fail("packed", EINVAL, "is damaged: its gzip data is corrupt before byte ");
}

static void more_than_announced_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        struct error *error = NULL;
        struct stat st;
        struct expand_options options = {.max_size = disk_size - 1};
        use_packed(i);
        assert_int_equal(expand_with("packed", options, &error), -EFBIG);
        assert_non_null(strstr(error_message(error), "packed: expands to more than the 2097151 "));
        error_free(error);
        assert_int_equal(stat("out", &st), 0);
        assert_true(st.st_size < disk_size);
        options.max_size = disk_size;
        assert_int_equal(expand_with("packed", options, NULL), 0);
    }
}

static void memory_is_limited(void **state)
{
    (void)state;
    static const char *const greedy[] = {"xz --lzma2=dict=64MiB", "zstd -q --long=27"};
    for (size_t i = 0; i < ARRAY_SIZE(greedy); i++) {
        struct error *error = NULL;
        struct expand_options options = {.memory_limit = 8 << 20};
        compress(greedy[i], "disk", "packed");
        int r = expand_with("packed", options, &error);
        /* zstd shrinks the window to what the data needs. */
        if (i == 1 && r == 0)
            continue;
        assert_int_equal(r, -ENOMEM);
        assert_non_null(strstr(error_message(error), "packed: needs more than the 8 MiB"));
        error_free(error);
    }
    /* Several blocks do fit, one after the other. */
    use_packed(PACKED_XZ_BLOCKS);
    must_expand_to("packed", "disk");
    struct expand_options options = {.memory_limit = 3 << 20};
    assert_int_equal(expand_with("packed", options, NULL), 0);
}

static void an_empty_file_is_refused(void **state)
{
    (void)state;
    make_file("empty", 0);
    must_fail("empty", EINVAL, "empty: is empty");
}

static void the_output_must_be_empty(void **state)
{
    (void)state;
    int in = open("disk", O_RDONLY | O_CLOEXEC), out = open("disk", O_RDWR | O_CLOEXEC);
    struct expand_options options = {.max_size = 1 << 30};
    assert_int_equal(image_expand(in, "disk", &options, out, NULL, NULL), -EINVAL);
    close(in);
    close(out);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct rlimit before, small;
    struct error *error = NULL;
    use_packed(PACKED_XZ);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = before;
    small.rlim_cur = 1 << 20;
    setrlimit(RLIMIT_FSIZE, &small);
    int r = expand_with("packed", (struct expand_options){0}, &error);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(r, -EFBIG);
    assert_non_null(strstr(error_message(error), "the expanded packed: cannot write"));
    error_free(error);
}

struct counter {
    struct reporter reporter;
    unsigned ends;
    uint64_t last;
};

static void count_progress(struct reporter *reporter, const char *task, uint64_t done,
                           uint64_t total)
{
    struct counter *counter = (struct counter *)reporter;
    assert_string_equal(task, "Expanding");
    assert_true(done >= counter->last && done <= total);
    counter->last = done;
    counter->ends += done == total;
}

static void progress_ends_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        struct counter counter = {.reporter = {.progress = count_progress}};
        struct expand_options options = {.reporter = &counter.reporter, .task = "Expanding"};
        use_packed(i);
        assert_int_equal(expand_with("packed", options, NULL), 0);
        assert_int_equal(counter.ends, 1);
    }
}

static void probing_leaves_the_position_alone(void **state)
{
    (void)state;
    use_packed(PACKED_XZ);
    enum compression compression;
    int fd = open("packed", O_RDONLY | O_CLOEXEC);
    assert_int_equal(lseek(fd, 17, SEEK_SET), 17);
    assert_int_equal(compression_probe(fd, "packed", &compression, NULL), 0);
    assert_int_equal(compression, COMPRESSION_XZ);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 17);
    close(fd);
    fd = open(".", O_RDONLY | O_CLOEXEC);
    assert_int_equal(compression_probe(fd, ".", &compression, NULL), -EISDIR);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_compression_gives_the_disk_back),
        cmocka_unit_test(zeroes_become_holes),
        cmocka_unit_test(the_digest_is_that_of_the_compressed_file),
        cmocka_unit_test(streams_may_follow_each_other),
        cmocka_unit_test(what_follows_the_data_must_be_data),
        cmocka_unit_test(a_truncated_file_is_said_to_be_one),
        cmocka_unit_test(no_flipped_bit_goes_unnoticed),
        cmocka_unit_test(a_flipped_bit_is_said_to_be_damage),
        cmocka_unit_test(more_than_announced_is_refused),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(an_empty_file_is_refused),
        cmocka_unit_test(the_output_must_be_empty),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(progress_ends_once),
        cmocka_unit_test(probing_leaves_the_position_alone),
    };
    return cmocka_run_group_tests(tests, make_packed, scratch_leave);
}
