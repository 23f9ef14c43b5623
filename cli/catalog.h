/* The options that choose repositories and cache, shared by every command that looks for images. */
#pragma once

#include "repos/catalog.h"

struct catalog_arguments {
    struct strv sources;      /* --source */
    struct strv fingerprints; /* --fingerprint, the n-th for the n-th source; one serves all */
    bool check_signature;     /* default true */
    uint64_t min_speed;       /* bytes a second */
    const char *cache;        /* --cache DIR */
    bool verify_cache;
};

#define CATALOG_ARGUMENTS_DEFAULT                                                                  \
    {                                                                                              \
        .check_signature = true, .min_speed = 100                                                  \
    }

/* Rows for the option table of a command whose arguments have this struct at `member`. */
#define CATALOG_OPTIONS(type, member)                                                              \
    {"source",    0,                                                                               \
     OPTION_LIST, offsetof(type, member.sources),                                                  \
     "URI",       "index of a repository; may be repeated. The configured ones are then left out", \
     NULL},                                                                                        \
        {"fingerprint", 0,                                                                         \
         OPTION_LIST,   offsetof(type, member.fingerprints),                                       \
         "HEX",         "the key in your keyring that signed the --source index",                  \
         NULL},                                                                                    \
        {"min-speed", 0,                                                                           \
         OPTION_SIZE, offsetof(type, member.min_speed),                                            \
         "SIZE",      "give up downloads of less than SIZE bytes a second; 0: never",              \
         "100"},                                                                                   \
    {                                                                                              \
        "no-check-signature", 0, OPTION_CLEAR, offsetof(type, member.check_signature), NULL,       \
            "accept indexes that are unsigned or signed by an unknown key", NULL                   \
    }

/* clang-format off */
#define CACHE_OPTIONS(type, member)                                                                \
    {"cache", 0, OPTION_STRING, offsetof(type, member.cache), "DIR", "keep base images in DIR",    \
     "$XDG_CACHE_HOME/kiln"},                                                                      \
    {"verify-cache", 0, OPTION_FLAG, offsetof(type, member.verify_cache), NULL,                    \
     "read a cached base image in whole, and fetch it again if it was altered", NULL}
/* clang-format on */

struct opened_catalog {
    struct repo_list repos;
    struct catalog catalog;
};

/* Reads the repositories' definitions (or --source) and loads their indexes: all of them, or with
 * `wanted` only as many as it takes to find that image (arch NULL: the host's). */
int cli_catalog_open(const struct catalog_arguments *arguments, const char *wanted,
                     const char *arch, struct reporter *reporter, struct opened_catalog *ret,
                     struct error **err);
void cli_catalog_close(struct opened_catalog *opened);

/* The language that the user reads, as the environment says: for index_note(). */
const char *cli_message_locale(void);
