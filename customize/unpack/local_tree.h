/* Trees of the host put into the guest. */
#pragma once

#include "base/error.h"
#include "base/report.h"
#include "customize/unpack/unpack.h"

/*
 * The local file or directory `path` with all it holds, under its own name: modes, numeric owners,
 * times of change and hard links among its files are kept; links are not followed. Sockets are left
 * out with a warning, as tar(1) does.
 */
int local_tree_unpack(const char *path, struct unpack *unpack, struct reporter *reporter,
                      struct error **err);
