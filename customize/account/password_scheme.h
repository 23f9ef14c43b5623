/* Password hashes: which kind the guest uses, and how to make one (libcrypt, crypt(5)). */
#pragma once

#include "base/error.h"
#include "guest/guest.h"
#include "guest/inspect/inspect.h"

struct password_scheme {
    const char *name;   /* "md5", "sha256", "sha512" or "yescrypt" */
    const char *prefix; /* crypt(5) */
};

/* NULL: there is none of that name. Upper case is as good as lower case. */
const struct password_scheme *password_scheme_find(const char *name, size_t length);
const char *password_scheme_name(const struct password_scheme *scheme);

/*
 * What the guest itself would use for a new password: the option of pam_unix in its PAM
 * configuration, else ENCRYPT_METHOD of login.defs(5), else what its distribution and version had
 * by default.
 */
int password_scheme_of_guest(struct guest *guest, const struct guest_info *info,
                             const struct password_scheme **ret, struct error **err);

/* password_hash.c: hashes the password with a fresh salt and the scheme's usual cost. Caller wipes
 * and frees. */
int password_hash(const struct password_scheme *scheme, const char *password, char **ret,
                  struct error **err);
