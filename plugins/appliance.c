/* The appliance engine (libguestfs). */
#include "guest/engine.h"
#include "plugins/load.h"

#define FUNCTIONS(X) X(appliance_open)
PLUGIN_DEFINE(appliance, "libguestfs0 (Debian) or libguestfs (Fedora)", FUNCTIONS);

int appliance_open(const char *path, const struct guest_open_options *options, struct guest **ret,
                   struct error **err)
{
    int r = plugin_load(&plugin_appliance, err);
    return r < 0 ? r : late.appliance_open(path, options, ret, err);
}
