/* MIME documents of several parts (RFC 2046, section 5.1), as cloud-init takes them apart. */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct mime_part {
    const char *type; /* "text/x-shellscript"; NULL: the data is a whole MIME document */
    const char *name; /* of the file that the part becomes; NULL: none */
    const char *data;
    size_t size;
};

/* Puts the parts into one document, encoded so that any bytes survive. Caller frees *ret_data,
 * which has a NUL behind its end. */
int mime_join(const struct mime_part *parts, size_t count, char **ret_data, size_t *ret_size,
              struct error **err);
