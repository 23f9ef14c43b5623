/* The bundle of trusted certificates that a guest generates from its single ones. */
#pragma once

#include "sysprep/operation.h"

/* Removes, and when something was removed lets the guest make its bundle anew: at once where the
 * engine can run its programs, else when it first boots. */
int ca_store_remove(struct sysprep_context *context, const struct sysprep_removal *removal,
                    struct error **err);
