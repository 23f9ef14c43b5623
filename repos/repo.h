/*
 * Where images come from: repository definitions in repos.d directories, in virt-builder's syntax
 * (virt-builder(1), "SOURCES OF TEMPLATES").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/report.h"
#include "base/str.h"

enum repo_format { REPO_NATIVE, REPO_SIMPLESTREAMS };

struct repo {
    char *name;        /* section name */
    char *uri;         /* of the index */
    char *gpgkey;      /* local path of the public key, NULL: none */
    char *fingerprint; /* of a key in the user's own keyring (--fingerprint), NULL: none; upper-case
                        * hexadecimal, 40 or 64 digits */
    char *proxy;       /* "no", "system", or a proxy URI; NULL: system */
    enum repo_format format;
    char *origin; /* file and line that define it, or "--source", for messages */
};

struct repo_list {
    struct repo *items;
    size_t count;
};

/*
 * The directories to read, most important first: kiln/repos.d and virt-builder/repos.d in each of
 * $XDG_CONFIG_HOME (~/.config), $XDG_CONFIG_DIRS (/etc/xdg) and $VIRT_BUILDER_DIRS (/etc).
 */
int repo_directories(struct strv *ret, struct error **err);

/*
 * Reads every *.conf of the directories in order of their names. A repository name that was seen
 * before (in a more important directory) is not replaced, and a file hides those of its name in
 * less important directories, as virt-builder has it: an empty file switches a repository off. A
 * bad file or section is a warning that names file and line, and the others are still read: one
 * broken definition must not hide the rest.
 */
int repo_list_load(const struct strv *directories, struct repo_list *ret, struct reporter *reporter,
                   struct error **err);

/* Appends a repository for --source URI [--fingerprint FPR]. A relative path is made absolute. The
 * fingerprint is a whole one, blanks and case do not matter; less of it is -EINVAL. */
int repo_list_add(struct repo_list *list, const char *uri, const char *fingerprint,
                  struct error **err);
void repo_list_free(struct repo_list *list);
#define _cleanup_repo_list_ _cleanup_(repo_list_free)

/* Parses one *.conf text; used by repo_list_load() and by the fuzzer. */
int repo_conf_parse(const char *text, size_t size, const char *name, struct repo_list *list,
                    struct reporter *reporter, struct error **err);
