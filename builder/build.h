/* Building an image: fetch, verify, expand, copy, grow, customize, convert, finish. */
#pragma once

#include "base/error.h"
#include "base/report.h"
#include "builder/grow.h"
#include "builder/plan.h"
#include "customize/operation.h"
#include "repos/cache.h"
#include "repos/catalog.h"

struct build_request {
    const char *image;               /* id in the catalog */
    const char *arch;                /* NULL: the host's */
    const char *output;              /* a path, or "-" for standard output */
    enum image_format output_format; /* IMAGE_AUTO: as the base */
    uint64_t size;                   /* bytes; 0: as the base */
    bool verify_cache;               /* read a cached base in whole */
    struct guest_resources resources;
    bool network; /* programs in the guest may have it */
    const struct customize_plan *operations;
    struct reporter *reporter;
};

struct build_result {
    char base_checksum[DIGEST_MAX_HEX]; /* as the index states it; "": it states none */
    bool base_cached;
    enum fetch_trust base_trust;
    enum image_format format;
    uint64_t size; /* virtual bytes of the output */
    bool grown;
    struct grow_result growth;
    char *engine; /* NULL: the guest was not opened */
    char *engine_reason;
    struct guest_info guest;         /* only where the guest was opened */
    struct strv generated_passwords; /* "user\tpassword"; wiped by build_result_free() */
    uint64_t duration_ms;
};

void build_result_free(struct build_result *result);
#define _cleanup_build_result_ _cleanup_(build_result_free)

/* Whether an output can be made there: to be asked before anything is fetched. */
int build_check_output(const char *output, const struct cache *cache, struct error **err);

/*
 * Builds request->image from the catalog into the output, which appears complete or not at all. An
 * output inside the cache is refused. For "-" the finished image goes to standard output as a plain
 * stream of bytes; a terminal there is refused.
 */
int build_image(const struct build_request *request, const struct catalog *catalog,
                struct cache *cache, struct build_result *ret, struct error **err);
