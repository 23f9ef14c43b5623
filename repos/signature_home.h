/* A home directory for gpg that lives as long as one verification. Internal to signature.c. */
#pragma once

#include "base/error.h"

/* Creates it in $TMPDIR, mode 0700, with a configuration that keeps gpg from starting an agent,
 * using the network or a trust database. *ret: its path, for signature_home_remove(). */
int signature_home_create(char **ret, struct error **err);

/* Removes the directory and frees path. Accepts NULL. */
void signature_home_remove(char *path);

DEFINE_CLEANUP(char *, signature_home_remove);
