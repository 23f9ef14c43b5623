/* QEMU's monitor (QEMU docs/interop/qmp-spec.txt), as far as to hear what happens to the machine.
 * Private to vmm/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum qemu_event {
    QEMU_EVENT_RESET,    /* the guest was reset */
    QEMU_EVENT_SHUTDOWN, /* it was switched off; QEMU will end */
    QEMU_EVENT_NO_SPACE, /* an overlay cannot grow; the guest is halted */
    QEMU_EVENT_STOP,     /* the guest is halted */
};

typedef void qemu_event_fn(void *context, enum qemu_event event);

/* A text that a command returned. */
typedef void qemu_return_fn(void *context, const char *text);

/* Zero-initialise. */
struct qemu_monitor {
    char line[16384];
    size_t length;
    bool overlong;            /* this line does not fit: it is dropped as a whole */
    qemu_return_fn *returned; /* NULL: nobody cares */
};

/* Asks for events; before or after QEMU has started. */
int qemu_monitor_greet(int fd, struct error **err);

/* Asks for libslirp's list of connections, which comes as a return. */
int qemu_monitor_ask_connections(int fd, struct error **err);
/* Presses the power button. */
int qemu_monitor_power_down(int fd, struct error **err);

/* Takes what QEMU sent, in any portions, and calls `event` for each event among it. Lines that are
 * no JSON, or longer than sizeof(line), are passed over. */
void qemu_monitor_feed(struct qemu_monitor *monitor, const char *bytes, size_t count,
                       qemu_event_fn *event, void *context);
