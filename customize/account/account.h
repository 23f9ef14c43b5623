/* The accounts of the guest: /etc/passwd, passwd(5). */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "guest/guest.h"

struct account {
    uid_t uid;
    gid_t gid;
    char *home; /* a valid guest path */
};

/* The first entry of that name counts, as for getpwnam(3). -ENOENT: there is none; the message
 * names the user. */
int account_find(struct guest *guest, const char *user, struct account *ret, struct error **err);
void account_free(struct account *account);
#define _cleanup_account_ _cleanup_(account_free)

/* That the name can be an account's: not empty, no colon, no control characters. `option` is the
 * one it was given with, without dashes. */
int account_check_name(const char *option, const char *user, struct error **err);
