/* What the tests of this folder share: a scratch directory, and a look at refusals. */
#pragma once

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fdio.h"
#include "base/outfile.h"
#include "base/str.h"
#include "tests/unit/unit.h"

/* Checks code, message and (unless NULL) remedy, and clears *err. */
static inline void expect_refusal(int r, int wanted, struct error **err, const char *message,
                                  const char *remedy)
{
    assert_non_null(*err);
    if (!strstr(error_message(*err), message))
        fail_msg("'%s' does not say '%s'", error_message(*err), message);
    if (remedy && (!error_remedy(*err) || !strstr(error_remedy(*err), remedy)))
        fail_msg("'%s': the remedy '%s' does not say '%s'", error_message(*err),
                 error_remedy(*err) ? error_remedy(*err) : "", remedy);
    assert_int_equal(r, wanted);
    error_clear(err);
}

static inline void expect_success(int r, const struct error *err)
{
    if (r != 0)
        fail_msg("refused: %s", error_message(err));
}

struct scratch {
    char dir[256];
    struct strv files;
};

static inline int scratch_make(void **state)
{
    static struct scratch scratch;
    const char *tmp = getenv("TMPDIR");
    snprintf(scratch.dir, sizeof(scratch.dir), "%.200s/kiln-test.XXXXXX", tmp ? tmp : "/tmp");
    *state = &scratch;
    return mkdtemp(scratch.dir) ? 0 : -1;
}

static inline int scratch_remove(void **state)
{
    struct scratch *scratch = *state;
    for (size_t i = 0; i < scratch->files.count; i++)
        unlink(scratch->files.items[i]);
    strv_free(&scratch->files);
    return rmdir(scratch->dir);
}

/* Writes a file and returns its path, which lives until the end of the test. */
static inline const char *scratch_bytes(void **state, const char *name, const void *bytes,
                                        size_t size)
{
    struct scratch *scratch = *state;
    assert_int_equal(strv_addf(&scratch->files, NULL, "%s/%s", scratch->dir, name), 0);
    const char *path = scratch->files.items[scratch->files.count - 1];
    assert_int_equal(file_write_atomic(path, bytes, size, 0600, NULL), 0);
    return path;
}

static inline const char *scratch_file(void **state, const char *name, const char *text)
{
    return scratch_bytes(state, name, text, strlen(text));
}

#define scratch_test(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
