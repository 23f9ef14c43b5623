/* Text as one word of what another program parses. */

#include <stdlib.h>

#include "base/proc.h"
#include "base/quote.h"
#include "tests/unit/unit.h"

static void each_text_is_one_word_for_a_shell(void **state)
{
    (void)state;
    static const struct {
        const char *text, *quoted;
    } cases[] = {
        {"", "''"},
        {"plain", "'plain'"},
        {"it's", "'it'\\''s'"},
        {"''", "''\\'''\\'''"},
        {"$(reboot) `x` \"y\" \\ *\n", "'$(reboot) `x` \"y\" \\ *\n'"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_str_ struct str str = {0};
        quote_shell(&str, cases[i].text);
        assert_string_equal(str.data, cases[i].quoted);
    }
}

static void a_real_shell_gives_the_text_back(void **state)
{
    (void)state;
    static const char text[] = "a 'b' \"c\" $HOME `id` \\ ! * ~ # ; & | < >";
    _cleanup_str_ struct str script = {0};
    str_append(&script, "printf %s ");
    quote_shell(&script, text);
    const char *const argv[] = {"sh", "-c", script.data, NULL};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    _cleanup_proc_output_ struct proc_output output = {0};
    assert_int_equal(proc_check(&options, NULL, 0, 1000, 10000, &output, NULL), 0);
    assert_string_equal(output.out, text);
}

static void commas_are_doubled(void **state)
{
    (void)state;
    static const struct {
        const char *text, *quoted;
    } cases[] = {
        {"/a/b.img", "/a/b.img"},
        {"a,b", "a,,b"},
        {",,", ",,,,"},
        {"file,driver=raw", "file,,driver=raw"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_str_ struct str str = {0};
        quote_commas(&str, cases[i].text);
        assert_string_equal(str.data, cases[i].quoted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_is_one_word_for_a_shell),
        cmocka_unit_test(a_real_shell_gives_the_text_back),
        cmocka_unit_test(commas_are_doubled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
