/* Outputs that appear complete or not at all, and locks. */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/digest.h"
#include "base/fdio.h"
#include "base/outfile.h"
#include "base/str.h"
#include "tests/unit/unit.h"

struct fixture {
    char directory[64];
    char path[96];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    snprintf(f->directory, sizeof(f->directory), "/tmp/kiln-unit.XXXXXX");
    if (!mkdtemp(f->directory))
        return -1;
    snprintf(f->path, sizeof(f->path), "%s/out.img", f->directory);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    unlink(f->path);
    /* Fails, and so fails the test, when something was left behind. */
    int r = rmdir(f->directory);
    free(f);
    return r;
}

static void nothing_appears_before_the_commit(void **state)
{
    struct fixture *f = *state;
    _cleanup_outfile_ struct outfile *out = NULL;
    assert_int_equal(outfile_open(f->path, 0644, &out, NULL), 0);
    assert_int_equal(fd_write_full(outfile_fd(out), "half", 4, "out", NULL), 0);
    assert_int_equal(access(f->path, F_OK), -1);
    assert_int_equal(access(outfile_child_path(out), R_OK), 0);
    assert_int_equal(outfile_commit(TAKE_PTR(out), false, NULL, NULL), 0);
    assert_int_equal(access(f->path, F_OK), 0);
}

static void a_failed_build_leaves_the_old_file(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(file_write_atomic(f->path, "old", 3, 0644, NULL), 0);
    struct outfile *out = NULL;
    assert_int_equal(outfile_open(f->path, 0644, &out, NULL), 0);
    assert_int_equal(fd_write_full(outfile_fd(out), "new", 3, "out", NULL), 0);
    outfile_abort(out);
    _cleanup_free_ char *text = NULL;
    assert_int_equal(file_read(f->path, 100, &text, NULL, NULL), 0);
    assert_string_equal(text, "old");
}

static void a_directory_is_refused_with_a_remedy(void **state)
{
    struct fixture *f = *state;
    _cleanup_error_ struct error *err = NULL;
    struct outfile *out = NULL;
    assert_int_equal(outfile_open(f->directory, 0644, &out, &err), -EISDIR);
    assert_non_null(strstr(error_message(err), f->directory));
    assert_non_null(error_remedy(err));
    assert_null(out);
}

static void exclusive_outputs_do_not_replace(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(file_write_atomic(f->path, "old", 3, 0644, NULL), 0);
    struct outfile *out = NULL;
    assert_int_equal(outfile_open(f->path, 0644, &out, NULL), 0);
    assert_int_equal(outfile_commit(out, true, NULL, NULL), -EEXIST);
}

/* Stands before that of the C library: a disk that fails at the wrong moment. */
static bool directories_fail;
int fsync(int fd)
{
    struct stat st;
    if (directories_fail && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

static void a_failure_behind_the_rename_is_told_as_such(void **state)
{
    struct fixture *f = *state;
    _cleanup_error_ struct error *err = NULL;
    struct outfile *out = NULL;
    enum outfile_state outcome = OUTFILE_ABSENT;
    assert_int_equal(file_write_atomic(f->path, "old", 3, 0644, NULL), 0);
    assert_int_equal(outfile_open(f->path, 0644, &out, NULL), 0);
    assert_int_equal(fd_write_full(outfile_fd(out), "new", 3, "out", NULL), 0);
    directories_fail = true;
    int r = outfile_commit(out, false, &outcome, &err);
    directories_fail = false;
    assert_int_equal(r, -EIO);
    assert_int_equal(outcome, OUTFILE_PLACED);
    assert_non_null(strstr(error_message(err), "the output is complete, but"));
    assert_non_null(strstr(error_message(err), f->path));
    _cleanup_free_ char *text = NULL;
    assert_int_equal(file_read(f->path, 100, &text, NULL, NULL), 0);
    assert_string_equal(text, "new");
}

static void a_failure_before_the_rename_leaves_the_old_file(void **state)
{
    struct fixture *f = *state;
    struct outfile *out = NULL;
    enum outfile_state outcome = OUTFILE_PLACED;
    assert_int_equal(file_write_atomic(f->path, "old", 3, 0644, NULL), 0);
    assert_int_equal(outfile_open(f->path, 0644, &out, NULL), 0);
    assert_int_equal(outfile_commit(out, true, &outcome, NULL), -EEXIST);
    assert_int_equal(outcome, OUTFILE_ABSENT);
    _cleanup_free_ char *text = NULL;
    assert_int_equal(file_read(f->path, 100, &text, NULL, NULL), 0);
    assert_string_equal(text, "old");
}

static void a_killed_writer_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    pid_t child = fork();
    if (child == 0) {
        struct outfile *out = NULL;
        if (outfile_open(f->path, 0644, &out, NULL) < 0 ||
            fd_write_full(outfile_fd(out), "half", 4, "out", NULL) < 0)
            _exit(1);
        raise(SIGKILL);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(access(f->path, F_OK), -1);
}

static void a_lock_keeps_others_out_until_it_is_closed(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(file_write_atomic(f->path, "x", 1, 0644, NULL), 0);
    int first = file_open(f->path, O_RDWR, 0, NULL);
    _cleanup_close_ int second = file_open(f->path, O_RDWR, 0, NULL);
    assert_int_equal(fd_lock(first, true, 0, "first", NULL), 0);
    assert_int_equal(fd_lock(second, true, 30, "second", NULL), -ETIMEDOUT);
    close(first);
    assert_int_equal(fd_lock(second, true, 0, "second", NULL), 0);
}

static void reading_is_capped_and_refuses_directories(void **state)
{
    struct fixture *f = *state;
    char *text = NULL;
    assert_int_equal(file_write_atomic(f->path, "12345", 5, 0644, NULL), 0);
    assert_int_equal(file_read(f->path, 4, &text, NULL, NULL), -EFBIG);
    assert_int_equal(file_read(f->directory, 4, &text, NULL, NULL), -EISDIR);
    assert_null(text);
}

static void digests_match_the_standard(void **state)
{
    (void)state;
    /* FIPS 180-4's example message. */
    char hex[DIGEST_MAX_HEX];
    assert_int_equal(digest_bytes(DIGEST_SHA256, "abc", 3, hex, NULL), 0);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(digest_bytes(DIGEST_SHA512, "abc", 3, hex, NULL), 0);
    assert_int_equal(strlen(hex), digest_hex_length(DIGEST_SHA512));
    assert_true(str_starts(hex, "ddaf35a193617abacc417349ae204131"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_appears_before_the_commit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_build_leaves_the_old_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_directory_is_refused_with_a_remedy, set_up, tear_down),
        cmocka_unit_test_setup_teardown(exclusive_outputs_do_not_replace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failure_behind_the_rename_is_told_as_such, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_failure_before_the_rename_leaves_the_old_file, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_killed_writer_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_lock_keeps_others_out_until_it_is_closed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reading_is_capped_and_refuses_directories, set_up,
                                        tear_down),
        cmocka_unit_test(digests_match_the_standard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
