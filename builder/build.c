#include "builder/build.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/secret.h"
#include "builder/stages.h"

void build_result_free(struct build_result *result)
{
    free(result->engine);
    free(result->engine_reason);
    guest_info_free(&result->guest);
    secret_strv_free(&result->generated_passwords);
    *result = (struct build_result){0};
}

static int fetch(const struct build_request *request, const struct catalog *catalog,
                 struct cache *cache, const struct index_entry **ret_entry,
                 struct fetch_result *ret, struct error **err)
{
    const struct catalog_source *source;
    int r = catalog_find(catalog, request->image, request->arch, &source, ret_entry, err);
    if (r < 0)
        return r;
    struct stage_expansion expansion = {.reporter = request->reporter, .entry = *ret_entry};
    const struct fetch_options options = {.expand = stage_expand,
                                          .context = &expansion,
                                          .verify = request->verify_cache,
                                          .reporter = request->reporter};
    return catalog_fetch(source, *ret_entry, cache, &options, ret, err);
}

static int make_plan(const struct build_request *request, const struct stage_base *base,
                     struct build_plan *ret, struct error **err)
{
    const struct build_facts facts = {
        .base_size = base->size,
        .asked_size = request->size,
        .base_format = base->format,
        .output_format = request->output_format,
        .step_count = request->operations->count,
        .needs = customize_plan_needs(request->operations),
        .engine = request->resources.engine,
    };
    return build_plan_make(&facts, ret, err);
}

static int grow_and_customize(const struct build_request *request, const struct build_plan *plan,
                              const struct index_entry *entry, struct outfile *work,
                              struct build_result *result, struct error **err)
{
    int r = 0;
    if (plan->grow) {
        report(request->reporter, REPORT_INFO, "Growing the disk");
        r = build_grow(outfile_child_path(work), request->output, entry, request->reporter,
                       &result->growth, err);
        result->grown = r == 0;
    }
    if (r == 0 && plan->customize)
        r = stage_customize(request, plan, work, result, err);
    return r;
}

int build_check_output(const char *output, const struct cache *cache, struct error **err)
{
    _cleanup_outfile_ struct outfile *work = NULL;
    return stage_open_output(output, cache_directory(cache), &work, err);
}

int build_image(const struct build_request *request, const struct catalog *catalog,
                struct cache *cache, struct build_result *ret, struct error **err)
{
    uint64_t started = clock_now_ms();
    _cleanup_build_result_ struct build_result result = {0};
    _cleanup_outfile_ struct outfile *work = NULL;
    int r = customize_plan_require(request->operations, request->network, err);
    if (r == 0)
        r = stage_open_output(request->output, cache_directory(cache), &work, err);
    if (r < 0)
        return r;

    const struct index_entry *entry = NULL;
    struct fetch_result fetched = {.fd = -1};
    r = fetch(request, catalog, cache, &entry, &fetched, err);
    _cleanup_close_ int base_fd = fetched.fd;
    if (r < 0)
        return r;
    if (fetched.key_is_checksum)
        memcpy(result.base_checksum, fetched.key, sizeof(fetched.key));
    result.base_cached = fetched.cached;
    result.base_trust = fetched.trust;

    struct stage_base base = {.fd = base_fd, .name = request->image};
    struct build_plan plan;
    r = stage_examine_base(&base, entry, err);
    if (r == 0)
        r = make_plan(request, &base, &plan, err);
    if (r == 0)
        r = stage_copy(&base, &plan, work, request->reporter, err);
    if (r == 0)
        r = grow_and_customize(request, &plan, entry, work, &result, err);
    if (r == 0 && plan.to_qcow2)
        r = stage_convert(request->output, &work, request->reporter, err);
    if (r == 0)
        r = stage_deliver(request->output, TAKE_PTR(work), request->reporter, err);
    if (r < 0)
        return r;
    result.format = plan.output_format;
    result.size = plan.size;
    result.duration_ms = clock_now_ms() - started;
    *ret = result;
    result = (struct build_result){0};
    return 0;
}
