#include "sysprep/family.h"

#include <string.h>

static bool same(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

bool family_is_redhat(const struct guest_info *info)
{
    return same(info->package_manager, "dnf") || same(info->package_manager, "yum");
}

bool family_has_systemd(const struct guest_info *info)
{
    return same(info->init, "systemd");
}
