/* Terminal input for a guest's console. Private to vmm/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "vmm/runner.h"

struct keyboard {
    int fd;      /* the caller's; -1: none, or it has reached its end */
    bool person; /* on a terminal, input beyond the guest's buffer is dropped, so that the escape
                    key is still read when the guest reads nothing. Input from elsewhere waits */
    char keys[256];
    size_t count; /* of keys that the guest has not taken */
    bool left;    /* VM_TERMINAL_ESCAPE was typed: nothing more is read */
};

/* Without input where terminal is NULL. */
void keyboard_init(struct keyboard *keyboard, const struct vm_terminal *terminal);

/* The descriptor to poll; -1: the guest has to read keys first, or the input has ended. */
int keyboard_fd(const struct keyboard *keyboard);

/* Takes what there is without waiting. The end of the input leaves the guest alone. */
void keyboard_read(struct keyboard *keyboard);

/* The guest has taken the first `count` keys. */
void keyboard_drop(struct keyboard *keyboard, size_t count);
