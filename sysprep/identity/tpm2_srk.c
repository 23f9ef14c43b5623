#include "sysprep/operations.h"

/* systemd-tpm2-setup.service(8) */
const struct sysprep_operation sysprep_tpm2_srk = {
    .name = "tpm2-srk",
    .help = "remove what was kept of the machine's TPM",
    .manual =
        "Remove the public storage root key of this machine's TPM, "
        "/var/lib/systemd/tpm2-srk-public-key.*, which systemd writes again when it boots. Disks "
        "that only the TPM unlocks stay bound to it.",
    .by_default = true,
    .removes = {.files = PATHS("/var/lib/systemd/tpm2-srk-public-key.*")},
};
