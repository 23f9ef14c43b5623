/* Removing what operations list. */
#pragma once

#include "sysprep/operation.h"

/* *ret_removed: how many things matched and were removed; may be NULL. */
int sysprep_remove(struct guest *guest, const struct sysprep_removal *removal, size_t *ret_removed,
                   struct error **err);
