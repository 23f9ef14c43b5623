/* Takes from a thread the system calls that it has no use for (seccomp(2)), so that a guest that
 * got hold of it gets hold of little. Private to vmm/. */
#pragma once

#include <stddef.h>

#include "base/error.h"

/*
 * From now on this thread may lock, wait, tell the time, allocate memory, read and write open
 * descriptors, end, and make the `count` system calls named in `calls` (SYS_*) besides; all others
 * fail with EPERM. It cannot open, execute, connect, signal or trace anything. Irrevocable, and
 * inherited by threads it starts.
 */
int confine_thread(const int *calls, size_t count, struct error **err);
