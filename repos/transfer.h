/* One attempt at a transfer by libcurl. Internal to the downloads. */
#pragma once

#include "repos/download.h"

struct transfer {
    const char *uri;     /* remote */
    const char *display; /* the same for messages */
    int fd;
    const struct download_options *options;
    uint64_t offset; /* bytes that fd holds and that are to be kept; the rest is asked for */
    uint64_t total;  /* of the whole file; 0: not known */
    bool again;      /* set when the failure may be gone at the next try */
};

/*
 * Fetches from transfer->offset on, which moves along with what arrives. Servers that know no
 * ranges make it begin again at 0. Returns as download_to_fd() does.
 */
int transfer_attempt(struct transfer *transfer, struct error **err);
