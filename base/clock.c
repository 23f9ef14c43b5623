#include "base/clock.h"

#include <stdlib.h>

#include "base/str.h"

uint64_t clock_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t clock_now_ms(void)
{
    return clock_now_ns() / 1000000u;
}

uint64_t deadline_after(uint64_t ms)
{
    uint64_t now = clock_now_ms();
    return ms > UINT64_MAX - now ? UINT64_MAX : now + ms;
}

int deadline_left(uint64_t deadline)
{
    uint64_t now = clock_now_ms();
    if (now >= deadline)
        return 0;
    return deadline - now > INT32_MAX ? INT32_MAX : (int)(deadline - now);
}

time_t clock_build_time(void)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    uint64_t seconds;
    if (epoch && parse_u64(epoch, "SOURCE_DATE_EPOCH", &seconds, NULL) == 0 &&
        seconds <= INT32_MAX * 4ull)
        return (time_t)seconds;
    return time(NULL);
}
