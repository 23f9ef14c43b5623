/* What a mistyped name may mean. */

#include <limits.h>
#include <string.h>

#include "base/similar.h"
#include "tests/unit/unit.h"

static char *nearest(const char *wanted)
{
    static const char *const names[] = {"build", "boot", "customize", "sysprep", "seed"};
    struct similar similar = similar_to(wanted);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        similar_offer(&similar, "", names[i]);
    return similar_take(&similar, NULL);
}

static void edits_are_counted(void **state)
{
    (void)state;
    assert_int_equal(edit_distance("", ""), 0);
    assert_int_equal(edit_distance("kitten", "sitting"), 3);
    assert_int_equal(edit_distance("", "abc"), 3);
    char longer[SIMILAR_NAME_MAX + 2];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(edit_distance(longer, "a"), UINT_MAX);
    assert_int_equal(edit_distance("a", longer), UINT_MAX);
}

static void the_nearest_names_are_kept(void **state)
{
    static const struct {
        const char *wanted, *found;
    } cases[] = {
        {"buidl", "build"}, {"boo", "boot"},    {"prep", "sysprep"},        {"ssed", "seed"},
        {"ls", ""},         {"frobnicate", ""}, {"costumize", "customize"}, {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *found = nearest(cases[i].wanted);
        assert_string_equal(found, cases[i].found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_are_counted),
        cmocka_unit_test(the_nearest_names_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
