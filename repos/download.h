/* Downloads over file, http, https and ftp (libcurl), and the URIs that name them (RFC 3986). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/report.h"

struct download_options {
    const char *proxy;  /* as struct repo's */
    uint64_t max_size;  /* bytes; more is -EFBIG, and nothing beyond it is fetched */
    uint64_t stall_ms;  /* give up after so long without a byte; 0: 60 s */
    uint64_t min_speed; /* bytes a second, on average over stall_ms; less is given up. 0: any */
    /* After connection failures and 5xx answers, with growing pauses. An attempt that transferred
     * RETRY_PROGRESS bytes or more does not count. */
    unsigned retries;
    /* fd may already hold a prefix: ask for the rest, also at retries. Whether what was there
     * belongs to the same file, only the caller's checksum can tell. */
    bool resume;
    const char *task; /* what the progress is called; NULL: none */
    struct reporter *reporter;
};

/*
 * Fetches uri into fd (an open, writable file), from its offset 0 on; does not use the file
 * position. Redirects are followed at most 5 times and never from http(s) to other protocols. A
 * short body, an HTTP status of 400 and above and a redirect loop are errors that name the URI;
 * what arrived stays in fd for a later resume. -ENOENT for 404 and absent files, -EACCES for 401
 * and 403, -ETIMEDOUT for stalls, -ELOOP for redirect loops.
 */
int download_to_fd(const char *uri, int fd, const struct download_options *options,
                   struct error **err);

/* A small document into memory, NUL-terminated; caller frees. */
int download_to_memory(const char *uri, const struct download_options *options, char **ret,
                       size_t *ret_size, struct error **err);

/* True when uri names a local file: "file:///path" or a bare path. *ret_path (may be NULL): the
 * decoded path; caller frees; NULL when out of memory. */
bool uri_is_local(const char *uri, char **ret_path);

/* True for an http, https or ftp URI with a host. */
bool uri_is_remote(const char *uri);

/* True when reference is a relative path that stays inside its base directory: not empty, no URI,
 * no leading slash, no control characters and no ".." segment, however they are encoded. */
bool uri_path_is_confined(const char *reference);

/* Resolves a file name of an index, which must be confined, against the index's URI (RFC 3986,
 * section 5.2, for relative paths). Caller frees; NULL on error. */
char *uri_resolve(const char *base, const char *reference, struct error **err);

/* The URI as it may be shown: without user name and password, without the values of its query, fit
 * for a terminal. Caller frees; NULL: out of memory. */
char *uri_printable(const char *uri);
