/* The guest's /etc/hosts, hosts(5). */
#pragma once

#include "guest/text/text.h"

/*
 * The text with the names of a host changed: the old name becomes the new one, the old name's first
 * label the new one's, and so for the placeholders "unassigned-hostname" and
 * "unassigned-hostname.unassigned-domain" that Debian's installer leaves. `old_name` may be NULL or
 * empty. The names of the loopback interface itself ("localhost") stay. Everything but the names
 * stays byte for byte. *ret_changed: at least one name was replaced.
 */
int hosts_rename(const struct text *hosts, const char *old_name, const char *new_name,
                 struct text *ret, bool *ret_changed, struct error **err);
