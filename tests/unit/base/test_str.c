/* Numbers that people write, and text that is shown to them. */

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "tests/unit/unit.h"

static void sizes_are_read_as_qemu_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } good[] = {
        {"10G", 10ull << 30}, {"512M", 512ull << 20}, {"1.5G", 3ull << 29},
        {"100k", 100 << 10},  {"2T", 2ull << 40},     {"4096", 4096},
        {"4096b", 4096},      {"8GiB", 8ull << 30},   {"0", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        uint64_t bytes = 1;
        assert_int_equal(parse_size(good[i].text, "--size", &bytes, NULL), 0);
        assert_true(bytes == good[i].bytes);
    }
}

static void bad_sizes_name_the_option_and_the_form(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "G",
                                      "-1G",
                                      "10X",
                                      "1e3",
                                      "0x10",
                                      " 5G",
                                      "5 G",
                                      "nan",
                                      "1.G",
                                      "inf",
                                      "99999999999T",
                                      "1111111111111111111111111111111111111111111111"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        _cleanup_error_ struct error *err = NULL;
        uint64_t bytes = 7;
        assert_true(parse_size(bad[i], "--size", &bytes, &err) < 0);
        assert_true(bytes == 7);
        assert_non_null(strstr(error_message(err), "--size"));
    }
}

static void memory_without_a_unit_is_mebibytes(void **state)
{
    (void)state;
    uint64_t bytes = 0;
    assert_int_equal(parse_memory("512", "--memory", &bytes, NULL), 0);
    assert_int_equal(bytes, 512ull << 20);
    assert_int_equal(parse_memory("2G", "--memory", &bytes, NULL), 0);
    assert_int_equal(bytes, 2ull << 30);
    assert_int_equal(parse_memory("4096b", "--memory", &bytes, NULL), 0);
    assert_int_equal(bytes, 4096);
    assert_true(parse_memory("18446744073709551615", "--memory", &bytes, NULL) < 0);
}

static void durations_default_to_seconds(void **state)
{
    (void)state;
    uint64_t ms = 0;
    assert_int_equal(parse_duration("90", "--timeout", &ms, NULL), 0);
    assert_true(ms == 90000);
    assert_int_equal(parse_duration("2m", "--timeout", &ms, NULL), 0);
    assert_true(ms == 120000);
    assert_int_equal(parse_duration("250ms", "--timeout", &ms, NULL), 0);
    assert_true(ms == 250);
    assert_int_equal(parse_duration("soon", "--timeout", &ms, NULL), -EINVAL);
}

static void numbers_do_not_wrap(void **state)
{
    (void)state;
    uint64_t n = 0;
    assert_int_equal(parse_u64("18446744073709551615", "n", &n, NULL), 0);
    assert_true(n == UINT64_MAX);
    assert_int_equal(parse_u64("18446744073709551616", "n", &n, NULL), -ERANGE);
    assert_int_equal(parse_u64("+1", "n", &n, NULL), -EINVAL);
}

static void sizes_are_shown_short(void **state)
{
    (void)state;
    char buf[16];
    assert_string_equal(format_size(12, buf), "12");
    assert_string_equal(format_size(6ull << 30, buf), "6.0G");
    assert_string_equal(format_size(812ull << 20, buf), "812M");
    assert_string_equal(format_size((1ull << 30) - 1, buf), "1.0G");
    assert_string_equal(format_size(UINT64_MAX, buf), "16.0E");
}

static void foreign_text_cannot_drive_the_terminal(void **state)
{
    (void)state;
    static const struct {
        const char *raw, *shown;
    } cases[] = {
        {"plain", "plain"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"\033[31mred", "\\x1b[31mred"},
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"}, /* the C1 form of ESC [ */
        {"bad\xff\xc3", "bad\\xff\\xc3"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
        {"line\nnext\ttab", "line\nnext\ttab"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *shown = str_printable(cases[i].raw);
        assert_string_equal(shown, cases[i].shown);
    }
}

static void an_empty_builder_gives_an_empty_string(void **state)
{
    (void)state;
    struct str str = {0};
    _cleanup_free_ char *text = str_take(&str, NULL);
    assert_string_equal(text, "");
    assert_null(str.data);
}

static void a_list_ends_with_null(void **state)
{
    (void)state;
    _cleanup_strv_ struct strv list = {0};
    assert_int_equal(strv_add(&list, "a", NULL), 0);
    assert_int_equal(strv_addf(&list, NULL, "b%d", 2), 0);
    assert_int_equal(strv_take(&list, NULL, NULL), -ENOMEM);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[1], "b2");
    assert_null(list.items[2]);
}

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    static const char *const good[] = {"", "a", "caf\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x98\x80"};
    static const char *const bad[] = {"caf\xe9", "\xc3", "\xed\xa0\x80", "\xc0\x80", "\xff"};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_true(str_is_utf8(good[i], strlen(good[i])));
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(str_is_utf8(bad[i], strlen(bad[i])));
    assert_true(str_is_utf8("a\0b", 3));
    assert_false(str_is_utf8("a\0\xff", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_told_from_other_bytes),
        cmocka_unit_test(sizes_are_read_as_qemu_reads_them),
        cmocka_unit_test(bad_sizes_name_the_option_and_the_form),
        cmocka_unit_test(memory_without_a_unit_is_mebibytes),
        cmocka_unit_test(durations_default_to_seconds),
        cmocka_unit_test(numbers_do_not_wrap),
        cmocka_unit_test(sizes_are_shown_short),
        cmocka_unit_test(foreign_text_cannot_drive_the_terminal),
        cmocka_unit_test(an_empty_builder_gives_an_empty_string),
        cmocka_unit_test(a_list_ends_with_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
