/* The disks of a guest, as --add, --domain, --format and operands name them. */
#pragma once

#include "cli/options.h"
#include "guest/guest.h"

/* In order. Zero-initialise. */
struct cli_disks {
    struct guest_drive *items;
    size_t count;
    struct strv paths; /* owns those of the items */
};

/* `given`: "add=FILE", "domain=NAME", "format=FORMAT", in the order given; operands come behind. A
 * domain must be shut off. Wrong usage where no disk is named. */
int cli_disks_gather(const struct cli *cli, const struct strv *given, const char *connect,
                     struct cli_disks *disks, struct error **err);
void cli_disks_free(struct cli_disks *disks);
#define _cleanup_disks_ _cleanup_(cli_disks_free)

/* Rows for the option table of a command that has `list` and `connect` for these. */
/* clang-format off */
#define DISK_OPTIONS(type, list, connect, what)                                                    \
    {"add", 'a', OPTION_SEQUENCE, offsetof(type, list), "FILE",                                    \
     "the disk image to " what "; may be repeated for a guest with several", NULL},                \
    {"domain", 'd', OPTION_SEQUENCE, offsetof(type, list), "DOMAIN",                               \
     "the disks of a libvirt domain, which must be shut off", NULL},                               \
    {"connect", 'c', OPTION_STRING, offsetof(type, connect), "URI",                                \
     "libvirt's URI, for --domain", "libvirt's own"},                                              \
    {"format", 0, OPTION_SEQUENCE, offsetof(type, list), "FORMAT",                                 \
     "format of the disks that follow: auto, raw, qcow2, vmdk, vdi, vhdx, vpc",                    \
     "detected from its contents"}
/* clang-format on */
