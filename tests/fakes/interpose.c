/*
 * Loaded by LD_PRELOAD: lets calls of a program end in a way that they seldom do.
 *
 *   FAKE_FILE     what is written to a file whose path ends so is counted
 *   FAKE_KILL=N   SIGKILL in the place of the N-th write
 *   FAKE_FULL=N   no space for the N-th write, nor for those that follow it, until FAKE_ROOM=N of
 *                 them have failed (default: 1)
 *   FAKE_KEEP     SIGKILL in the place of removing a file whose path ends so
 *   FAKE_AT_LOCK  a command of the shell, run once, before the first lock is taken
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long number(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text ? atol(text) : otherwise;
}

static int ends_with(const char *path, size_t length, const char *variable)
{
    const char *end = getenv(variable);
    size_t wanted = end ? strlen(end) : 0;
    return end && length >= wanted && memcmp(path + length - wanted, end, wanted) == 0;
}

static int is_counted(int fd)
{
    char name[64], path[4096];
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(name, path, sizeof(path));
    return length >= 0 && ends_with(path, (size_t)length, "FAKE_FILE");
}

int unlink(const char *path)
{
    int (*real)(const char *) = (int (*)(const char *))dlsym(RTLD_NEXT, "unlink");
    if (ends_with(path, strlen(path), "FAKE_KEEP"))
        kill(getpid(), SIGKILL);
    return real(path);
}

static int write_fails(int fd)
{
    static long count;
    if (!is_counted(fd))
        return 0;
    count++;
    if (count == number("FAKE_KILL", 0))
        kill(getpid(), SIGKILL);
    long full = number("FAKE_FULL", 0);
    if (!full || count < full || count >= full + number("FAKE_ROOM", 1))
        return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    ssize_t (*real)(int, const void *, size_t, off_t) =
        (ssize_t(*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
    return write_fails(fd) ? -1 : real(fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off_t offset)
{
    return pwrite(fd, bytes, count, offset);
}

static void at_lock(int command)
{
    static int done;
    const char *run = getenv("FAKE_AT_LOCK");
    if (!run || done || command != F_OFD_SETLK)
        return;
    done = 1;
    char *copy = strdup(run);
    unsetenv("LD_PRELOAD");
    if (!copy || system(copy) != 0)
        abort();
    free(copy);
}

int fcntl64(int fd, int command, ...)
{
    int (*real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, "fcntl64");
    va_list args;
    va_start(args, command);
    void *argument = va_arg(args, void *);
    va_end(args);
    at_lock(command);
    return real(fd, command, argument);
}

int fcntl(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    void *argument = va_arg(args, void *);
    va_end(args);
    return fcntl64(fd, command, argument);
}
