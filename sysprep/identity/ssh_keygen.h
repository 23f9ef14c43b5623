/* What generates SSH host keys when a guest boots without any. */
#pragma once

#include "sysprep/operation.h"

/*
 * Looks for what the guest itself has for that; where it has nothing, a unit of ours is put in. A
 * guest without an SSH server needs none. -EOPNOTSUPP: it would come up without a running sshd.
 */
int ssh_keygen_ensure(struct customize_context *context, struct error **err);
