/* /etc/selinux/config of a guest (selinux_config(5)), read as libselinux reads it. */
#pragma once

#include <stdbool.h>

#include "base/error.h"

struct selinux_config {
    bool enabled; /* enforcing or permissive */
    char *type;   /* of the policy, without blanks around it; "targeted" where none is named */
};

/* The text of the file, which must exist: a guest without it has no SELinux. */
int selinux_config_parse(const char *text, struct selinux_config *ret, struct error **err);
void selinux_config_free(struct selinux_config *config);
#define _cleanup_selinux_config_ _cleanup_(selinux_config_free)
