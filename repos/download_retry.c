#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "base/str.h"
#include "repos/download.h"
#include "repos/transfer.h"

enum { SHORT_PAUSE_MS = 20, FIRST_PAUSE_MS = 250, LONGEST_PAUSE_MS = 8000 };

/* An attempt that transferred so many bytes does not count against the retries. */
#define RETRY_PROGRESS (1 << 20)

static void pause_ms(uint64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

/* Keeps nothing, or with `resume` what is there. */
static int prepare(int fd, const char *name, bool resume, uint64_t *ret_offset, struct error **err)
{
    struct stat st;
    if (!resume && ftruncate(fd, 0) < 0)
        return error_sys(err, errno, "%s: cannot empty the file for it", name);
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: the file for it is unusable", name);
    *ret_offset = (uint64_t)st.st_size;
    return 0;
}

static int fetch_remote(const char *uri, const char *display, int fd,
                        const struct download_options *options, struct error **err)
{
    struct transfer transfer = {.uri = uri, .display = display, .fd = fd, .options = options};
    int r = prepare(fd, display, options->resume, &transfer.offset, err);
    if (r < 0)
        return r;
    unsigned tries = 0;
    uint64_t pause = FIRST_PAUSE_MS;
    for (;;) {
        _cleanup_error_ struct error *failure = NULL;
        uint64_t before = transfer.offset;
        r = transfer_attempt(&transfer, &failure);
        if (r == 0)
            break;
        if (options->resume && transfer.offset >= before + RETRY_PROGRESS) {
            tries = 0;
            pause = SHORT_PAUSE_MS;
        }
        if (!transfer.again || tries++ >= options->retries)
            return error_move(err, TAKE_PTR(failure));
        report(options->reporter, REPORT_INFO, "%s; trying again", error_message(failure));
        pause_ms(pause);
        pause = min_u64(max_u64(pause * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
        r = prepare(fd, display, options->resume, &transfer.offset, err);
        if (r < 0)
            return r;
    }
    if (options->task)
        report_progress(options->reporter, options->task, transfer.offset, transfer.offset);
    return 0;
}

static int open_local(const char *path, uint64_t max_size, uint64_t *ret_size, struct error **err)
{
    _cleanup_close_ int fd = file_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, err);
    if (fd < 0)
        return fd;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL, "%s: is no regular file",
                         path);
    if (max_size && (uint64_t)st.st_size > max_size)
        return error_set(err, EFBIG, "%s: is larger than the %llu bytes allowed", path,
                         (unsigned long long)max_size);
    *ret_size = (uint64_t)st.st_size;
    return TAKE_FD(fd);
}

/* A local file is read whole each time: to resume would save nothing. */
static int copy_local(const char *path, int out, const struct download_options *options,
                      struct error **err)
{
    uint64_t size = 0, done = 0;
    _cleanup_close_ int in = open_local(path, options->max_size, &size, err);
    if (in < 0)
        return in;
    int r = prepare(out, path, false, &done, err);
    static const size_t chunk = 1 << 20;
    _cleanup_free_ char *buffer = malloc(chunk);
    if (!buffer)
        return error_oom(err);
    while (r == 0 && done < size) {
        size_t count = (size_t)min_u64(chunk, size - done);
        r = fd_pread_full(in, buffer, count, done, path, err);
        if (r == 0)
            r = fd_pwrite_full(out, buffer, count, done, path, err);
        done += count;
        if (r == 0 && options->task)
            report_progress(options->reporter, options->task, done, size);
    }
    return r;
}

int download_to_fd(const char *uri, int fd, const struct download_options *options,
                   struct error **err)
{
    _cleanup_free_ char *path = NULL, *display = uri_printable(uri);
    if (!display)
        return error_oom(err);
    if (uri_is_local(uri, &path))
        return path ? copy_local(path, fd, options, err) : error_oom(err);
    if (!uri_is_remote(uri))
        return error_set(err, EINVAL, "%s: is no http, https, ftp or file URI", display);
    return fetch_remote(uri, display, fd, options, err);
}

int download_to_memory(const char *uri, const struct download_options *options, char **ret,
                       size_t *ret_size, struct error **err)
{
    _cleanup_free_ char *display = uri_printable(uri);
    if (!display)
        return error_oom(err);
    _cleanup_close_ int fd = memfd_create("kiln-download", MFD_CLOEXEC);
    if (fd < 0)
        return error_sys(err, errno, "%s: cannot create a file in memory", display);
    struct download_options whole = *options;
    whole.resume = false;
    int r = download_to_fd(uri, fd, &whole, err);
    if (r < 0)
        return r;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_sys(err, errno, "%s: cannot read back", display);
    return fd_read_all(fd, options->max_size ? options->max_size : SIZE_MAX, display, ret, ret_size,
                       err);
}
