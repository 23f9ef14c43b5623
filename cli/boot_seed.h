/* The private copy of a seed that makes the guest report how cloud-init ended. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/*
 * Copies the ISO seed into a memory file, with a script added to its vendor-data: it waits in the
 * guest for cloud-init's end, then runs `command` (NULL: none) by sh, and tells status.json, the
 * command's exit status and its output through the port of vmm/results.h. User-data, meta-data and
 * network-config stay as they are, byte for byte. Returns the descriptor.
 */
int boot_seed_copy(const char *path, const char *command, struct error **err);
