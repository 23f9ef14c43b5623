/* Downloads (libcurl) and the signatures of what they bring (gpgme). */
#include "plugins/load.h"
#include "repos/signature.h"
#include "repos/transfer.h"

#define FUNCTIONS(X) X(transfer_attempt) X(signature_verify_clear) X(signature_verify_detached)
PLUGIN_DEFINE(fetch, "libcurl4 and libgpgme11 (Debian) or libcurl and gpgme (Fedora)", FUNCTIONS);

int transfer_attempt(struct transfer *transfer, struct error **err)
{
    int r = plugin_load(&plugin_fetch, err);
    return r < 0 ? r : late.transfer_attempt(transfer, err);
}

int signature_verify_clear(const char *signed_text, size_t size, const char *name,
                           const struct signature_key *key, char **ret_text, size_t *ret_size,
                           struct error **err)
{
    int r = plugin_load(&plugin_fetch, err);
    return r < 0
               ? r
               : late.signature_verify_clear(signed_text, size, name, key, ret_text, ret_size, err);
}

int signature_verify_detached(const char *data, size_t size, const char *signature,
                              size_t signature_size, const char *name,
                              const struct signature_key *key, struct error **err)
{
    int r = plugin_load(&plugin_fetch, err);
    return r < 0 ? r
                 : late.signature_verify_detached(data, size, signature, signature_size, name, key,
                                                  err);
}
