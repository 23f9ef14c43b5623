/* What the engines share. Private to guest/. */
#pragma once

#include "guest/guest.h"

/* Engines embed this as their first member. */
struct guest {
    const struct guest_ops *ops;
    char *path;   /* of the image, for messages */
    char *reason; /* why this engine */
    bool writable;
};

/*
 * Each opens the image with its engine. -EOPNOTSUPP: this engine cannot serve the disk, another one
 * may; the message is the reason as one clause.
 */
int native_open(const char *path, const struct guest_open_options *options, struct guest **ret,
                struct error **err);
/* native_open() on an open block source, which the guest then owns (closed on failure too). */
int native_open_block(struct block *block, const char *path,
                      const struct guest_open_options *options, struct guest **ret,
                      struct error **err);
int appliance_open(const char *path, const struct guest_open_options *options, struct guest **ret,
                   struct error **err);

/* What the native engine can do, without opening anything. */
extern const unsigned native_capabilities;
