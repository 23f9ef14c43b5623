/* Options of the peers that kiln does not have: those that change nothing are accepted, others name
 * the replacement. Rows for option tables; --help does not show them. */
#pragma once

#include "cli/options.h"

/* clang-format off */
#define PEER_FOREIGN(name, metavar) {name, 0, OPTION_FOREIGN, 0, metavar, NULL, NULL}
#define PEER_REFUSED(name, letter, metavar, hint)                                                  \
    {name, letter, OPTION_REFUSED, 0, metavar, NULL, hint}

/* Of all the virt tools. Messages are wrapped and coloured as the terminal wants it. */
#define PEER_OPTIONS                                                                               \
    PEER_FOREIGN("color", NULL),                                                                   \
    PEER_FOREIGN("colors", NULL),                                                                  \
    PEER_FOREIGN("colour", NULL),                                                                  \
    PEER_FOREIGN("colours", NULL),                                                                 \
    PEER_FOREIGN("debug-gc", NULL),                                                                \
    PEER_FOREIGN("wrap", NULL)

/* Of virt-builder. */
#define PEER_BUILD_OPTIONS                                                                         \
    PEER_FOREIGN("check-signature", NULL),                                                         \
    PEER_FOREIGN("check-signatures", NULL),                                                        \
    PEER_FOREIGN("no-warn-if-partition", NULL),                                                    \
    PEER_FOREIGN("no-sync", NULL),                                                                 \
    PEER_REFUSED("no-delete-on-failure", 0, NULL,                                                  \
                 "an output appears once it is complete; leave the option out"),                   \
    PEER_REFUSED("no-cache", 0, NULL,                                                              \
                 "name a directory that goes afterwards: --cache \"$(mktemp -d)\""),               \
    PEER_REFUSED("cache-all-templates", 0, NULL,                                                   \
                 "each image is kept in the cache when it is first built from"),                   \
    PEER_REFUSED("delete-cache", 0, NULL, "use kiln cache"),                                       \
    PEER_REFUSED("print-cache", 0, NULL, "use kiln cache"),                                        \
    PEER_REFUSED("list", 'l', NULL, "use kiln list"),                                              \
    PEER_REFUSED("list-format", 0, "short|long|json", "use kiln list --format"),                   \
    PEER_REFUSED("long", 0, NULL, "use kiln list --long"),                                         \
    PEER_REFUSED("notes", 0, NULL, "use kiln notes"),                                              \
    PEER_REFUSED("get-kernel", 0, NULL,                                                            \
                 "kiln boot finds kernel and initrd in the image by itself"),                      \
    PEER_REFUSED("machine-readable", 0, NULL, "use --json"),                                       \
    PEER_REFUSED("curl", 0, "CURL", "downloads are kiln's own: no program is started"),            \
    PEER_REFUSED("gpg", 0, "GPG", "signatures are checked by libgpgme, with the keys that repositories name")

/* Of virt-sysprep, for the writers of its manual. */
#define PEER_SYSPREP_OPTIONS                                                                       \
    PEER_REFUSED("dump-pod", 0, NULL, "the manual is kiln-sysprep(1)"),                            \
    PEER_REFUSED("dump-pod-options", 0, NULL, "the manual is kiln-sysprep(1)")
/* clang-format on */
