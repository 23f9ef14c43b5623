/* Scripts given by the user: a host file, or a command on the command line. */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct script {
    char *text; /* may hold NULs: any program will do */
    size_t size;
};

/* Both are what a customize_operation's parse() does: *ret_data is a struct script. `option` is
 * without dashes. */

/* The contents of a host file, read now; at most 16 MiB, not empty. */
int script_read(const char *option, const char *path, void **ret_data, struct error **err);

/* The command as a script of its own. */
int script_of_command(const char *option, const char *command, void **ret_data, struct error **err);

/* A customize_operation's free_data(): wipes it, as scripts hold passwords. Accepts NULL. */
void script_free(void *script);
