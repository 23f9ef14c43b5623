/* The files in which accounts stand: passwd(5), shadow(5), group(5), gshadow(5), subuid(5). */
#pragma once

#include "base/str.h"
#include "guest/guest.h"

/* Removes the entries of the users, and of the groups that are theirs alone, and takes the users
 * out of the groups of others. Every other byte stays. */
int account_files_remove(struct guest *guest, const struct strv *users, const struct strv *groups,
                         struct error **err);
