/*
 * MIME documents taken apart as Python's email package does, on which cloud-init relies
 * (email/feedparser.py, policy compat32): what has no boundary line is one text, and a multipart
 * document without any has no part at all.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

/* One part that is no container. All but `data` are NUL-terminated copies. */
struct mime_leaf {
    const char *type; /* "text/x-shellscript", in lower case; "text/plain" where none is named */
    const char *filename; /* NULL: none */
    const char *data;     /* decoded, with a NUL behind it */
    size_t size;
};

typedef int mime_leaf_fn(void *opaque, const struct mime_leaf *leaf, struct error **err);

/* Calls fn for each part, in order, until one returns an error, which is returned. Parts within
 * parts count as well, to 16 levels. -EINVAL where a container has text, but no part: `name`
 * stands before that message. */
int mime_split(const char *text, size_t size, const char *name, mime_leaf_fn *fn, void *opaque,
               struct error **err);
