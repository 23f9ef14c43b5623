/* What the commands share that may start the appliance: its size, its network, and the keys of
 * encrypted devices. */
#pragma once

#include "cli/options.h"
#include "guest/keys.h"
#include "guest/resources.h"
#include "guest/root_choice.h"

struct key_arguments {
    struct strv selectors; /* as --key has them */
    bool from_stdin;
    bool echo;
};

/* Rows for the option table of a command whose arguments have this struct at `member`. */
/* clang-format off */
#define KEY_OPTIONS(type, member)                                                                  \
    {"key", 0, OPTION_LIST, offsetof(type, member.selectors), "SELECTOR",                          \
     "the key of an encrypted device: DEVICE:file:FILENAME or DEVICE:key:PASSPHRASE, with a name " \
     "as /dev/sda2, a UUID or 'all' for DEVICE", NULL},                                            \
    {"keys-from-stdin", 0, OPTION_FLAG, offsetof(type, member.from_stdin), NULL,                   \
     "read keys that are missing from standard input, one a line; else the terminal is asked",     \
     NULL},                                                                                        \
    {"echo-keys", 0, OPTION_FLAG, offsetof(type, member.echo), NULL,                               \
     "show keys while they are typed", NULL}
/* clang-format on */

/* clang-format off */
#define ROOT_OPTION(type, member)                                                                  \
    {"root", 0, OPTION_STRING, offsetof(type, member), "ask|single|first|DEVICE",                  \
     "which system is meant where the disks hold several, by the device of its root", "ask"}
/* clang-format on */

struct appliance_arguments {
    struct strv attached; /* "attach=FILE", "attach-format=FORMAT", in the order given */
    uint64_t memsize;     /* bytes; 0: the appliance's default */
    uint64_t smp;         /* 0: the same */
    bool network;
    bool trace;
};

/* clang-format off */
#define APPLIANCE_OPTIONS(type, member)                                                            \
    {"attach", 0, OPTION_SEQUENCE, offsetof(type, member.attached), "FILE",                        \
     "a disk or ISO that programs of the guest can mount, read-only; may be repeated", NULL},      \
    {"attach-format", 0, OPTION_SEQUENCE, offsetof(type, member.attached), "FORMAT",               \
     "format of the attached disks that follow", "detected from the contents"},                        \
    {"memsize", 'm', OPTION_MEMORY, offsetof(type, member.memsize), "SIZE",                        \
     "memory of the appliance; a bare number is MiB", "libguestfs's own"},                         \
    {"smp", 0, OPTION_NUMBER, offsetof(type, member.smp), "N",                                     \
     "processors of the appliance", "1"},                                                          \
    {"network", 0, OPTION_FLAG, offsetof(type, member.network), NULL,                              \
     "let programs of the guest reach the network; the default of all but sysprep", NULL},                    \
    {"no-network", 0, OPTION_CLEAR, offsetof(type, member.network), NULL,                          \
     "keep programs of the guest from the network", NULL},                                         \
    {"trace", 'x', OPTION_VERBOSE, offsetof(type, member.trace), NULL,                             \
     "as --verbose", NULL}
/* clang-format on */

/* What `guest` points to. Zero-initialise; not to be copied. */
struct cli_resources {
    struct guest_resources guest;
    struct guest_drive *attached;
    struct guest_keys keys;
    struct guest_root_choice root;
};

/*
 * What the arguments ask for, as the layers below take it: keys are read, and KVM is tested.
 * `appliance` NULL: its defaults. Wrong usage for an unknown engine and for numbers out of range.
 * The arguments must outlive *ret, which the caller frees with cli_resources_free(), also on
 * failure.
 */
int cli_resources(const char *engine, const struct appliance_arguments *appliance,
                  const struct key_arguments *keys, struct cli_resources *ret, struct error **err);
/* Adds what --root asks for. Wrong usage for what is none of its values. */
int cli_resources_root(const char *text, struct cli_resources *resources, struct error **err);
void cli_resources_free(struct cli_resources *resources);
#define _cleanup_resources_ _cleanup_(cli_resources_free)
