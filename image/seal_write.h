/* Sealing an image: stands above image_open(), which itself asks image/seal.h. */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct image_trust; /* image/trust.h */

/* Seals the image, which nobody may be writing to: takes its digest and writes the sidecar. */
int seal_write(const char *image, const struct strv *operations, const struct image_trust *trust,
               struct error **err);
