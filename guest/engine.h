/* What the engines share. Private to guest/. */
#pragma once

#include "guest/guest.h"

/* Engines embed this as their first member. */
struct guest {
    const struct guest_ops *ops;
    char *path;   /* of the image, for messages */
    char *reason; /* why this engine; from the engine itself: a clause to add to that, or NULL */
    bool writable;
    /* Directories, and behind each of them why nothing may be written there: the guest would not
     * see it. For engines that cannot tell by themselves; resolved paths. */
    struct strv unserved;
};

/*
 * What became of opening an image: a guest, or the reason why this engine cannot serve what is on
 * the disk, as one clause, in which case another engine may. A failure is neither: no other engine
 * is tried then.
 */
struct guest_opening {
    struct guest *guest; /* NULL: see `lack` */
    char *lack;          /* owned by the caller */
};

int native_open(const char *path, const struct guest_open_options *options,
                struct guest_opening *ret, struct error **err);
/* native_open() on an open block source, which the guest then owns (closed otherwise). */
int native_open_block(struct block *block, const char *path,
                      const struct guest_open_options *options, struct guest_opening *ret,
                      struct error **err);
int appliance_open(const char *path, const struct guest_open_options *options, struct guest **ret,
                   struct error **err);

/* What the native engine can do, without opening anything. */
extern const unsigned native_capabilities;
