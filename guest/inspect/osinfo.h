#pragma once

#include "guest/inspect/inspect.h"

/* The short ID that libosinfo has for the guest's system, by the rules of libguestfs 1.54
 * (lib/inspect-osinfo.c): "debian12", "win2k19"; "unknown" where there is none. Caller frees. */
char *guest_osinfo_id(const struct guest_info *info, struct error **err);
