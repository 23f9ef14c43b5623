#include "sysprep/operations.h"

const struct sysprep_operation sysprep_ssh_userdir = {
    .name = "ssh-userdir",
    .help = "remove the SSH keys and settings of users",
    .manual = "Remove the directory .ssh of root and of the users with a home directory in /home. "
              "Keys that are put in with --ssh-inject come afterwards and stay.",
    .by_default = true,
    .removes = {.trees = PATHS("/root/.ssh", "/home/*/.ssh")},
};
