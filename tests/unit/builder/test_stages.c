/* The stages of a build: what kind of file the output is. */

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/proc.h"
#include "builder/stages.h"
#include "tests/unit/unit.h"

static char directory[64];

static int make_directory(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/kiln-unit.XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
    (void)state;
    return rmdir(directory);
}

static mode_t mode_of(const struct outfile *work)
{
    struct stat st;
    assert_int_equal(fstat(outfile_fd(work), &st), 0);
    return st.st_mode & 07777;
}

/* The mode of the output, raw and converted to qcow2. */
static void expect_modes(const char *output, mode_t mask, mode_t wanted)
{
    _cleanup_outfile_ struct outfile *work = NULL;
    mode_t before = umask(mask);
    int r = stage_open_output(output, "/nonexistent", &work, NULL);
    umask(before);
    assert_int_equal(r, 0);
    assert_int_equal(mode_of(work), wanted);
    assert_int_equal(ftruncate(outfile_fd(work), 1 << 20), 0);
    umask(mask);
    r = stage_convert(output, &work, NULL, NULL);
    umask(before);
    assert_int_equal(r, 0);
    assert_int_equal(mode_of(work), wanted);
}

static void a_converted_output_has_the_mode_of_a_raw_one(void **state)
{
    (void)state;
    char path[96];
    snprintf(path, sizeof(path), "%s/out.img", directory);
    if (!proc_found("qemu-img"))
        skip_because("qemu-img is not installed");
    expect_modes(path, 022, 0644);
    expect_modes(path, 002, 0644);
    expect_modes(path, 027, 0640);
    expect_modes(path, 077, 0600);
}

/* What is streamed is seen by nobody else meanwhile. */
static void a_streamed_output_is_private_in_either_format(void **state)
{
    (void)state;
    if (!proc_found("qemu-img"))
        skip_because("qemu-img is not installed");
    if (isatty(STDOUT_FILENO))
        skip_because("standard output is a terminal");
    setenv("TMPDIR", directory, 1);
    expect_modes("-", 022, 0600);
    expect_modes("-", 0, 0600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_converted_output_has_the_mode_of_a_raw_one),
        cmocka_unit_test(a_streamed_output_is_private_in_either_format),
    };
    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
