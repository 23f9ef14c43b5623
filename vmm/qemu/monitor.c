#include "vmm/qemu/monitor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"

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

static int say(int fd, const char *command, struct error **err)
{
    ssize_t n = send(fd, command, strlen(command), MSG_NOSIGNAL);
    if (n != (ssize_t)strlen(command))
        return error_sys(err, n < 0 ? errno : EIO, "QEMU's monitor: cannot write");
    return 0;
}

int qemu_monitor_greet(int fd, struct error **err)
{
    return say(fd, "{\"execute\": \"qmp_capabilities\"}\n", err);
}

int qemu_monitor_ask_connections(int fd, struct error **err)
{
    return say(fd,
               "{\"execute\": \"human-monitor-command\", "
               "\"arguments\": {\"command-line\": \"info usernet\"}}\n",
               err);
}

int qemu_monitor_power_down(int fd, struct error **err)
{
    return say(fd, "{\"execute\": \"system_powerdown\"}\n", err);
}

/* Every message is one line, and quotes within strings are escaped: the key with its quotes stands
 * only where it is meant. */
static void take_line(const struct qemu_monitor *monitor, qemu_event_fn *event, void *context)
{
    static const char key[] = "\"event\": \"", returned[] = "{\"return\": \"";
    const char *line = monitor->line, *name = strstr(line, key);
    if (!name) {
        if (monitor->returned && str_starts(line, returned))
            monitor->returned(context, line + sizeof(returned) - 1);
        return;
    }
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
                take_line(monitor, event, context);
            monitor->length = 0;
            monitor->overlong = false;
        } else if (monitor->length < sizeof(monitor->line) - 1) {
            monitor->line[monitor->length++] = bytes[i];
        } else {
            monitor->overlong = true;
        }
    }
}
