/* Lines that hold secrets. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "tests/unit/unit.h"

/* A pipe that holds the bytes and then ends. */
static int pipe_of(const char *bytes, size_t size)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], bytes, size), size);
    close(fds[1]);
    return fds[0];
}

static void each_reader_gets_its_line(void **state)
{
    (void)state;
    static const char text[] = "one \r\n\nthree";
    static const char *const lines[] = {"one \r", "", "three"};
    _cleanup_close_ int fd = pipe_of(text, strlen(text));
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        _cleanup_secret_ char *line = NULL;
        assert_int_equal(secret_read_line(fd, "pipe", 10, &line, NULL), 0);
        assert_string_equal(line, lines[i]);
    }
    char *none = (char *)"";
    assert_int_equal(secret_read_line(fd, "pipe", 10, &none, NULL), 0);
    assert_null(none);
}

static void what_is_no_text_of_that_length_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        int r;
    } cases[] = {
        {"1234", 4, 0},           {"1234\n", 5, 0},
        {"12345", 5, -EMSGSIZE},  {"12345\n", 6, -EMSGSIZE},
        {"1\0002\n", 4, -EILSEQ}, {"\0\n", 2, -EILSEQ},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_close_ int fd = pipe_of(cases[i].bytes, cases[i].size);
        _cleanup_secret_ char *line = NULL;
        _cleanup_error_ struct error *error = NULL;
        assert_int_equal(secret_read_line(fd, "the pipe", 4, &line, &error), cases[i].r);
        assert_int_equal(line == NULL, cases[i].r < 0);
        if (error)
            assert_non_null(strstr(error_message(error), "the pipe"));
    }
    _cleanup_error_ struct error *error = NULL;
    char *line = NULL;
    assert_int_equal(secret_read_line(-1, "the pipe", 4, &line, &error), -EBADF);
    assert_non_null(strstr(error_message(error), "the pipe"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_reader_gets_its_line),
        cmocka_unit_test(what_is_no_text_of_that_length_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
