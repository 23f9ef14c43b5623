/*
 * Sealed templates: an image that clones are made from must not change any more. The seal is a
 * sidecar file beside the image (NAME.kiln.json), and image_open() refuses to write to an image
 * that has one. Here is what knows the sidecar alone; image/seal_write.h seals an image.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct seal {
    char *digest;           /* block_digest() with SHA-256, hexadecimal */
    char *time;             /* RFC 3339, UTC; SOURCE_DATE_EPOCH respected */
    struct strv operations; /* names, in the order they ran */
};

void seal_free(struct seal *seal);
#define _cleanup_seal_ _cleanup_(seal_free)

/* -ENOENT: the image is not sealed. A sidecar that cannot be understood counts as a seal: -EINVAL,
 * and the message names it. */
int seal_read(const char *image, struct seal *ret, struct error **err);
/* What a sidecar says; `path` names it in messages. -ENOENT: it has no seal; -EINVAL as above. */
int seal_parse(const char *text, size_t size, const char *path, struct seal *ret,
               struct error **err);
/* Puts a seal with this digest into the sidecar, whose other members stay. */
int seal_store(const char *image, const char *hex, const struct strv *operations,
               struct error **err);
/* Removes the seal. Absent is fine. */
int seal_remove(const char *image, struct error **err);
/* -EPERM with the remedy for a sealed image; 0 for others. */
int seal_check_unsealed(const char *image, struct error **err);
