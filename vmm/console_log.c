#include "vmm/console_log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/fdio.h"

/* In portions that a pipe with room takes at once, so that write() never blocks. Files always have
 * room in the sense of poll(). */
static int write_patiently(int fd, const char *name, const char *bytes, size_t count,
                           uint64_t deadline, struct error **err)
{
    while (count > 0) {
        struct pollfd poller = {.fd = fd, .events = POLLOUT};
        int n = poll(&poller, 1, deadline_left(deadline));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(err, ETIMEDOUT, "%s: its reader does not read", name);
        size_t portion = min_u64(count, PIPE_BUF);
        int r = fd_write_full(fd, bytes, portion, name, err);
        if (r < 0)
            return r;
        bytes += portion;
        count -= portion;
    }
    return 0;
}

int console_log_write(struct console_log *log, const char *bytes, size_t count, uint64_t deadline,
                      struct error **err)
{
    static const char note[] =
        "\n[kiln: the log's size limit is reached; what follows is not logged]\n";
    static const char name[] = "console log";
    uint64_t before = log->total;
    int r = 0;
    log->total += count;
    if (log->screen >= 0)
        r = write_patiently(log->screen, "console", bytes, count, deadline, err);
    if (r < 0 || log->fd < 0 || before >= CONSOLE_LOG_MAX)
        return r;
    r = write_patiently(log->fd, name, bytes, min_u64(count, CONSOLE_LOG_MAX - before), deadline,
                        err);
    if (r == 0 && log->total >= CONSOLE_LOG_MAX)
        r = write_patiently(log->fd, name, note, strlen(note), deadline, err);
    return r;
}
