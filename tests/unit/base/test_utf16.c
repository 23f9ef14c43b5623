/* UTF-16 to UTF-8 and back. */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf16.h"
#include "tests/unit/unit.h"

#define UNITS(...)                                                                                 \
    .units = {__VA_ARGS__}, .count = sizeof((uint16_t[]){__VA_ARGS__}) / sizeof(uint16_t)

static const struct {
    uint16_t units[8];
    size_t count;
    const char *text;
    bool one_way; /* what is no UTF-16 does not come back */
} cases[] = {
    {UNITS('a', 'z', 0x7f), "az\x7f", false},
    {UNITS(0x80, 0x7ff), "\xc2\x80\xdf\xbf", false},
    {UNITS(0x800, 0xd7ff, 0xe000, 0xffff), "\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf",
     false},
    {UNITS(0xd800, 0xdc00, 0xdbff, 0xdfff), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", false},
    {UNITS(0xd800), "\xef\xbf\xbd", true},
    {UNITS(0xd800, 'a'),
     "\xef\xbf\xbd"
     "a",
     true},
    {UNITS(0xdc00, 0xd800, 0xdc00), "\xef\xbf\xbd\xf0\x90\x80\x80", true},
    {UNITS(0xd800, 0xd800, 0xdc00), "\xef\xbf\xbd\xf0\x90\x80\x80", true},
    {UNITS('a', 0, 'b'), "a", true},
};

static void each_character_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        /* At an odd address, as in a file. */
        char bytes[1 + sizeof(cases[i].units)];
        for (size_t j = 0; j < cases[i].count; j++) {
            le16_t unit = le16_put(cases[i].units[j]);
            memcpy(bytes + 1 + 2 * j, &unit, sizeof(unit));
        }
        _cleanup_free_ char *text = utf16_decode(bytes + 1, 2 * cases[i].count, NULL);
        assert_string_equal(text, cases[i].text);
        if (cases[i].one_way)
            continue;
        _cleanup_free_ char *back = NULL;
        size_t size;
        assert_int_equal(utf16_encode(text, 1, &back, &size, NULL), 0);
        assert_int_equal(size, 2 * cases[i].count + 2);
        assert_memory_equal(back, bytes + 1, 2 * cases[i].count);
        assert_memory_equal(back + 2 * cases[i].count, "\0", 2);
    }
}

static void a_byte_too_many_is_left_out(void **state)
{
    (void)state;
    _cleanup_free_ char *text = utf16_decode("a\0b", 3, NULL);
    assert_string_equal(text, "a");
    _cleanup_free_ char *half = utf16_decode("\0\xd8\0", 3, NULL);
    assert_string_equal(half, "\xef\xbf\xbd");
    _cleanup_free_ char *nothing = utf16_decode("a", 1, NULL);
    assert_string_equal(nothing, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_character_is_told),
        cmocka_unit_test(a_byte_too_many_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
