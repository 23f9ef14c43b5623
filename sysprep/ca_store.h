/* The bundle of trusted certificates that a guest makes of its single ones. */
#pragma once

#include "sysprep/operation.h"

/* Lets the guest make its bundle anew: at once where the engine can run programs, else a warning
 * tells what is left to do. */
int ca_store_update(struct sysprep_context *context, struct error **err);

/* Removes, and updates the bundle when something was removed. */
int ca_store_remove(struct sysprep_context *context, const struct sysprep_removal *removal,
                    struct error **err);
