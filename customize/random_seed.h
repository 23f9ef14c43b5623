/* The random seed that a guest carries from boot to boot. */
#pragma once

#include "customize/operation.h"

/*
 * Fills every seed file that the guest has with fresh random bytes: as many as it holds, but at
 * least 512 and at most 8192. Where it has none, one of 512 bytes with mode 0600 is made at the
 * place that its init reads, if that directory exists. A guest with no place for a seed is fine.
 */
int random_seed_set(struct customize_context *context, struct error **err);
