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
    type(&line, "ls\r");
    keyboard_drop(&line.keyboard, 3);
    keyboard_read(&line.keyboard);
    assert_keys(&line, "t\rls\r");
    free_line(&line);
}

static void type_many(struct line *line)
{
    char many[200];
    memset(many, 'x', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    type(line, many);
    keyboard_read(&line->keyboard);
    type(line, many);
    keyboard_read(&line->keyboard);
}

static void what_a_program_types_is_not_lost(void **state)
{
    (void)state;
    struct line line = make_line();
    type_many(&line);
    assert_int_equal(line.keyboard.count, sizeof(line.keyboard.keys));
    assert_int_equal(keyboard_fd(&line.keyboard), -1);
    keyboard_read(&line.keyboard);
    keyboard_drop(&line.keyboard, sizeof(line.keyboard.keys));
    keyboard_read(&line.keyboard);
    assert_int_equal(line.keyboard.count, 2 * 199 - sizeof(line.keyboard.keys));
    free_line(&line);
}

static void a_person_can_leave_a_guest_that_takes_nothing(void **state)
{
    (void)state;
    struct line line = make_line();
    line.keyboard.person = true;
    type_many(&line);
    assert_int_equal(line.keyboard.count, sizeof(line.keyboard.keys));
    assert_int_equal(keyboard_fd(&line.keyboard), line.ends[0]);
    type(&line, "\x1d");
    keyboard_read(&line.keyboard);
    assert_true(line.keyboard.left);
    assert_int_equal(line.keyboard.count, sizeof(line.keyboard.keys));
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
        cmocka_unit_test(what_a_program_types_is_not_lost),
        cmocka_unit_test(a_person_can_leave_a_guest_that_takes_nothing),
        cmocka_unit_test(the_escape_ends_it),
        cmocka_unit_test(the_end_of_the_input_ends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
