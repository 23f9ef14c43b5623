#include "builder/plan.h"

#include <errno.h>

static int check_size(const struct build_facts *facts, struct error **err)
{
    char asked[16], base[16];
    if (facts->asked_size == 0 || facts->asked_size >= facts->base_size)
        return 0;
    error_set(err, EINVAL, "--size %s is below the %s that the image has",
              format_size(facts->asked_size, asked), format_size(facts->base_size, base));
    return error_hint(err, "ask for %s or more, or leave --size out", base);
}

static int choose_format(const struct build_facts *facts, enum image_format *ret,
                         struct error **err)
{
    enum image_format format = facts->output_format;
    if (format == IMAGE_AUTO)
        format = facts->base_format;
    if (format != IMAGE_RAW && format != IMAGE_QCOW2) {
        error_set(err, EINVAL, "--format %s: cannot be written", image_format_name(format));
        return error_hint(err, "use raw or qcow2, and convert the result with qemu-img");
    }
    *ret = format;
    return 0;
}

static int check_engine(const struct build_facts *facts, struct error **err)
{
    if (facts->engine != GUEST_ENGINE_NATIVE || !(facts->needs & GUEST_CAN_RUN))
        return 0;
    error_set(err, EINVAL, "--engine native cannot run commands in the guest");
    return error_hint(err, "leave --engine out, or use --engine appliance");
}

int build_plan_make(const struct build_facts *facts, struct build_plan *ret, struct error **err)
{
    struct build_plan plan = {.engine = facts->engine};
    int r = check_size(facts, err);
    if (r == 0)
        r = check_engine(facts, err);
    if (r == 0)
        r = choose_format(facts, &plan.output_format, err);
    if (r < 0)
        return r;
    plan.size = facts->asked_size ? facts->asked_size : facts->base_size;
    plan.grow = plan.size > facts->base_size;
    plan.customize = facts->step_count > 0;
    /* A base that is neither grown nor edited nor converted is the output, byte for byte. */
    bool edits = plan.grow || plan.customize;
    plan.to_raw = facts->base_format == IMAGE_QCOW2 && (edits || plan.output_format == IMAGE_RAW);
    plan.snapshot_copy = !plan.to_raw;
    plan.to_qcow2 =
        plan.output_format == IMAGE_QCOW2 && (plan.to_raw || facts->base_format == IMAGE_RAW);
    *ret = plan;
    return 0;
}
