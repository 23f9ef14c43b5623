/*
 * What a boot is watched for, the same for every runner: its console, the results that it tells
 * through a port, a port of it that is to accept. A runner feeds in what comes, and asks whether it
 * is over.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vmm/runner.h"

struct vm_watch;

/* The config must outlive the watch. */
int vm_watch_new(const struct vm_config *config, struct vm_watch **ret, struct error **err);
void vm_watch_console(struct vm_watch *watch, const char *bytes, size_t count);
void vm_watch_results(struct vm_watch *watch, const char *bytes, size_t count);
/* libslirp's list of connections; a runner gives it after each vm_watch_step() that wants it. */
void vm_watch_connections(struct vm_watch *watch, const char *list);
/* The guest reset the machine. Changes nothing that is over. */
void vm_watch_reset(struct vm_watch *watch);
/* The machine was switched off, or has ended: what was seen so far decides. A verdict stays. */
void vm_watch_power_off(struct vm_watch *watch);
/* The machine was ended from its terminal. A verdict stays. */
void vm_watch_interrupt(struct vm_watch *watch);

/* What is to be done from time to time. Returns the milliseconds after which to call it again at
 * the latest; UINT64_MAX: no need. *ret_wants_connections: see there. */
uint64_t vm_watch_step(struct vm_watch *watch, bool *ret_wants_connections);
/* There is a verdict, and nothing more is to be waited for; with a terminal: it was interrupted. */
bool vm_watch_over(const struct vm_watch *watch);
/* VERDICT_NONE: nothing is decided yet. A verdict may stand before the watch is over: what the
 * guest has to tell about it is still coming. */
enum vm_verdict vm_watch_verdict(const struct vm_watch *watch);
/* Whether a machine that is over is to be heard a little longer: what explains a bad end comes
 * behind the line that decided, and so may the rest of a line that was waited for. */
bool vm_watch_listens(const struct vm_watch *watch);

/* Sets verdict, reason, tail and results of an empty *ret; undecided is VERDICT_TIMEOUT,
 * or VERDICT_INTERRUPTED. */
int vm_watch_fill(struct vm_watch *watch, struct vm_result *ret, struct error **err);
void vm_watch_free(struct vm_watch *watch);
DEFINE_CLEANUP(struct vm_watch *, vm_watch_free);
#define _cleanup_vm_watch_ _cleanup_(vm_watch_freep)
