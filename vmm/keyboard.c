#include "vmm/keyboard.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

void keyboard_init(struct keyboard *keyboard, const struct vm_terminal *terminal)
{
    *keyboard = (struct keyboard){.fd = terminal ? terminal->input : -1};
}

int keyboard_fd(const struct keyboard *keyboard)
{
    return keyboard->count == 0 ? keyboard->fd : -1;
}

void keyboard_read(struct keyboard *keyboard)
{
    struct pollfd poller = {.fd = keyboard_fd(keyboard), .events = POLLIN};
    /* Others may share the file: it is not made non-blocking for them. */
    if (poller.fd < 0 || poll(&poller, 1, 0) <= 0)
        return;
    ssize_t n = read(poller.fd, keyboard->keys, sizeof(keyboard->keys));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    keyboard->count = n > 0 ? (size_t)n : 0;
    const char *escape = memchr(keyboard->keys, VM_TERMINAL_ESCAPE, keyboard->count);
    if (escape) {
        keyboard->count = (size_t)(escape - keyboard->keys);
        keyboard->left = true;
    }
    if (n <= 0 || escape)
        keyboard->fd = -1;
}

void keyboard_drop(struct keyboard *keyboard, size_t count)
{
    keyboard->count -= count;
    memmove(keyboard->keys, keyboard->keys + count, keyboard->count);
}
