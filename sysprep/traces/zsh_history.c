#include "sysprep/operations.h"

const struct sysprep_operation sysprep_zsh_history = {
    .name = "zsh-history",
    .help = "remove the shell history of zsh",
    .manual = "Remove .zsh_history of root and of the users with a home directory in /home.",
    .by_default = true,
    .removes = {.files = PATHS("/root/.zsh_history", "/home/*/.zsh_history")},
};
