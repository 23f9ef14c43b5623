/* What `kiln customize` and `kiln sysprep` share: which disks, how they are edited, and the report.
 * */
#pragma once

#include "builder/edit.h"
#include "cli/appliance.h"
#include "cli/disks.h"
#include "cli/trust.h"

struct edit_arguments {
    struct strv disks; /* "add=FILE", "domain=NAME", "format=FORMAT", in the order given */
    const char *connect;
    const char *engine;
    const char *root;
    struct appliance_arguments appliance;
    struct key_arguments keys;
    struct image_trust trust;
    bool dry_run;
    bool difference;
    bool atomic;
    bool unseal;
    bool json;
};

/* Rows for the option table of a command whose arguments have this struct at `member`. */
/* clang-format off */
#define EDIT_OPTIONS(type, member)                                                                 \
    DISK_OPTIONS(type, member.disks, member.connect, "change"),                                    \
    {"dry-run", 'n', OPTION_FLAG, offsetof(type, member.dry_run), NULL,                            \
     "tell what would change, file by file, and change nothing", NULL},                            \
    {"dryrun", 0, OPTION_FLAG, offsetof(type, member.dry_run), NULL, NULL, NULL},                  \
    {"diff", 0, OPTION_FLAG, offsetof(type, member.difference), NULL,                              \
     "print what changed in text files as a unified diff", NULL},                                  \
    {"json", 0, OPTION_FLAG, offsetof(type, member.json), NULL,                                    \
     "print what was done as JSON", NULL},                                                         \
    {"engine", 0, OPTION_STRING, offsetof(type, member.engine), "auto|native|appliance",           \
     "how the guest's files are edited", "auto"},                                                  \
    {"atomic", 0, OPTION_FLAG, offsetof(type, member.atomic), NULL,                                \
     "change a copy that takes the image's place when all is done", NULL},                         \
    {"unseal", 0, OPTION_FLAG, offsetof(type, member.unseal), NULL,                                \
     "change the image even if it is a sealed template, and break the seal", NULL},                \
    TRUST_OPTIONS(type, member.trust),                                                             \
    APPLIANCE_OPTIONS(type, member.appliance),                                                     \
    ROOT_OPTION(type, member.root),                                                               \
    KEY_OPTIONS(type, member.keys)
/* clang-format on */

/* Fills what is missing in the request (operations and sysprep are the caller's), edits the image
 * and reports on it. Returns the exit status. */
int cli_edit(struct cli *cli, const struct edit_arguments *arguments, struct edit_request *request,
             struct error **err);
