/* The error contract. */

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "tests/unit/unit.h"

static void a_failure_carries_code_context_and_remedy(void **state)
{
    (void)state;
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(error_sys(&err, ENOENT, "%s: cannot open", "a.img"), -ENOENT);
    assert_int_equal(error_hint(&err, "name an existing image"), -ENOENT);
    assert_int_equal(error_wrap(&err, "debian-%d", 12), -ENOENT);
    assert_string_equal(error_message(err),
                        "debian-12: a.img: cannot open: No such file or directory");
    assert_string_equal(error_remedy(err), "name an existing image");
    assert_int_equal(error_errno(err), ENOENT);
}

static void the_nearest_remedy_wins(void **state)
{
    (void)state;
    _cleanup_error_ struct error *err = NULL;
    error_set(&err, EINVAL, "bad");
    error_hint(&err, "near");
    error_hint(&err, "far");
    assert_string_equal(error_remedy(err), "near");
}

static void a_caller_may_want_only_the_code(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, EBUSY, "in use"), -EBUSY);
    assert_int_equal(error_sys(NULL, EIO, "x"), -EIO);
    assert_int_equal(error_wrap(NULL, "context"), -EIO);
    error_set(NULL, EBUSY, "in use");
    assert_int_equal(error_hint(NULL, "wait"), -EBUSY);
    error_clear(NULL);
}

static void running_out_of_memory_needs_no_memory(void **state)
{
    (void)state;
    struct error *err = NULL;
    assert_int_equal(error_oom(&err), -ENOMEM);
    assert_int_equal(error_wrap(&err, "context"), -ENOMEM);
    assert_string_equal(error_message(err), "out of memory");
    error_clear(&err);
    assert_null(err);
}

static void the_kind_stays(void **state)
{
    (void)state;
    _cleanup_error_ struct error *err = NULL;
    struct error *inner = NULL;
    error_set(&inner, EINVAL, "no");
    assert_int_equal(error_kind(inner), ERROR_FAILURE);
    assert_int_equal(error_set_kind(&inner, ERROR_USAGE), -EINVAL);
    error_wrap(&inner, "outer");
    error_move(&err, inner);
    assert_int_equal(error_kind(err), ERROR_USAGE);
    assert_int_equal(error_kind(NULL), ERROR_FAILURE);
    struct error *oom = NULL;
    error_oom(&oom);
    assert_int_equal(error_set_kind(&oom, ERROR_USAGE), -ENOMEM);
    assert_int_equal(error_kind(oom), ERROR_FAILURE);
}

static void moving_passes_the_code_on(void **state)
{
    (void)state;
    struct error *cause = NULL, *err = NULL;
    assert_int_equal(error_move(&err, NULL), 0);
    error_set(&cause, EPERM, "no");
    assert_int_equal(error_move(&err, cause), -EPERM);
    assert_ptr_equal(err, cause);
    error_clear(&err);
}

static void a_context_is_not_repeated(void **state)
{
    (void)state;
    _cleanup_error_ struct error *err = NULL;
    error_set(&err, EINVAL, "disk.img: is damaged");
    error_wrap(&err, "disk.img");
    assert_string_equal(error_message(err), "disk.img: is damaged");
    error_wrap(&err, "disk");
    error_wrap(&err, "build");
    error_wrap(&err, "build");
    assert_string_equal(error_message(err), "build: disk: disk.img: is damaged");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_context_is_not_repeated),
        cmocka_unit_test(a_failure_carries_code_context_and_remedy),
        cmocka_unit_test(the_nearest_remedy_wins),
        cmocka_unit_test(a_caller_may_want_only_the_code),
        cmocka_unit_test(running_out_of_memory_needs_no_memory),
        cmocka_unit_test(the_kind_stays),
        cmocka_unit_test(moving_passes_the_code_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
