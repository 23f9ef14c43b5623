#include "cli/commands.h"

/* Here, not in main.c, so that tests can link it. */
const struct cli_command *const cli_commands[] = {
    &list_command,    &notes_command,  &build_command, &customize_command,
    &sysprep_command, &seed_command,   &boot_command,  &inspect_command,
    &cache_command,   &doctor_command, NULL,
};
