#include "guest/ext/hole.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"

bool hole_find_data(int fd, uint64_t at, uint64_t *ret_start, uint64_t *ret_end)
{
    struct stat st;
    off_t was = lseek(fd, 0, SEEK_CUR);
    *ret_start = at;
    *ret_end = UINT64_MAX;
    if (was < 0 || at > INT64_MAX || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return true;
    off_t data = lseek(fd, (off_t)at, SEEK_DATA);
    bool none = data < 0 && errno == ENXIO;
    off_t hole = data >= 0 ? lseek(fd, data, SEEK_HOLE) : -1;
    lseek(fd, was, SEEK_SET);
    if (none) {
        *ret_end = max_u64(at, (uint64_t)st.st_size);
        return false;
    }
    if (hole > data) {
        *ret_start = (uint64_t)data;
        *ret_end = (uint64_t)hole;
    }
    return true;
}

uint64_t hole_count_data(int fd)
{
    struct stat st;
    uint64_t total = 0, start, end;
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return 0;
    uint64_t size = (uint64_t)st.st_size;
    for (uint64_t here = (uint64_t)at; here < size; here = end) {
        if (!hole_find_data(fd, here, &start, &end))
            break;
        end = min_u64(end, size);
        if (start >= end)
            break;
        total += end - start;
    }
    return total;
}
