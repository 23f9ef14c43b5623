/* Base64 (RFC 4648, section 10 has the first cases). */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "tests/unit/unit.h"

static const struct {
    const char *bytes, *text;
} cases[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xfe\xfb", "//77"},
};

static void texts_go_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct str str = {0};
        base64_append(&str, cases[i].bytes, strlen(cases[i].bytes));
        _cleanup_free_ char *text = str_take(&str, NULL);
        assert_string_equal(text, cases[i].text);
        _cleanup_free_ uint8_t *bytes = NULL;
        size_t size;
        assert_int_equal(base64_decode(text, strlen(text), &bytes, &size, NULL), 0);
        assert_int_equal(size, strlen(cases[i].bytes));
        assert_memory_equal(bytes, cases[i].bytes, size);
    }
}

static void long_data_has_padding_at_its_end_alone(void **state)
{
    (void)state;
    uint8_t data[5000];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 7 ^ i >> 8);
    for (size_t size = sizeof(data) - 1600; size <= sizeof(data); size += 100) {
        _cleanup_str_ struct str str = {0};
        base64_append(&str, data, size);
        assert_int_equal(str.length, (size + 2) / 3 * 4);
        _cleanup_free_ uint8_t *bytes = NULL;
        size_t decoded;
        assert_int_equal(base64_decode(str.data, str.length, &bytes, &decoded, NULL), 0);
        assert_int_equal(decoded, size);
        assert_memory_equal(bytes, data, size);
    }
}

static void nothing_else_is_taken(void **state)
{
    (void)state;
    static const char *const texts[] = {"Zg=",   "Zg",   "Zg== ", " Zg=",     "Zg==\n\n\n\n",
                                        "\nZg=", "Z===", "====",  "Zm9v=A==", "Z=9v",
                                        "Zm9-",  "Zm_v", "Zm 9v", "Zg==Zg==", "Zm9\xc3"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        uint8_t *bytes;
        size_t size;
        assert_int_equal(base64_decode(texts[i], strlen(texts[i]), &bytes, &size, NULL), -EINVAL);
    }
    uint8_t *bytes;
    size_t size;
    assert_int_equal(base64_decode("Zm\0v", 4, &bytes, &size, NULL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_go_both_ways),
        cmocka_unit_test(long_data_has_padding_at_its_end_alone),
        cmocka_unit_test(nothing_else_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
