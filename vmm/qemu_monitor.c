#include "vmm/qemu_monitor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* `data`: what must stand in the message besides. A SHUTDOWN that is not the guest's doing is our
 * own signal. */
static const struct {
    const char *name;
    const char *data;
    enum qemu_event event;
} events[] = {
    {"RESET\"", "\"guest\": true", QEMU_EVENT_RESET},
    {"SHUTDOWN\"", "\"guest\": true", QEMU_EVENT_SHUTDOWN},
    {"BLOCK_IO_ERROR\"", "\"nospace\": true", QEMU_EVENT_NO_SPACE},
    {"STOP\"", "", QEMU_EVENT_STOP},
};

int qemu_monitor_greet(int fd, struct error **err)
{
    static const char greeting[] = "{\"execute\": \"qmp_capabilities\"}\n";
    ssize_t n = send(fd, greeting, sizeof(greeting) - 1, MSG_NOSIGNAL);
    if (n != (ssize_t)sizeof(greeting) - 1)
        return error_sys(err, n < 0 ? errno : EIO, "QEMU's monitor: cannot write");
    return 0;
}

/* Every message is one line, and quotes within strings are escaped: the key with its quotes stands
 * only where it is meant. */
static void take_line(const char *line, qemu_event_fn *event, void *context)
{
    static const char key[] = "\"event\": \"";
    const char *name = strstr(line, key);
    if (!name)
        return;
    name += sizeof(key) - 1;
    for (size_t i = 0; i < ARRAY_SIZE(events); i++)
        if (strncmp(name, events[i].name, strlen(events[i].name)) == 0 &&
            strstr(name, events[i].data))
            event(context, events[i].event);
}

void qemu_monitor_feed(struct qemu_monitor *monitor, const char *bytes, size_t count,
                       qemu_event_fn *event, void *context)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n') {
            monitor->line[monitor->length] = 0;
            if (!monitor->overlong)
                take_line(monitor->line, event, context);
            monitor->length = 0;
            monitor->overlong = false;
        } else if (monitor->length < sizeof(monitor->line) - 1) {
            monitor->line[monitor->length++] = bytes[i];
        } else {
            monitor->overlong = true;
        }
    }
}
