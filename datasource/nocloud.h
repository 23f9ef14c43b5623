/*
 * NoCloud seeds: the documents and the ISO 9660 volume "cidata" that carries them.
 * https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct nocloud_options {
    /* Host paths, "-" for standard input (at most one), NULL: none. */
    const char *user_data;
    const char *meta_data;
    const char *network_config;
    const char *vendor_data;
    const char *hostname;    /* local-hostname, NULL: what meta-data says, if anything */
    const char *instance_id; /* NULL: what meta-data says, else a fresh one */
    struct strv ssh_keys;    /* public keys, a line each, already read and checked */
};

/* The finished documents. Absent ones are NULL; user-data and meta-data always exist. */
struct nocloud_seed {
    char *user_data;
    char *meta_data;
    char *network_config;
    char *vendor_data;
    char *instance_id;
};

/*
 * Reads, checks and completes the documents: YAML syntax errors are -EINVAL with
 * file:line:column; user-data must begin with a form that cloud-init knows ("#cloud-config", "#!",
 * MIME, jinja, ...). SSH keys go into meta-data's public-keys, so that user-data stays the user's,
 * byte for byte. A fresh instance-id is "iid-" and 128 random bits (or, under SOURCE_DATE_EPOCH,
 * the SHA-256 of the documents, so that equal input gives an equal seed).
 */
int nocloud_compose(const struct nocloud_options *options, struct nocloud_seed *ret,
                    struct error **err);
void nocloud_seed_free(struct nocloud_seed *seed);
#define _cleanup_nocloud_seed_ _cleanup_(nocloud_seed_free)

/* Writes the ISO image (Joliet and Rock Ridge, volume "cidata") to fd from its position: the same
 * bytes for the same documents. */
int nocloud_write_iso(const struct nocloud_seed *seed, int fd, const char *name,
                      struct error **err);
