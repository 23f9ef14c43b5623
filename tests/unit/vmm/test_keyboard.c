/* What is typed at a guest's console. */

#include <string.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "vmm/keyboard.h"

struct line {
    int ends[2];
    struct vm_terminal terminal;
    struct keyboard keyboard;
};

static struct line make_line(void)
{
    struct line line;
    assert_int_equal(pipe(line.ends), 0);
    line.terminal = (struct vm_terminal){line.ends[0], -1};
    keyboard_init(&line.keyboard, &line.terminal);
    return line;
}

static void type(struct line *line, const char *text)
{
    assert_int_equal(write(line->ends[1], text, strlen(text)), strlen(text));
}

static void assert_keys(const struct line *line, const char *wanted)
{
    assert_int_equal(line->keyboard.count, strlen(wanted));
    assert_memory_equal(line->keyboard.keys, wanted, strlen(wanted));
}

static void free_line(struct line *line)
{
    close(line->ends[0]);
    if (line->ends[1] >= 0)
        close(line->ends[1]);
}

static void nobody_types(void **state)
{
    (void)state;
    struct keyboard keyboard;
    keyboard_init(&keyboard, NULL);
    keyboard_read(&keyboard);
    assert_int_equal(keyboard.count, 0);
    assert_int_equal(keyboard_fd(&keyboard), -1);
    assert_false(keyboard.left);
}

static void keys_wait_for_the_guest(void **state)
{
    (void)state;
    struct line line = make_line();
    keyboard_read(&line.keyboard);
    assert_keys(&line, "");
    assert_int_equal(keyboard_fd(&line.keyboard), line.ends[0]);
    type(&line, "root\r");
    keyboard_read(&line.keyboard);
    assert_keys(&line, "root\r");
    /* What comes now stays outside until the guest has taken all of these. */
    type(&line, "ls\r");
    assert_int_equal(keyboard_fd(&line.keyboard), -1);
    keyboard_drop(&line.keyboard, 3);
    keyboard_read(&line.keyboard);
    assert_keys(&line, "t\r");
    keyboard_drop(&line.keyboard, 2);
    keyboard_read(&line.keyboard);
    assert_keys(&line, "ls\r");
    free_line(&line);
}

static void the_escape_ends_it(void **state)
{
    (void)state;
    struct line line = make_line();
    type(&line, "a\x1d"
                "b");
    keyboard_read(&line.keyboard);
    assert_true(line.keyboard.left);
    assert_keys(&line, "a");
    keyboard_drop(&line.keyboard, 1);
    type(&line, "c");
    keyboard_read(&line.keyboard);
    assert_keys(&line, "");
    free_line(&line);
}

static void the_end_of_the_input_ends_nothing(void **state)
{
    (void)state;
    struct line line = make_line();
    type(&line, "a");
    close(line.ends[1]);
    line.ends[1] = -1;
    keyboard_read(&line.keyboard);
    assert_keys(&line, "a");
    keyboard_drop(&line.keyboard, 1);
    keyboard_read(&line.keyboard);
    assert_keys(&line, "");
    assert_false(line.keyboard.left);
    assert_int_equal(keyboard_fd(&line.keyboard), -1);
    free_line(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_types),
        cmocka_unit_test(keys_wait_for_the_guest),
        cmocka_unit_test(the_escape_ends_it),
        cmocka_unit_test(the_end_of_the_input_ends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
