/* Threads without the system calls that they have no use for. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "vmm/confine.h"

struct outcome {
    int pipe[2];
    bool confined, wrote, allocated;
    int open_errno, socket_errno, exec_errno, mmap_errno, protect_errno, kill_errno;
    int allowed; /* what the call asked for gave */
};

static int errno_of(long result)
{
    return result < 0 ? errno : 0;
}

/* Without a pause, so that nothing is checked by a thread that cannot tell. */
static void *in_a_cage(void *opaque)
{
    static const int calls[] = {SYS_getppid};
    struct outcome *outcome = opaque;
    outcome->confined = confine_thread(calls, ARRAY_SIZE(calls), NULL) == 0;
    outcome->open_errno = errno_of(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0));
    outcome->socket_errno = errno_of(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
    outcome->exec_errno = errno_of(syscall(SYS_execve, "/bin/true", NULL, NULL));
    outcome->kill_errno = errno_of(syscall(SYS_kill, getpid(), 0));
    outcome->mmap_errno = errno_of(
        syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    void *memory = malloc(1 << 20);
    outcome->allocated = memory != NULL;
    if (memory)
        memset(memory, 1, 1 << 20);
    outcome->protect_errno = errno_of(
        syscall(SYS_mprotect, (uintptr_t)memory & ~UINT64_C(4095), 4096, PROT_READ | PROT_EXEC));
    free(memory);
    outcome->wrote = write(outcome->pipe[1], "x", 1) == 1;
    outcome->allowed = (int)syscall(SYS_getppid);
    return NULL;
}

static void test_a_confined_thread(void **state)
{
    (void)state;
    struct outcome outcome = {0};
    pthread_t thread;
    assert_int_equal(pipe(outcome.pipe), 0);
    assert_int_equal(pthread_create(&thread, NULL, in_a_cage, &outcome), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(outcome.confined);
    assert_int_equal(outcome.open_errno, EPERM);
    assert_int_equal(outcome.socket_errno, EPERM);
    assert_int_equal(outcome.exec_errno, EPERM);
    assert_int_equal(outcome.kill_errno, EPERM);
    assert_int_equal(outcome.mmap_errno, EPERM);
    assert_int_equal(outcome.protect_errno, EPERM);
    assert_true(outcome.allocated);
    assert_true(outcome.wrote);
    assert_int_equal(outcome.allowed, getppid());
    /* Nobody else is. */
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    close(fd);
    close(outcome.pipe[0]);
    close(outcome.pipe[1]);
}

static void test_too_many_calls(void **state)
{
    (void)state;
    static int calls[200];
    struct error *err = NULL;
    assert_int_equal(confine_thread(calls, ARRAY_SIZE(calls), &err), -EINVAL);
    error_free(err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_confined_thread),
        cmocka_unit_test(test_too_many_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
