/*
 * Directories of the host whose contents only the user who runs kiln decides: what is read from
 * them is trusted, and what is written into them must not land elsewhere.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"

/* Who may add files to the directory. */
enum private_dir_writers {
    PRIVATE_DIR_OWNER,  /* its owner alone */
    PRIVATE_DIR_STICKY, /* others too, where the sticky bit keeps them from replacing ours */
};

/* Refuses (-EPERM, with the remedy) a directory that belongs to another user, or that others may
 * write into. `path` names it in messages. */
int private_dir_check(int fd, const char *path, enum private_dir_writers writers,
                      struct error **err);

/* Opens the directory `below` ("a/b") of the directory `path`, which the user named and in which
 * links are followed; what is missing of both is created with mode 0700. Each part of `below` must
 * be a directory and no link, and passes private_dir_check(). Returns the descriptor. */
int private_dir_open(const char *path, const char *below, struct error **err);
