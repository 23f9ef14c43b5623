/* What is settled for the whole process before anything else runs. */
#pragma once

/*
 * A program may be started with its standard descriptors closed (2>&-). The next file that it opens
 * then takes the free number: a message for standard error would be written into a disk image. Each
 * of the three that is closed becomes a descriptor that cannot be used in its own direction:
 * reading and writing fail as on a closed one. To be called before anything is opened. Does not
 * return where that is impossible.
 */
void process_secure_descriptors(void);

/*
 * No core dump holds a password that was given to kiln, and the file size limit of the process
 * (ulimit -f) is an error of the call that meets it, which is cleaned up after, and not a signal.
 * Children inherit both.
 */
void process_set_limits(void);
