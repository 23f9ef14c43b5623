/*
 * What a guest reports through its second console port, org.kiln.results: the line "kiln-results
 * 1", then sections, each the line "NAME LENGTH", that many bytes and a newline; the section "end"
 * closes it. The guest is not trusted: everything is bounded here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define RESULTS_PORT   "org.kiln.results"
#define RESULTS_HEADER "kiln-results 1\n"

enum {
    RESULTS_MAX = 8 << 20, /* bytes that are kept; more of them are not taken */
    RESULTS_NAME_MAX = 31,
};

struct results_section {
    char name[RESULTS_NAME_MAX + 1]; /* lower-case letters */
    const char *data;                /* within the bytes; a newline follows */
    size_t size;
};

enum results_step {
    RESULTS_SECTION, /* *ret is set */
    RESULTS_MORE,    /* the rest has not come yet */
    RESULTS_END,     /* complete */
    RESULTS_GARBLED, /* not of this form */
};

/* The section at *offset (0 to begin with), which then moves behind it. */
enum results_step results_next(const char *data, size_t size, size_t *offset,
                               struct results_section *ret);
/* Whether the guest has begun its report, and whether it is complete. Malformed bytes count as
 * both: nothing that follows can be parsed. */
bool results_begun(const char *data, size_t size);
bool results_complete(const char *data, size_t size);
