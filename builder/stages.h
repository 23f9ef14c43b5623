/* The stages of a build, each from a known state of the work file to the next. Internal to builder.
 */
#pragma once

#include "base/outfile.h"
#include "builder/build.h"

/* The context of stage_expand(). */
struct stage_expansion {
    struct reporter *reporter;
    const struct index_entry *entry;
};

/* fetch_expand_fn: decompresses a base image into the cache. */
int stage_expand(void *context, int in_fd, const char *name, struct digest *digest, int out_fd,
                 struct error **err);

/* Begins the output, or for "-" a nameless file in $TMPDIR that is streamed at the end. */
int stage_open_output(const char *output, const char *cache_directory, struct outfile **ret,
                      struct error **err);

struct stage_base {
    int fd; /* the caller's */
    const char *name;
    enum image_format format;
    uint64_t size; /* virtual bytes */
};

/* Fills format and size from the image itself, checked against what the index says. */
int stage_examine_base(struct stage_base *base, const struct index_entry *entry,
                       struct error **err);

/* Fills the work file from the base, at the size of the plan where it is raw. */
int stage_copy(const struct stage_base *base, const struct build_plan *plan, struct outfile *work,
               struct reporter *reporter, struct error **err);

int stage_customize(const struct build_request *request, const struct build_plan *plan,
                    struct outfile *work, struct build_result *result, struct error **err);

/* Replaces the raw *work by a qcow2 one. */
int stage_convert(const char *output, struct outfile **work, struct reporter *reporter,
                  struct error **err);

/* Gives the output its name, or streams it. Frees work in any case. */
int stage_deliver(const char *output, struct outfile *work, struct reporter *reporter,
                  struct error **err);
