/*
 * The console watcher: reads what a machine prints and determines how its boot ended. Fed with
 * bytes in any portions, bounded in memory, indifferent to colours and carriage returns.
 */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum vm_verdict {
    VERDICT_NONE, /* nothing decided yet */
    VERDICT_CLOUD_INIT_DONE,
    VERDICT_CLOUD_INIT_DEGRADED, /* finished, but it warned on the way */
    VERDICT_CLOUD_INIT_FAILED,   /* a stage or module failed, or the seed was not used */
    VERDICT_LOGIN_PROMPT,
    VERDICT_LINE_SEEN, /* the console line that was waited for; vmm/watch.h gives this and the next
                        */
    VERDICT_PORT_OPEN, /* the guest's port that was waited for */
    VERDICT_PANIC,
    VERDICT_NO_ROOT_DEVICE,
    VERDICT_EMERGENCY_SHELL,
    VERDICT_NO_BOOTLOADER,
    VERDICT_RESET_LOOP,
    VERDICT_TRIPLE_FAULT, /* a triple fault; this and the next two are determined by runners */
    VERDICT_HANG,         /* every processor is halted for good */
    VERDICT_POWER_OFF,    /* switched itself off before anything else was decided */
    VERDICT_INTERRUPTED,  /* ended by VM_TERMINAL_ESCAPE before anything else was decided */
    VERDICT_TIMEOUT,
};

/* "cloud-init-done", "login-prompt", ... */
const char *vm_verdict_name(enum vm_verdict verdict);
int vm_verdict_parse(const char *name, enum vm_verdict *ret, struct error **err);
/* True for the verdicts that mean a guest came up: cloud-init done or degraded, login prompt, what
 * was waited for. */
bool vm_verdict_good(enum vm_verdict verdict);

struct console_watcher;

/*
 * seeded: a seed is attached, so that a login prompt alone does not end the boot: cloud-init's word
 * is waited for, and it must name the seed as its source.
 * expected: which of several good signs is waited for; VERDICT_NONE: the first one, with a seed
 * cloud-init's word; VERDICT_LINE_SEEN or VERDICT_PORT_OPEN: none, as others decide about them. A
 * bad sign always ends the boot.
 */
int console_watcher_new(bool seeded, enum vm_verdict expected, struct console_watcher **ret,
                        struct error **err);
void console_watcher_feed(struct console_watcher *watcher, const char *bytes, size_t count);
/* The machine was reset (by the guest); the fourth time is a reset loop. */
void console_watcher_reset(struct console_watcher *watcher);
/* The machine was switched off, or has ended: what was seen so far decides. Not for timeouts. */
void console_watcher_power_off(struct console_watcher *watcher);
enum vm_verdict console_watcher_verdict(const struct console_watcher *watcher);
/* Looks out for a line, or a prompt, that matches; the caller's, and kept. */
void console_watcher_look_for(struct console_watcher *watcher, const regex_t *pattern);
/* The first such line, printable; NULL: none so far. Valid until the watcher is freed. */
const char *console_watcher_found(const struct console_watcher *watcher);
/* The line that decided; "" while nothing is decided. Valid until the next call. */
const char *console_watcher_reason(const struct console_watcher *watcher);
/* What is known while nothing is decided, for the reason of a timeout: "a login prompt appeared,
 * but cloud-init did not finish" or the last line printed. Caller frees. NULL: out of memory. */
char *console_watcher_state(const struct console_watcher *watcher);
/* The last 50 lines, printable; caller frees. NULL: out of memory. */
char *console_watcher_tail(const struct console_watcher *watcher);
void console_watcher_free(struct console_watcher *watcher);
DEFINE_CLEANUP(struct console_watcher *, console_watcher_free);
