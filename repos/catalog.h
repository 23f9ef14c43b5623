/* All repositories together: fetched, verified, parsed, searched. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/report.h"
#include "repos/cache.h"
#include "repos/index.h"
#include "repos/repo.h"

struct catalog_options {
    bool check_signature; /* --no-check-signature clears it */
    uint64_t min_speed;   /* bytes a second below which a download is given up; 0: none */
    struct reporter *reporter;
    /* Where one image is looked for: repositories behind the first that has it are not contacted,
     * so that a slow or dead one costs nothing. NULL: all are loaded. */
    const char *wanted;
    const char *wanted_arch; /* NULL: the host's */
};

struct catalog_source {
    struct repo *repo;     /* into the list */
    struct index index;    /* empty when the source failed */
    struct error *failure; /* why it has no index, NULL: it has one. Already said as a warning */
    bool check_signature;  /* as the options said: goes for what the index names, too */
    uint64_t min_speed;    /* likewise */
};

struct catalog {
    struct catalog_source *sources;
    size_t count;
};

/*
 * Fetches and verifies each repository's index. A repository that is unreachable, unsigned or badly
 * signed gives a warning that names it and is left out, whatever the reason; this fails only where
 * it has no memory for the list itself. A repository without a key is refused unless
 * check_signature is off. `repos` must outlive the catalog.
 */
int catalog_load(struct repo_list *repos, const struct catalog_options *options,
                 struct catalog *ret, struct error **err);
void catalog_free(struct catalog *catalog);
#define _cleanup_catalog_ _cleanup_(catalog_free)

/*
 * Finds an image by id, else by alias, in the order of the repositories; arch NULL: the host's.
 * -ENOENT names similar ids, and the repositories that were left out and why.
 */
int catalog_find(const struct catalog *catalog, const char *id, const char *arch,
                 const struct catalog_source **ret_source, const struct index_entry **ret_entry,
                 struct error **err);

/* The refusal of catalog_find(); arch NULL: it was looked for with any. */
int catalog_not_found(const struct catalog *catalog, const char *id, const char *arch,
                      struct error **err);

/* The arch of this machine in virt-builder's spelling. */
const char *catalog_host_arch(void);

/* Decompression, which the layer above does, since it knows image formats: gets the open compressed
 * file and the output, and must pass every byte of the file to `digest`. */
typedef int fetch_expand_fn(void *context, int in_fd, const char *name, struct digest *digest,
                            int out_fd, struct error **err);

struct fetch_options {
    fetch_expand_fn *expand;
    void *context; /* of expand */
    bool verify;   /* read an image of the cache in whole, and compare it with what was fetched */
    struct reporter *reporter;
};

/* What stands behind the image. */
enum fetch_trust {
    FETCH_VERIFIED,       /* a signed index, or a signature of the image itself */
    FETCH_UNSIGNED_INDEX, /* the checksum of an index whose signature was not to be checked */
    FETCH_BLIND,          /* nothing */
};

struct fetch_result {
    int fd;      /* caller closes */
    bool cached; /* nothing was downloaded or expanded */
    enum fetch_trust trust;
    char key[DIGEST_MAX_HEX];
    bool key_is_checksum; /* as the index states it */
};

/*
 * Brings the entry's image into the cache and returns a descriptor of the expanded raw or qcow2
 * file. A checksum that does not match is -EBADMSG and nothing enters the cache. A local file is
 * read where it lies; a download is kept over failures and resumed. An entry without checksum is
 * keyed by its URI, revision and compressed size; its detached signature (sig=) is verified
 * instead, and where there is none either, a warning says so.
 */
int catalog_fetch(const struct catalog_source *source, const struct index_entry *entry,
                  struct cache *cache, const struct fetch_options *options,
                  struct fetch_result *ret, struct error **err);
