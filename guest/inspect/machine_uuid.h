/* UUIDs that systemd derives from a machine's id (sd_id128_get_machine_app_specific(3)). */
#pragma once

#include "base/error.h"
#include "base/uuid.h"

/* The UUID for the application, whose id is UUID text. Returns 1, or 0 where the machine id is
 * none: empty, "uninitialized". */
int machine_uuid(const char *machine_id, const char *application, char ret[static UUID_TEXT_SIZE],
                 struct error **err);
