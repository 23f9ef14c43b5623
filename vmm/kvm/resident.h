/* What of this process is in the host's memory beside the guest's. Private to vmm/. */
#pragma once

/* Gives back what only the way here has needed: pages of programs and libraries, which come again
 * from the files where they are called, and free parts of the heap. */
void resident_trim(void);
