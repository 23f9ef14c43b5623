/* What the planner chooses, as a table: facts on the left, stages on the right. */

#include <errno.h>
#include <string.h>

#include "builder/grow.h"
#include "builder/plan.h"
#include "tests/unit/unit.h"

enum { M = 1 << 20 };

struct choice {
    const char *name;
    struct build_facts facts;
    struct build_plan plan;
};

static const struct choice choices[] = {
    {"an unchanged raw base is copied as it is",
     {.base_size = 64 * M, .base_format = IMAGE_RAW},
     {.size = 64 * M, .snapshot_copy = true, .output_format = IMAGE_RAW}},
    {"an unchanged qcow2 base is copied as it is",
     {.base_size = 64 * M, .base_format = IMAGE_QCOW2},
     {.size = 64 * M, .snapshot_copy = true, .output_format = IMAGE_QCOW2}},
    {"a larger size grows disk, partition and file system",
     {.base_size = 64 * M, .asked_size = 128 * M, .base_format = IMAGE_RAW},
     {.size = 128 * M, .grow = true, .snapshot_copy = true, .output_format = IMAGE_RAW}},
    {"the base's own size grows nothing",
     {.base_size = 64 * M, .asked_size = 64 * M, .base_format = IMAGE_RAW},
     {.size = 64 * M, .snapshot_copy = true, .output_format = IMAGE_RAW}},
    {"operations open the guest",
     {.base_size = 64 * M, .base_format = IMAGE_RAW, .step_count = 2},
     {.size = 64 * M, .customize = true, .snapshot_copy = true, .output_format = IMAGE_RAW}},
    {"a raw base becomes qcow2 at the end, after all edits",
     {.base_size = 64 * M,
      .asked_size = 128 * M,
      .base_format = IMAGE_RAW,
      .output_format = IMAGE_QCOW2,
      .step_count = 1},
     {.size = 128 * M,
      .grow = true,
      .to_qcow2 = true,
      .customize = true,
      .snapshot_copy = true,
      .output_format = IMAGE_QCOW2}},
    {"a qcow2 base is written out as raw to be edited, and converted back",
     {.base_size = 64 * M, .base_format = IMAGE_QCOW2, .step_count = 1},
     {.size = 64 * M,
      .to_raw = true,
      .to_qcow2 = true,
      .customize = true,
      .output_format = IMAGE_QCOW2}},
    {"a qcow2 base asked for as raw is written out, not converted back",
     {.base_size = 64 * M, .base_format = IMAGE_QCOW2, .output_format = IMAGE_RAW},
     {.size = 64 * M, .to_raw = true, .output_format = IMAGE_RAW}},
    {"a chosen engine is kept",
     {.base_size = 64 * M,
      .base_format = IMAGE_RAW,
      .step_count = 1,
      .engine = GUEST_ENGINE_APPLIANCE},
     {.size = 64 * M,
      .customize = true,
      .snapshot_copy = true,
      .engine = GUEST_ENGINE_APPLIANCE,
      .output_format = IMAGE_RAW}},
};

static void assert_same_plan(const struct choice *choice, const struct build_plan *plan)
{
    const struct build_plan *wanted = &choice->plan;
    bool same = plan->size == wanted->size && plan->grow == wanted->grow &&
                plan->to_raw == wanted->to_raw && plan->to_qcow2 == wanted->to_qcow2 &&
                plan->customize == wanted->customize &&
                plan->snapshot_copy == wanted->snapshot_copy && plan->engine == wanted->engine &&
                plan->output_format == wanted->output_format;
    if (!same)
        fail_msg("%s", choice->name);
}

static void each_choice_is_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
        struct build_plan plan;
        assert_int_equal(build_plan_make(&choices[i].facts, &plan, NULL), 0);
        assert_same_plan(&choices[i], &plan);
    }
}

static void an_image_is_never_shrunk(void **state)
{
    (void)state;
    const struct build_facts facts = {
        .base_size = 64 * M, .asked_size = 32 * M, .base_format = IMAGE_RAW};
    struct build_plan plan;
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(build_plan_make(&facts, &plan, &err), -EINVAL);
    assert_non_null(strstr(error_message(err), "32.0M"));
    assert_non_null(strstr(error_remedy(err), "64.0M"));
}

static void formats_that_cannot_be_written_are_refused(void **state)
{
    (void)state;
    const struct build_facts facts = {
        .base_size = 64 * M, .base_format = IMAGE_RAW, .output_format = IMAGE_VMDK};
    struct build_plan plan;
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(build_plan_make(&facts, &plan, &err), -EINVAL);
    assert_non_null(strstr(error_message(err), "vmdk"));
}

static void the_native_engine_runs_no_commands(void **state)
{
    (void)state;
    const struct build_facts facts = {.base_size = 64 * M,
                                      .base_format = IMAGE_RAW,
                                      .step_count = 1,
                                      .needs = GUEST_CAN_RUN,
                                      .engine = GUEST_ENGINE_NATIVE};
    struct build_plan plan;
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(build_plan_make(&facts, &plan, &err), -EINVAL);
    assert_non_null(error_remedy(err));
}

static void devices_are_read_in_every_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *device;
        unsigned number;
    } good[] = {{"/dev/sda3", 3}, {"/dev/vda1", 1}, {"/dev/xvda12", 12}, {"/dev/sda", 0}};
    static const char *const bad[] = {"sda3", "/dev/sdb1", "/dev/sda3x", "/dev/sda999", ""};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        unsigned number = 99;
        assert_int_equal(grow_parse_device(good[i].device, &number, NULL), 0);
        assert_int_equal(number, good[i].number);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        unsigned number;
        assert_int_equal(grow_parse_device(bad[i], &number, NULL), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_choice_is_as_the_table_says),
        cmocka_unit_test(an_image_is_never_shrunk),
        cmocka_unit_test(formats_that_cannot_be_written_are_refused),
        cmocka_unit_test(the_native_engine_runs_no_commands),
        cmocka_unit_test(devices_are_read_in_every_spelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
