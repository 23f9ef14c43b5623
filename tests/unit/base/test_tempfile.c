/* Files and directories for the time of a run. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "base/tempfile.h"
#include "tests/unit/unit.h"

struct fixture {
    char directory[64];
    char *before; /* $TMPDIR */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const char *before = getenv("TMPDIR");
    f->before = before ? strdup(before) : NULL;
    strcpy(f->directory, "/tmp/kiln-unit.XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    setenv("TMPDIR", f->directory, 1);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->before)
        setenv("TMPDIR", f->before, 1);
    else
        unsetenv("TMPDIR");
    int r = rmdir(f->directory); /* fails, and so fails the test, when something was left behind */
    free(f->before);
    free(f);
    return r;
}

static void a_file_has_no_name(void **state)
{
    (void)state;
    struct stat st;
    char text[4] = "";
    _cleanup_close_ int fd = temp_file("kiln-test", NULL);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_nlink, 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(pwrite(fd, "abc", 3, 0), 3);
    assert_int_equal(pread(fd, text, 3, 0), 3);
    assert_string_equal(text, "abc");
}

static void a_missing_directory_is_named_with_a_remedy(void **state)
{
    (void)state;
    _cleanup_error_ struct error *error = NULL;
    setenv("TMPDIR", "/nowhere/at-all", 1);
    assert_int_equal(temp_file("kiln-test", &error), -ENOENT);
    assert_non_null(strstr(error_message(error), "/nowhere/at-all"));
    assert_non_null(strstr(error_remedy(error), "TMPDIR"));
}

static void without_a_setting_large_files_are_kept_on_disk(void **state)
{
    (void)state;
    setenv("TMPDIR", "", 1);
    assert_string_equal(temp_directory(), "/var/tmp");
    assert_string_equal(temp_directory_small(), "/tmp");
    unsetenv("TMPDIR");
    assert_string_equal(temp_directory(), "/var/tmp");
    assert_string_equal(temp_directory_small(), "/tmp");
}

static void a_directory_is_private(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    _cleanup_free_ char *path = NULL;
    assert_int_equal(temp_dir_create(temp_directory_small(), "kiln-test", &path, NULL), 0);
    assert_true(str_starts(path, f->directory));
    assert_non_null(strstr(path, "/kiln-test."));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_has_no_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_directory_is_named_with_a_remedy, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_setting_large_files_are_kept_on_disk, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_directory_is_private, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
