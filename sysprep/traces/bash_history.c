#include "sysprep/operations.h"

const struct sysprep_operation sysprep_bash_history = {
    .name = "bash-history",
    .help = "remove the shell history of bash",
    .manual = "Remove .bash_history of root and of the users with a home directory in /home.",
    .by_default = true,
    .removes = {.files = PATHS("/root/.bash_history", "/home/*/.bash_history")},
};
