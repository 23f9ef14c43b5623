/*
 * Reads a grub.cfg (GRUB manual, "Shell-like scripting") for what its default entry would boot.
 *
 * The script is run as GRUB 2.06 does, with what the guest's files and variables say. Where it asks
 * for what only the machine knows (the kind of firmware, whether a font can be loaded), it is run
 * with either answer. An answer that comes out the same each time is the answer; else, or where a
 * command is met whose effect is not known, there is none: -EOPNOTSUPP, with the reason.
 */
#pragma once

#include "base/str.h"
#include "guest/bootcfg/bls.h"
#include "guest/bootcfg/grub_env.h"

enum {
    GRUB_CHOICES_MAX = 16, /* questions in one run */
    GRUB_RUNS_MAX = 96,
};

enum grub_found_kind { GRUB_ABSENT, GRUB_FILE, GRUB_DIRECTORY };

struct grub_found {
    enum grub_found_kind kind;
    uint64_t size;
    char *path; /* in the guest */
};

void grub_found_free(struct grub_found *found);
#define _cleanup_grub_found_ _cleanup_(grub_found_free)

/*
 * A value that only the machine knows holds a mark that begins and ends with this byte and says in
 * between where it comes from. It stays in whatever the value becomes part of, so that nobody takes
 * such a text for known.
 */
#define GRUB_MARK '\1'
/* How the marks of the guest's file systems begin. Those of others name what was looked for. */
#define GRUB_DEVICE "\1fs"

/* How a file system is told. */
enum grub_key { GRUB_BY_UUID, GRUB_BY_LABEL, GRUB_BY_FILE };

/* The guest, for the script. All return 0 or a negative errno; -EOPNOTSUPP: it cannot be known. */
struct grub_host {
    /* What is at the path of a device: "hd0,gpt2", or a mark of find_device(). */
    int (*find)(void *context, const char *device, const char *path, struct grub_found *ret,
                struct error **err);
    /* A file's text, by its path in the guest. */
    int (*read)(void *context, const char *path, char **ret, struct error **err);
    /* A mark for the file system that has this. */
    int (*find_device)(void *context, enum grub_key key, const char *value, char **ret,
                       struct error **err);
    /* The UUID of a device; NULL: not known. */
    const char *(*uuid)(void *context, const char *device);
    /* The entries in a directory of the guest, in the order of GRUB's menu. */
    int (*list_bls)(void *context, const char *dir, struct bls_list *ret, struct error **err);
    void *context;
};

/* What would be booted. Paths are the guest's. */
struct grub_boot {
    char *title;
    char *kernel;
    struct strv initrds;
    char *command_line;
    char *other; /* the command that loads what is no Linux, and has been loaded instead */
};

void grub_boot_free(struct grub_boot *boot);
#define _cleanup_grub_boot_ _cleanup_(grub_boot_free)

/* `device` has the file, at `path` there. -ENOENT: the menu has no entry, its default one boots no
 * Linux, or its kernel does not exist. -E2BIG: more than scripts of distributions do. */
int grub_script_default(const char *text, const char *device, const char *path,
                        const struct grub_host *host, struct grub_boot *ret, struct error **err);
