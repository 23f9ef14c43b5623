/* Units of kiln's own that make, at the boot of a clone, what sysprep removed. */
#pragma once

#include "base/error.h"
#include "guest/guest.h"

/*
 * Puts the unit into a guest with systemd and has multi-user.target start it. `name` is without
 * ".service". What is there already is kept enabled; its text becomes this one. The text needs no
 * [Install] section.
 */
int boot_unit_install(struct guest *guest, const char *name, const char *text, struct error **err);
