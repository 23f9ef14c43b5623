/* Definitions of libvirt's domains (libxml2). */
#include "cli/domain.h"

#include "plugins/load.h"

#define FUNCTIONS(X) X(domain_disks_read) X(domain_disks_free)
PLUGIN_DEFINE(domain, "libxml2 (Debian and Fedora)", FUNCTIONS);

int domain_disks_read(const char *domain, const char *connect, struct domain_disks *ret,
                      struct error **err)
{
    int r = plugin_load(&plugin_domain, err);
    return r < 0 ? r : late.domain_disks_read(domain, connect, ret, err);
}

void domain_disks_free(struct domain_disks *disks)
{
    if (disks->count > 0)
        late.domain_disks_free(disks);
}
