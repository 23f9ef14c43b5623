#include "guest/text/glob.h"
#include "guest/text/mention.h"
#include "sysprep/operations.h"
#include "sysprep/remove.h"

static const struct sysprep_removal secret = {.files = PATHS("/var/lib/systemd/credential.secret")};

/* systemd-creds(1): what was encrypted with the secret cannot be read with another one. */
static int find_encrypted(struct guest *guest, bool *ret, struct error **err)
{
    _cleanup_strv_ struct strv stored = {0};
    int r = glob_expand(guest, "/{etc,usr/lib}/credstore.encrypted/*", &stored, err);
    if (r < 0 || stored.count > 0) {
        *ret = true;
        return r;
    }
    return files_mention(guest, "/etc/systemd/system/{*,*.d/*}", "CredentialEncrypted=", ret, err);
}

static int perform(struct sysprep_context *context, struct error **err)
{
    struct guest *guest = context->customize->guest;
    bool encrypted = false;
    if (!guest_exists(guest, secret.files[0]))
        return 0;
    int r = find_encrypted(guest, &encrypted, err);
    if (r == 0 && encrypted)
        report(context->customize->reporter, REPORT_WARNING,
               "%s stays, since the guest has credentials that are encrypted with it; all clones "
               "will share it",
               secret.files[0]);
    return r < 0 || encrypted ? r : sysprep_remove(guest, &secret, NULL, err);
}

const struct sysprep_operation sysprep_systemd_credentials = {
    .name = "systemd-credentials",
    .help = "remove the secret that systemd encrypts credentials with",
    .manual =
        "Remove /var/lib/systemd/credential.secret, which is made again when it is needed. Where "
        "credentials are stored that may be encrypted with it, it stays, with a warning.",
    .by_default = true,
    .perform = perform,
};
