/* Hashes of passwords (libcrypt). */
#include "customize/account/password_scheme.h"
#include "plugins/load.h"

#define FUNCTIONS(X) X(password_hash)
PLUGIN_DEFINE(password, "libcrypt1 (Debian) or libxcrypt (Fedora)", FUNCTIONS);

int password_hash(const struct password_scheme *scheme, const char *password, char **ret,
                  struct error **err)
{
    int r = plugin_load(&plugin_password, err);
    return r < 0 ? r : late.password_hash(scheme, password, ret, err);
}
