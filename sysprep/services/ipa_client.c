#include "sysprep/operations.h"
#include "sysprep/services/ca_store.h"

static const struct sysprep_removal trusted = {
    .files = PATHS("/etc/pki/ca-trust/source/anchors/ipa-ca.crt",
                   "/usr/local/share/ca-certificates/ipa-ca.crt",
                   "/etc/pki/ca-trust/source/ipa.p11-kit"),
};

static int perform(struct sysprep_context *context, struct error **err)
{
    return ca_store_remove(context, &trusted, err);
}

const struct sysprep_operation sysprep_ipa_client = {
    .name = "ipa-client",
    .help = "remove the enrolment with an IPA server",
    .manual = "Remove the files of an IPA client: its configuration, what it changed and keeps in "
              "/var/lib/ipa-client, and the server's certificate with the trust in it. The server "
              "is not told.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/ipa/ca.crt", "/etc/ipa/default.conf",
                               "/var/lib/ipa-client/sysrestore/*", "/var/lib/ipa-client/pki/*")},
    .perform = perform,
};
