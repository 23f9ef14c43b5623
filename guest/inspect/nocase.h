/* Guest paths by the rules of Windows: case does not count. */
#pragma once

#include "base/error.h"
#include "guest/guest.h"

/*
 * The path below the directory ("/": the root) as the guest spells it. Names that do not exist stay
 * as given, so that the result can be created. Only ASCII letters count as the same: no name that
 * we ask for has others. Caller frees.
 */
int guest_nocase(struct guest *guest, const char *directory, const char *path, char **ret,
                 struct error **err);
