/* Restricts a thread to the system calls that it needs (seccomp(2)), to limit what a guest that
 * takes over the thread can reach. Private to vmm/. */
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
