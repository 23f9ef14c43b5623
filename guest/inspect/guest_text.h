/* Small text files of a guest, for what looks at it. Private to guest/inspect/. */
#pragma once

#include "guest/guest.h"

#define GUEST_TEXT_MAX ((size_t)64 << 10)

/* The whole of the file; NULL when it cannot be had. Only a lack of memory is an error. */
int guest_text(struct guest *guest, const char *path, char **ret, struct error **err);
