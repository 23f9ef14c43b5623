#include "vmm/qemu/monitor.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"

/* `flag`: a member of the event's data that must be true. A SHUTDOWN that is not the guest's doing
 * is our own signal. */
static const struct {
    const char *name;
    const char *flag;
    enum qemu_event event;
} events[] = {
    {"RESET", "guest", QEMU_EVENT_RESET},
    {"SHUTDOWN", "guest", QEMU_EVENT_SHUTDOWN},
    {"BLOCK_IO_ERROR", "nospace", QEMU_EVENT_NO_SPACE},
    {"STOP", NULL, QEMU_EVENT_STOP},
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

static void take_event(const json_t *message, qemu_event_fn *event, void *context)
{
    const char *name = json_string_value(json_object_get(message, "event"));
    const json_t *data = json_object_get(message, "data");
    for (size_t i = 0; name && i < ARRAY_SIZE(events); i++)
        if (strcmp(name, events[i].name) == 0 &&
            (!events[i].flag || json_is_true(json_object_get(data, events[i].flag))))
            event(context, events[i].event);
}

/* Every message is an object on a line of its own: an event, or the outcome of a command. Of these
 * only texts are of use; the greeting, empty returns and errors are passed over, as is what is no
 * JSON. */
static void take_line(const struct qemu_monitor *monitor, qemu_event_fn *event, void *context)
{
    json_t *message = json_loadb(monitor->line, monitor->length, 0, NULL);
    const char *text = json_string_value(json_object_get(message, "return"));
    if (text && monitor->returned)
        monitor->returned(context, text);
    take_event(message, event, context);
    json_decref(message);
}

void qemu_monitor_feed(struct qemu_monitor *monitor, const char *bytes, size_t count,
                       qemu_event_fn *event, void *context)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n') {
            if (!monitor->overlong)
                take_line(monitor, event, context);
            monitor->length = 0;
            monitor->overlong = false;
        } else if (monitor->length < sizeof(monitor->line)) {
            monitor->line[monitor->length++] = bytes[i];
        } else {
            monitor->overlong = true;
        }
    }
}
