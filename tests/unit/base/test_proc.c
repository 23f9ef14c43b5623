/* Child processes: exact arguments, bounded output and time, nothing left running. */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/proc.h"
#include "tests/unit/unit.h"

static int run(const char *const *argv, const char *input, size_t max, uint64_t timeout_ms,
               struct proc_output *ret, struct error **err)
{
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    return proc_run(&options, input, input ? strlen(input) : 0, max, timeout_ms, ret, err);
}

static void arguments_are_passed_untouched(void **state)
{
    (void)state;
    const char *const argv[] = {"printf", "%s|", "a b", "$HOME;`id`", NULL};
    _cleanup_proc_output_ struct proc_output output = {0};
    assert_int_equal(run(argv, NULL, 1000, 5000, &output, NULL), 0);
    assert_string_equal(output.out, "a b|$HOME;`id`|");
}

static void input_is_fed_and_large_output_does_not_block(void **state)
{
    (void)state;
    const char *const argv[] = {"sh", "-c", "cat; head -c 300000 /dev/zero | tr '\\0' x >&2", NULL};
    _cleanup_proc_output_ struct proc_output output = {0};
    assert_int_equal(run(argv, "hello", 1000, 5000, &output, NULL), 0);
    assert_string_equal(output.out, "hello");
    assert_int_equal(output.err_size, 300000);
}

static void a_child_that_ignores_its_input_does_no_harm(void **state)
{
    (void)state;
    const char *const argv[] = {"true", NULL};
    char *input = calloc(1, 1 << 20);
    memset(input, 'x', (1 << 20) - 1);
    _cleanup_proc_output_ struct proc_output output = {0};
    assert_int_equal(run(argv, input, 1000, 5000, &output, NULL), 0);
    free(input);
}

static void too_much_output_is_refused(void **state)
{
    (void)state;
    const char *const argv[] = {"yes", NULL};
    _cleanup_proc_output_ struct proc_output output = {0};
    assert_int_equal(run(argv, NULL, 1000, 5000, &output, NULL), -EFBIG);
}

static void a_hanging_child_is_stopped_in_time(void **state)
{
    (void)state;
    const char *const argv[] = {"sh", "-c", "trap '' TERM; sleep 60", NULL};
    _cleanup_proc_output_ struct proc_output output = {0};
    uint64_t before = clock_now_ms();
    assert_int_equal(run(argv, NULL, 1000, 200, &output, NULL), -ETIMEDOUT);
    assert_true(clock_now_ms() - before < 50000);
}

static void a_missing_program_is_named(void **state)
{
    (void)state;
    const char *const argv[] = {"no-such-program-here", NULL};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(proc_check(&options, NULL, 0, 100, 1000, NULL, &err), -ENOENT);
    assert_non_null(strstr(error_message(err), "no-such-program-here"));
    assert_false(proc_found("no-such-program-here"));
    assert_true(proc_found("sh"));
}

/* Debian gives ordinary users a PATH without the sbin folders. */
static void administrators_programs_are_found_without_their_folders(void **state)
{
    (void)state;
    const char *path = getenv("PATH");
    _cleanup_free_ char *before = path ? strdup(path) : NULL;
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
    bool found = proc_found("mke2fs");
    if (before)
        setenv("PATH", before, 1);
    else
        unsetenv("PATH");
    assert_true(found);
}

static void a_failure_quotes_the_childs_last_words(void **state)
{
    (void)state;
    const char *const argv[] = {"sh", "-c", "echo disk on fire >&2; exit 3", NULL};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(proc_check(&options, NULL, 0, 100, 5000, NULL, &err), -EIO);
    assert_non_null(strstr(error_message(err), "status 3"));
    assert_non_null(strstr(error_message(err), "disk on fire"));
}

static void stopping_takes_the_grandchildren_along(void **state)
{
    (void)state;
    const char *const argv[] = {"sh", "-c", "sleep 60 & echo $!; wait", NULL};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    options.stdout_fd = ends[1];
    struct proc *proc = NULL;
    assert_int_equal(proc_spawn(&options, &proc, NULL), 0);
    close(ends[1]);
    char text[32] = "";
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    proc_free(proc);
    /* The grandchild held the pipe's other end: only its death gives end of file. */
    assert_int_equal(read(ends[0], text, sizeof(text)), 0);
    close(ends[0]);
}

static void a_child_can_be_kept_from_cutting_files(void **state)
{
    (void)state;
    char path[] = "/tmp/kiln-unit.XXXXXX";
    _cleanup_close_ int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, 4096), 0);
    const char *const argv[] = {"truncate", "--size=10", path, NULL};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv, .keep_file_sizes = true};
    assert_int_equal(proc_check(&options, NULL, 0, 100, 5000, NULL, NULL), 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), 4096);
    options.keep_file_sizes = false;
    assert_int_equal(proc_check(&options, NULL, 0, 100, 5000, NULL, NULL), 0);
    assert_int_equal(lseek(fd, 0, SEEK_END), 10);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_passed_untouched),
        cmocka_unit_test(input_is_fed_and_large_output_does_not_block),
        cmocka_unit_test(a_child_that_ignores_its_input_does_no_harm),
        cmocka_unit_test(too_much_output_is_refused),
        cmocka_unit_test(a_hanging_child_is_stopped_in_time),
        cmocka_unit_test(a_missing_program_is_named),
        cmocka_unit_test(administrators_programs_are_found_without_their_folders),
        cmocka_unit_test(a_failure_quotes_the_childs_last_words),
        cmocka_unit_test(a_child_can_be_kept_from_cutting_files),
        cmocka_unit_test(stopping_takes_the_grandchildren_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
