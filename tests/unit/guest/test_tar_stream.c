/* The archives that go into the appliance, as tar(1) reads them. */
#include "tests/unit/guest/fixture.h"

#include "guest/appliance/tar_stream.h"

/* What tar(1) tells about the archive. */
static char *listing(const struct fixture *fx, const struct str *archive)
{
    char path[300];
    char *out = NULL;
    snprintf(path, sizeof(path), "%s/files.tar", fx->dir);
    assert_ok(file_write_atomic(path, archive->data, archive->length, 0600, err));
    fixture_run(
        (const char *const[]){"tar", "--numeric-owner", "--utc", "--full-time", "-tvf", path, NULL},
        &out);
    return out;
}

static void expect_line(const char *text, const char *wanted)
{
    if (!strstr(text, wanted))
        fail_msg("'%s' is not in:\n%s", wanted, text);
}

static void add(struct tar_stream *stream, const char *name, struct guest_new_file file)
{
    assert_ok(tar_stream_add(stream, name, &file, err));
}

static void numbers_and_names_of_any_size_are_kept(void **state)
{
    struct fixture *fx = *state;
    _cleanup_str_ struct str archive = {0};
    _cleanup_tar_stream_ struct tar_stream *stream = NULL;
    char longest[251];
    memset(longest, 'n', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    static const struct guest_file_attr odd = {.mode = 06755, .uid = 4294967294u, .gid = 3000000};
    static const struct guest_file_attr plain = {.mode = 0600, .uid = 1, .gid = 2};
    assert_ok(tar_stream_new(&archive, &stream, err));
    add(stream, "etc/plain", (struct guest_new_file){.data = "abc", .size = 3, .attr = plain});
    add(stream, "odd", (struct guest_new_file){.attr = odd, .mtime = -0x80000000LL});
    add(stream, "\xff\xe4 bytes", (struct guest_new_file){.attr = plain, .mtime = 3});
    add(stream, longest, (struct guest_new_file){.attr = plain, .mtime = 0x37fffffffLL});
    longest[99] = '\0';
    add(stream, longest, (struct guest_new_file){.attr = plain, .mtime = 1});
    longest[99] = 'n';
    longest[100] = '\0';
    add(stream, longest, (struct guest_new_file){.attr = plain, .mtime = 2});
    assert_ok(tar_stream_end(stream, err));
    _cleanup_free_ char *text = listing(fx, &archive);
    expect_line(text, "-rw------- 1/2");
    expect_line(text, " 3 1970-01-01 00:00:00 etc/plain\n");
    expect_line(text, "-rwsr-sr-x 4294967294/3000000");
    expect_line(text, " 0 1901-12-13 20:45:52 odd\n");
    expect_line(text, " 0 2446-05-10 22:38:55 nnnn");
    expect_line(text, "1970-01-01 00:00:01 nnn");
    expect_line(text, "1970-01-01 00:00:02 nnn");
    expect_line(text, "1970-01-01 00:00:03 \\377\\344 bytes\n");
    size_t lines = 0;
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    /* One for each, and a word of tar(1) about the name that is no text. */
    assert_int_equal(lines, 7);
    longest[100] = 'n';
    expect_line(text, longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_and_names_of_any_size_are_kept, fixture_set_up_root,
                                        fixture_tear_down),
    };
    return cmocka_run_group_tests_name("guest/tar-stream", tests, NULL, NULL);
}
