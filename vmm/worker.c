#include "vmm/worker.h"

#include <stdio.h>
#include <sys/prctl.h>

#include "base/clock.h"

static void *worker_main(void *opaque)
{
    struct worker *worker = opaque;
    prctl(PR_SET_NAME, worker->name);
    worker->work(worker->argument);
    pthread_mutex_lock(&worker->lock);
    worker->ended = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

static void init(struct worker *worker)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&worker->lock, NULL);
    worker->ended = false;
}

static void destroy(struct worker *worker)
{
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    worker->started = false;
}

int worker_start(struct worker *worker, const char *name, int signal, void (*work)(void *argument),
                 void *argument, struct error **err)
{
    sigset_t blocked, before;
    snprintf(worker->name, sizeof(worker->name), "%s", name);
    worker->work = work;
    worker->argument = argument;
    init(worker);
    /* Signals are for the owner's thread. */
    sigfillset(&blocked);
    if (signal)
        sigdelset(&blocked, signal);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    int r = pthread_create(&worker->thread, NULL, worker_main, worker);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0) {
        destroy(worker);
        return error_sys(err, r, "%s: cannot start a thread", name);
    }
    worker->started = true;
    return 0;
}

static struct timespec timespec_of(uint64_t ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

bool worker_join(struct worker *worker, uint64_t deadline)
{
    if (!worker->started)
        return true;
    const struct timespec until = timespec_of(deadline);
    int r = 0;
    pthread_mutex_lock(&worker->lock);
    while (!worker->ended && r == 0)
        r = pthread_cond_timedwait(&worker->changed, &worker->lock, &until);
    bool ended = worker->ended;
    pthread_mutex_unlock(&worker->lock);
    if (!ended)
        return false;
    pthread_join(worker->thread, NULL);
    destroy(worker);
    return true;
}

/* By the wall clock: ThreadSanitizer knows no lock with a limit by another one. */
bool worker_lock(pthread_mutex_t *lock, uint64_t deadline)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const struct timespec until =
        timespec_of((uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000 +
                    (uint64_t)deadline_left(deadline) + 1);
    return pthread_mutex_timedlock(lock, &until) == 0;
}

void worker_kick(struct worker *worker, int signal)
{
    pthread_kill(worker->thread, signal);
}
