#include "vmm/keyboard.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"

void keyboard_init(struct keyboard *keyboard, const struct vm_terminal *terminal)
{
    *keyboard = (struct keyboard){.fd = -1};
    if (!terminal)
        return;
    keyboard->fd = terminal->input;
    keyboard->person = isatty(terminal->input);
}

int keyboard_fd(const struct keyboard *keyboard)
{
    bool full = keyboard->count == sizeof(keyboard->keys);
    return full && !keyboard->person ? -1 : keyboard->fd;
}

void keyboard_read(struct keyboard *keyboard)
{
    struct pollfd poller = {.fd = keyboard_fd(keyboard), .events = POLLIN};
    char typed[sizeof(keyboard->keys)];
    size_t room = sizeof(keyboard->keys) - keyboard->count;
    /* Others may share the file: it is not made non-blocking for them. */
    if (poller.fd < 0 || poll(&poller, 1, 0) <= 0)
        return;
    ssize_t n = read(poller.fd, typed, keyboard->person ? sizeof(typed) : room);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    size_t count = n > 0 ? (size_t)n : 0;
    const char *escape = memchr(typed, VM_TERMINAL_ESCAPE, count);
    if (escape) {
        count = (size_t)(escape - typed);
        keyboard->left = true;
    }
    count = min_u64(count, room);
    memcpy(keyboard->keys + keyboard->count, typed, count);
    keyboard->count += count;
    if (n <= 0 || escape)
        keyboard->fd = -1;
}

void keyboard_drop(struct keyboard *keyboard, size_t count)
{
    keyboard->count -= count;
    memmove(keyboard->keys, keyboard->keys + count, keyboard->count);
}
