/* Which release of which system: os-release, and what systems had before it or have instead. */
#pragma once

#include "guest/guest.h"
#include "guest/inspect/osrelease.h"

/* *ret_type: "linux", "freebsd", "netbsd" or "openbsd". What is not known stays NULL. */
int release_read(struct guest *guest, struct os_release *ret, const char **ret_type,
                 struct error **err);
