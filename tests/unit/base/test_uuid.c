/* UUIDs as text, and new ones. */

#include <string.h>

#include "base/uuid.h"
#include "tests/unit/unit.h"

static const uint8_t raw[16] = {0xc1, 0x2a, 0x73, 0x28, 0xf8, 0x1f, 0x11, 0xd2,
                                0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};

static void the_text_is_as_blkid_prints_it(void **state)
{
    (void)state;
    char text[UUID_TEXT_SIZE];
    uuid_format(raw, text);
    assert_string_equal(text, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
}

static void three_fields_of_a_guid_are_little_endian(void **state)
{
    (void)state;
    /* The type of an EFI system partition, as it lies on disk. */
    static const uint8_t stored[16] = {0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11,
                                       0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b};
    char text[UUID_TEXT_SIZE];
    guid_format(stored, text);
    assert_string_equal(text, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
}

static void new_ones_are_random_and_say_so(void **state)
{
    (void)state;
    uint8_t one[16], other[16];
    char text[UUID_TEXT_SIZE];
    for (int i = 0; i < 50; i++) {
        assert_int_equal(uuid_random(one, NULL), 0);
        assert_int_equal(uuid_random(other, NULL), 0);
        assert_memory_not_equal(one, other, sizeof(one));
        uuid_format(one, text);
        assert_int_equal(text[14], '4');
        assert_non_null(strchr("89ab", text[19]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_is_as_blkid_prints_it),
        cmocka_unit_test(three_fields_of_a_guid_are_little_endian),
        cmocka_unit_test(new_ones_are_random_and_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
