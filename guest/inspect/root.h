/* What a root file system is known by. */
#pragma once

#include "guest/guest.h"

/* Whether what is mounted on "/" alone looks like the root of a Linux guest. */
bool guest_looks_like_root(struct guest *guest);

/* What the mounted root is called; *ret NULL: it does not say. Caller frees. */
int guest_product_name(struct guest *guest, char **ret, struct error **err);

/* Programs of which most guests have one, NULL behind the last: their ELF headers tell the
 * architecture. */
extern const char *const guest_common_programs[];
