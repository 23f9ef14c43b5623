/*
 * Threads of a machine, with a bounded wait for their end: one that is blocked in the host, such as
 * in the read of a disk that does not answer, must not block its owner for ever. Private to vmm/.
 */
#pragma once

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Zero-initialise. It must stay where it is while the thread runs. */
struct worker {
    pthread_t thread;
    char name[16];
    void (*work)(void *argument);
    void *argument;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ended; /* with the lock */
};

/* Starts a thread that runs work(argument), with all signals but `signal` blocked; 0: with all of
 * them. `name` is at most 15 bytes. */
int worker_start(struct worker *worker, const char *name, int signal, void (*work)(void *argument),
                 void *argument, struct error **err);

/* Waits until the thread has ended, at most until the deadline (base/clock.h). False: it has not.
 * True where none was started, or it was joined before. */
bool worker_join(struct worker *worker, uint64_t deadline);

/* Takes a lock that such a thread may have. False: the deadline came first. */
bool worker_lock(pthread_mutex_t *lock, uint64_t deadline);

/* Sends the signal that was named at the start; the worker has been started. */
void worker_kick(struct worker *worker, int signal);
