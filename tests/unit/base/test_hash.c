/* The hash table against an array that does the same. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/zero.h"
#include "tests/unit/unit.h"

enum { items_max = 3000 };

static bool is_text(const void *item, const void *key)
{
    return strcmp(item, key) == 0;
}

static uint64_t code_of(const char *text)
{
    return hash_text(hash_text_start, text);
}

static void nothing_is_in_an_empty_table(void **state)
{
    (void)state;
    struct hash hash = {0};
    size_t position = 0;
    assert_null(hash_find(&hash, 0, NULL, NULL));
    assert_null(hash_next(&hash, &position));
    hash_free(&hash);
}

static void texts_are_found_again(void **state)
{
    (void)state;
    struct hash hash = {0};
    static char texts[items_max][16];
    for (size_t i = 0; i < items_max; i++) {
        snprintf(texts[i], sizeof(texts[i]), "/etc/%zu", i);
        assert_null(hash_find(&hash, code_of(texts[i]), is_text, texts[i]));
        assert_int_equal(hash_add(&hash, code_of(texts[i]), texts[i], NULL), 0);
    }
    assert_int_equal(hash.count, items_max);
    for (size_t i = 0; i < items_max; i++) {
        char key[16];
        snprintf(key, sizeof(key), "/etc/%zu", i);
        assert_ptr_equal(hash_find(&hash, code_of(key), is_text, key), texts[i]);
    }
    assert_null(hash_find(&hash, code_of("/etc"), is_text, "/etc"));
    hash_free(&hash);
}

/* Codes that all have the same home tell items apart by their keys alone. */
static void equal_codes_do_no_harm(void **state)
{
    (void)state;
    struct hash hash = {0};
    char texts[][2] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_int_equal(hash_add(&hash, 7, texts[i], NULL), 0);
    hash_remove(&hash, 7, texts[1]);
    assert_null(hash_find(&hash, 7, is_text, "b"));
    assert_ptr_equal(hash_find(&hash, 7, is_text, "a"), texts[0]);
    assert_ptr_equal(hash_find(&hash, 7, is_text, "d"), texts[3]);
    hash_free(&hash);
}

/* Adds and removes at random; with few homes, so that runs are long and wrap around. */
static void what_was_removed_alone_is_gone(void **state)
{
    (void)state;
    static int items[items_max];
    static bool present[items_max];
    struct hash hash = {0};
    unsigned seed = 1;
    for (int round = 0; round < 200000; round++) {
        size_t i = (size_t)rand_r(&seed) % (round % 1000 < 500 ? 40 : items_max);
        uint64_t code = i % 3 == 0 ? i % 61 : hash_number(i);
        if (i % 3 == 0)
            code |= (uint64_t)i << 40; /* different codes, homes close together */
        assert_ptr_equal(hash_find(&hash, code, NULL, NULL), present[i] ? &items[i] : NULL);
        if (present[i])
            hash_remove(&hash, code, &items[i]);
        else
            assert_int_equal(hash_add(&hash, code, &items[i], NULL), 0);
        present[i] = !present[i];
    }
    size_t count = 0, position = 0;
    for (int *item; (item = hash_next(&hash, &position)); count++)
        assert_true(present[item - items]);
    assert_int_equal(count, hash.count);
    for (size_t i = 0; i < items_max; i++)
        count -= present[i];
    assert_int_equal(count, 0);
    hash_free(&hash);
}

static void zeroes_are_told(void **state)
{
    (void)state;
    uint8_t bytes[100] = {0};
    assert_true(bytes_are_zero(bytes, 0));
    assert_true(bytes_are_zero(bytes, sizeof(bytes)));
    bytes[99] = 1;
    assert_false(bytes_are_zero(bytes, sizeof(bytes)));
    assert_true(bytes_are_zero(bytes, 99));
    memset(bytes, 0xff, sizeof(bytes));
    assert_false(bytes_are_zero(bytes, 1));
    assert_false(bytes_are_zero(bytes, sizeof(bytes)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_in_an_empty_table),
        cmocka_unit_test(texts_are_found_again),
        cmocka_unit_test(equal_codes_do_no_harm),
        cmocka_unit_test(what_was_removed_alone_is_gone),
        cmocka_unit_test(zeroes_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
