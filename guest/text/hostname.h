/* Where a guest keeps its host name: by its distribution, its init, and its own boot scripts. */
#pragma once

#include "base/error.h"
#include "guest/guest.h"
#include "guest/inspect/inspect.h"
#include "guest/text/distro.h"

enum { hostname_settings_max = 6 };

struct hostname_place {
    /* Ends with a path of NULL; none for OpenWrt, which has it in /etc/config/system. */
    struct distro_setting settings[hostname_settings_max];
    bool openwrt;
    bool in_hosts; /* it stands in /etc/hosts as well */
};

/* -EOPNOTSUPP, with what was looked for, where nothing is known that the guest would read. */
int hostname_find(struct guest *guest, const struct guest_info *info, struct hostname_place *ret,
                  struct error **err);

/* The name that is there, "" for none. Caller frees. */
int hostname_read(struct guest *guest, const struct hostname_place *place, char **ret,
                  struct error **err);

/* Makes it the guest's name. */
int hostname_write(struct guest *guest, const struct hostname_place *place, const char *name,
                   struct error **err);
