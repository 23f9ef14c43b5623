#include <crypt.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "customize/account/password_scheme.h"

int password_hash(const struct password_scheme *scheme, const char *password, char **ret,
                  struct error **err)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (!crypt_gensalt_rn(scheme->prefix, 0, NULL, 0, setting, sizeof(setting)))
        return error_sys(err, errno, "crypt_gensalt_rn() of this machine does not support %s",
                         scheme->name);
    /* Tens of kilobytes, and it keeps traces of the password. */
    struct crypt_data *work = calloc(1, sizeof(*work));
    if (!work)
        return error_oom(err);
    const char *hash = crypt_rn(password, setting, work, sizeof(*work));
    int r;
    if (!hash) {
        r = error_sys(err, errno, "crypt_r() of this machine does not support %s", scheme->name);
    } else {
        *ret = strdup(hash);
        r = *ret ? 0 : error_oom(err);
    }
    explicit_bzero(work, sizeof(*work));
    free(work);
    return r;
}
