/* --commands-from-file */

#include <sys/resource.h>

#include "base/clock.h"
#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

/* Adds the commands of a file with that text. */
static int add_file_of(struct world *w, const char *text, size_t size)
{
    const char *path = world_file(w, "commands", text, size);
    int r = world_add(w, "commands-from-file", path);
    unlink(path);
    return r;
}

static int add_text(struct world *w, const char *text)
{
    return add_file_of(w, text, strlen(text));
}

static void expect_step(struct world *w, size_t i, const char *name, const char *argument)
{
    assert_true(i < w->plan.count);
    assert_string_equal(w->plan.steps[i].operation->name, name);
    if (argument)
        assert_string_equal(w->plan.steps[i].argument, argument);
    else
        assert_null(w->plan.steps[i].argument);
}

static void commands_take_the_place_of_the_option(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/d");
    assert_int_equal(world_add(w, "write", "/d/f:first"), 0);
    assert_int_equal(add_text(w, "# a comment\n"
                                 "\n"
                                 "   \t\n"
                                 "  # another\n"
                                 "append-line /d/f:second # not a comment\n"
                                 "\tmkdir /d/e\n"
                                 "write /d/g:  spaces stay  \r\n"
                                 "write /d/h:"),
                     0);
    assert_int_equal(world_add(w, "append-line", "/d/f:third"), 0);
    assert_int_equal(w->plan.count, 6);
    expect_step(w, 1, "append-line", "/d/f:second # not a comment");
    assert_int_equal(world_run(w), 0);
    world_expect(w, "/d/f", "first\nsecond # not a comment\nthird\n");
    world_expect(w, "/d/g", "  spaces stay  ");
    world_expect(w, "/d/h", "");
    assert_true(S_ISDIR(fake_mode(w->fake, "/d/e")));
}

static void a_backslash_continues_with_the_newline(void **state)
{
    struct world *w = *state;
    assert_int_equal(add_text(w, "write /f:one\\\n  two\\\r\nthree\n"
                                 "# a comment goes on \\\nwrite /x:y\n"
                                 "write /g:a\\b\n"
                                 "\\\nwrite /h:1\n"
                                 "write /i:end\\"),
                     0);
    assert_int_equal(w->plan.count, 4);
    expect_step(w, 0, "write", "/f:one\n  two\nthree");
    expect_step(w, 1, "write", "/g:a\\b");
    expect_step(w, 2, "write", "/h:1");
    expect_step(w, 3, "write", "/i:end\n");
}

struct bad_file {
    const char *text;
    const char *part; /* of the message */
};

static void errors_name_the_line_and_no_secrets(void **state)
{
    struct world *w = *state;
    static const struct bad_file cases[] = {
        {"mkdir /a\nmkdir a\n", "commands:2"},
        {"\n#x\nwrite /a:b\\\nc\nnonsense x\n", "commands:5: there is no operation 'nonsense'"},
        {"write /a:1\\\n2\\\n3\nmkdir\n", "commands:4: --mkdir needs an argument"},
        {"--mkdir /a\n", "commands:1: there is no operation '--mkdir'"},
        {"root-password:hunter2\n", "commands:1: there is no operation 'root-password'"},
        {"commands-from-file other\n", "commands:1: commands-from-file cannot be used"},
        {"root-password passwort:hunter2\n", "commands:1"},
        {"upload /nonexistent-hunter:/x\n", "commands:1"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_true(add_text(w, cases[i].text) < 0);
        assert_error_has(w, cases[i].part);
        assert_null(strstr(error_message(w->error), "hunter2"));
    }
    assert_int_equal(add_text(w, "upload /nonexistent-hunter:/x\n"), -ENOENT);
    assert_int_equal(add_file_of(w, "mkdir /a\nwrite /b:\0x\n", 20), -EINVAL);
    assert_error_has(w, "commands:2");
    assert_int_equal(world_add(w, "commands-from-file", "/nonexistent"), -ENOENT);
    assert_int_equal(world_add(w, "commands-from-file", w->directory), -EISDIR);
}

static void standard_input_is_a_dash(void **state)
{
    struct world *w = *state;
    int fds[2], saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "mkdir a\n", 8), 8);
    close(fds[1]);
    dup2(fds[0], STDIN_FILENO);
    close(fds[0]);
    int r = world_add(w, "commands-from-file", "-");
    dup2(saved, STDIN_FILENO);
    close(saved);
    assert_int_equal(r, -EINVAL);
    assert_error_has(w, "standard input:1");
}

/* A line of one letter, repeated. */
static void long_commands_are_bounded(void **state)
{
    struct world *w = *state;
    size_t size = (17 << 20) + 16;
    char *text = malloc(size);
    memset(text, 'x', size);
    memcpy(text, "write /f:", 9);
    assert_int_equal(add_file_of(w, text, size), -EFBIG);
    assert_error_has(w, "commands:1");
    /* As long, in pieces. */
    for (size_t at = 100; at < size; at += 100)
        memcpy(text + at, "\\\n", 2);
    assert_int_equal(add_file_of(w, text, size), -EFBIG);
    text[1 << 20] = '\n';
    assert_int_equal(add_file_of(w, text, (1 << 20) + 1), 0);
    free(text);
}

/* Of this process alone, however busy the machine is. */
static double processor_seconds(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static double seconds_for(struct world *w, const char *line, size_t count)
{
    size_t length = strlen(line);
    char *text = malloc(length * count);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * length, line, length);
    double start = processor_seconds();
    assert_int_equal(add_file_of(w, text, length * count), 0);
    free(text);
    return processor_seconds() - start;
}

static void millions_of_lines_take_linear_time(void **state)
{
    struct world *w = *state;
    assert_true(seconds_for(w, "# nothing\n", 3000000) < 5);
    assert_int_equal(w->plan.count, 0);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    double few = seconds_for(w, "mkdir /a/b/c\n", 100000);
    customize_plan_free(&w->plan);
    double many = seconds_for(w, "mkdir /a/b/c\n", 1000000);
    getrusage(RUSAGE_SELF, &after);
    assert_int_equal(w->plan.count, 1000000);
    /* Ten times the lines: far from a hundred times the time. */
    assert_true(many < 40 * few + 2);
    /* In KiB: less than 100 bytes a command, and the text itself. */
    assert_true(after.ru_maxrss - before.ru_maxrss < 1000000 * 100 / 1024 + 16384);
}

/* Each user's password may be set but once, which is not found by asking every line before. */
static void many_passwords_take_linear_time(void **state)
{
    struct world *w = *state;
    _cleanup_str_ struct str text = {0};
    enum { count = 100000 };
    for (unsigned i = 0; i < count; i++)
        str_appendf(&text, "password u%u:disabled\n", (i * 7919u) % count);
    double start = processor_seconds();
    assert_int_equal(add_file_of(w, text.data, text.length), 0);
    assert_true(processor_seconds() - start < 5);
    assert_int_equal(w->plan.count, count);
    assert_int_equal(add_file_of(w, "password u77:random\n", 20), -EINVAL);
    assert_error_has(w, "the password of u77 is set twice");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(commands_take_the_place_of_the_option),
        T(a_backslash_continues_with_the_newline),
        T(errors_name_the_line_and_no_secrets),
        T(standard_input_is_a_dash),
        T(long_commands_are_bounded),
        T(millions_of_lines_take_linear_time),
        T(many_passwords_take_linear_time),
    };
    return cmocka_run_group_tests_name("customize/commands", tests, NULL, NULL);
}
