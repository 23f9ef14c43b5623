/* The terminal in raw mode, for a guest's console: every key goes there, Ctrl-C among them. One at
 * a time, in the main thread. */
#pragma once

#include "base/error.h"

/* Nothing to do where fd is no terminal. Signals that end kiln restore the terminal first. */
int raw_terminal_enter(int fd, struct error **err);
/* Restores its settings; harmless where it was not entered. */
void raw_terminal_leave(void);
