#include "sysprep/operations.h"
#include "sysprep/services/ca_store.h"

static const struct sysprep_removal certificates = {
    .files = PATHS("/etc/pki/CA/{certs,crl,newcerts}/*.crt", "/etc/pki/CA/private/*.key",
                   "/etc/pki/tls/private/*.key", "/etc/pki/tls/certs/*.crt"),
    .keep = PATHS("/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/tls/certs/ca-bundle.trust.crt"),
};

static int perform(struct sysprep_context *context, struct error **err)
{
    return ca_store_remove(context, &certificates, err);
}

const struct sysprep_operation sysprep_ca_certificates = {
    .name = "ca-certificates",
    .help = "remove certificates and their private keys",
    .manual = "Remove *.crt and *.key from the directories of /etc/pki/CA and /etc/pki/tls, but "
              "for the bundles of trusted certificates. These are then made anew.",
    .perform = perform,
};
