/*
 * The planner: from what is asked and what is known, the stages that a build needs. It touches
 * nothing, so that every choice can be tested and shown before the first byte is written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/guest.h"
#include "image/image.h"

struct build_facts {
    uint64_t base_size;              /* virtual bytes of the base image */
    uint64_t asked_size;             /* --size; 0: not given */
    enum image_format base_format;   /* raw or qcow2 */
    enum image_format output_format; /* IMAGE_AUTO: as the base */
    size_t step_count;               /* operations on the guest */
    unsigned needs;                  /* enum guest_capability of those operations */
    enum guest_engine engine;        /* --engine */
};

struct build_plan {
    uint64_t size; /* virtual bytes of the output */
    bool grow;     /* the disk, its last partition and the file system in it */
    bool to_raw;   /* the base is qcow2 and has to be written out as raw first */
    bool to_qcow2; /* the finished raw image is converted at the end */
    bool customize;
    bool snapshot_copy; /* the base can be copied as it is: reflink or sparse copy */
    enum guest_engine engine;
    enum image_format output_format; /* never IMAGE_AUTO */
};

/* -EINVAL when the request cannot be met: a size below the base's, an engine that lacks a needed
 * capability, an output format that kiln does not write. */
int build_plan_make(const struct build_facts *facts, struct build_plan *ret, struct error **err);
