/* Time: monotonic for deadlines, wall-clock for what is written into images. */
#pragma once

#include <stdint.h>
#include <time.h>

/* Milliseconds of the monotonic clock. */
uint64_t clock_now_ms(void);
/* The same in nanoseconds. */
uint64_t clock_now_ns(void);

/* clock_now_ms() + ms, saturating: UINT64_MAX means never. */
uint64_t deadline_after(uint64_t ms);
/* Milliseconds until the deadline, 0 when it has passed, at most INT32_MAX: fit for poll(). */
int deadline_left(uint64_t deadline);

/* Wall-clock seconds to write into outputs: SOURCE_DATE_EPOCH where it is set and valid
 * (https://reproducible-builds.org/specs/source-date-epoch/), else now. */
time_t clock_build_time(void);
