/* Package managers: the commands of each. */
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "guest/inspect/inspect.h"

enum packages_task { PACKAGES_INSTALL, PACKAGES_UPDATE, PACKAGES_UNINSTALL };

/* An operation's list "PKG,PKG..". Every name must be one that no package manager takes for an
 * option. `option` is without dashes. *ret is freed with packages_free(). */
int packages_parse(const char *option, const char *argument, struct strv **ret, struct error **err);
/* A customize_operation's free_data(). Accepts NULL. */
void packages_free(void *names);

/* A shell script that does the task with the guest's package manager, without prompts; `names` is
 * not looked at for PACKAGES_UPDATE. Caller frees. NULL, with -EOPNOTSUPP in *err, where the guest
 * has none that is known. */
char *packages_script(const struct guest_info *info, enum packages_task task,
                      const struct strv *names, struct error **err);
