/* Threads that end, and those that do not in time. */

#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/clock.h"
#include "tests/unit/unit.h"
#include "vmm/worker.h"

struct job {
    int sleep_ms;
    atomic_bool hangs; /* until it is told otherwise */
    atomic_int done;
    char name[16];
    bool quiet; /* no signal but the named one reaches it */
};

static void do_job(void *argument)
{
    struct job *job = argument;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    job->quiet = sigismember(&blocked, SIGINT) && sigismember(&blocked, SIGTERM);
    prctl(PR_GET_NAME, job->name);
    poll(NULL, 0, job->sleep_ms);
    while (job->hangs)
        poll(NULL, 0, 1);
    atomic_fetch_add(&job->done, 1);
}

static void test_never_started(void **state)
{
    (void)state;
    struct worker worker = {0};
    assert_true(worker_join(&worker, 0));
}

static void test_ends(void **state)
{
    (void)state;
    struct worker worker = {0};
    struct job job = {.sleep_ms = 5};
    for (int i = 1; i <= 3; i++) {
        assert_int_equal(worker_start(&worker, "a-name", 0, do_job, &job, NULL), 0);
        assert_true(worker_join(&worker, UINT64_MAX));
        assert_int_equal(job.done, i);
        assert_true(worker_join(&worker, 0));
    }
    assert_string_equal(job.name, "a-name");
    assert_true(job.quiet);
}

static void test_does_not_end_in_time(void **state)
{
    (void)state;
    struct worker worker = {0};
    struct job job = {.hangs = true};
    assert_int_equal(worker_start(&worker, "slow", 0, do_job, &job, NULL), 0);
    assert_false(worker_join(&worker, deadline_after(30)));
    assert_int_equal(job.done, 0);
    job.hangs = false;
    assert_true(worker_join(&worker, deadline_after(60000)));
    assert_int_equal(job.done, 1);
}

static void on_signal(int number)
{
    (void)number;
}

/* The signal that was named gets through. */
static void test_is_kicked(void **state)
{
    (void)state;
    struct worker worker = {0};
    struct job job = {.sleep_ms = 600000};
    const struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;
    assert_int_equal(sigaction(SIGUSR2, &action, &before), 0);
    assert_int_equal(worker_start(&worker, "sleeper", SIGUSR2, do_job, &job, NULL), 0);
    bool ended = false;
    for (int i = 0; i < 1200 && !ended; i++) {
        worker_kick(&worker, SIGUSR2);
        ended = worker_join(&worker, deadline_after(50));
    }
    assert_true(ended);
    sigaction(SIGUSR2, &before, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_never_started),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_does_not_end_in_time),
        cmocka_unit_test(test_is_kicked),
    };
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
