/* One row a command; each is defined in the file of its name. */
#pragma once

#include "cli/options.h"

extern const struct cli_command boot_command;
extern const struct cli_command build_command;
extern const struct cli_command cache_command;
extern const struct cli_command customize_command;
extern const struct cli_command doctor_command;
extern const struct cli_command inspect_command;
extern const struct cli_command list_command;
extern const struct cli_command notes_command;
extern const struct cli_command seed_command;
extern const struct cli_command sysprep_command;
