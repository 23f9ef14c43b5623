/* The default SSH key. */
#pragma once

#include "base/error.h"

/* The path of the user's default public key: the newest ~/.ssh/id*.pub, certificates left out, as
 * ssh-copy-id(1) does. Caller frees. -ENOENT: there is none. */
int ssh_key_default(char **ret_path, struct error **err);
