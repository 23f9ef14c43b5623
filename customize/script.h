/* Scripts given by the user: a host file, or a command on the command line. */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct script {
    char *text; /* may hold NULs: any program will do */
    size_t size;
};

/* The contents of a host file, read now; at most 16 MiB, not empty. `option` is without dashes. */
int script_read(const char *option, const char *path, struct script **ret, struct error **err);

/* The command as a script of its own. */
int script_of_command(const char *option, const char *command, struct script **ret,
                      struct error **err);

/* A customize_operation's free_data(): wipes it, as scripts hold passwords. Accepts NULL. */
void script_free(void *script);
