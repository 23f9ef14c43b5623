/* What virsh may print as the definition of a domain. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cli/domain.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct domain_disks disks = {0};
    _cleanup_error_ struct error *err = NULL;
    _cleanup_free_ char *xml = malloc(size + 1);
    if (!xml)
        return 0;
    memcpy(xml, data, size);
    xml[size] = '\0';
    int r = domain_disks_parse(xml, &disks, &err);
    if ((r < 0) != (err != NULL))
        abort();
    for (size_t i = 0; i < disks.count; i++)
        if (!disks.items[i].path || strlen(disks.items[i].path) > size)
            abort();
    domain_disks_free(&disks);
    return 0;
}
