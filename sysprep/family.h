/* Kinds of guests, for operations that are not for all. */
#pragma once

#include <stdbool.h>

#include "guest/inspect/inspect.h"

/* Fedora, Red Hat Enterprise Linux and their kin. */
bool family_is_redhat(const struct guest_info *info);

bool family_has_systemd(const struct guest_info *info);
