/* What of this process is in the host's memory beside the guest's. Private to vmm/. */
#pragma once

/* Releases memory that only the set-up needed: pages of programs and libraries, which are read
 * again from their files when used, and free parts of the heap. */
void resident_trim(void);
