/* What somebody types at a guest's console. Private to vmm/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "vmm/runner.h"

struct keyboard {
    int fd;      /* the caller's; -1: none, or it has come to its end */
    bool person; /* who may want to leave a guest that takes nothing: what it has no room for is
                    lost. Other input waits */
    char keys[256];
    size_t count; /* of keys that the guest has not taken */
    bool left;    /* VM_TERMINAL_ESCAPE was typed: nothing more is read */
};

/* Nobody's where terminal is NULL. */
void keyboard_init(struct keyboard *keyboard, const struct vm_terminal *terminal);

/* The descriptor to wait for; -1: the guest has to take keys first, or nothing will come. */
int keyboard_fd(const struct keyboard *keyboard);

/* Takes what there is without waiting. The end of the input leaves the guest alone. */
void keyboard_read(struct keyboard *keyboard);

/* The guest has taken the first `count` keys. */
void keyboard_drop(struct keyboard *keyboard, size_t count);
