/*
 * NoCloud seeds: the documents and the ISO 9660 volume "cidata" that carries them.
 * https://docs.cloud-init.io/en/latest/reference/datasources/nocloud.html
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/report.h"
#include "base/str.h"

/* Bytes. */
enum { NOCLOUD_MAX_DOCUMENT = 16 * 1024 * 1024 };

struct nocloud_options {
    /* Host paths, "-" for standard input (at most one), NULL: none. */
    const char *user_data;
    const char *meta_data;
    const char *network_config;
    const char *vendor_data;
    const char *hostname;      /* local-hostname, NULL: what meta-data has, if anything */
    const char *instance_id;   /* NULL: what meta-data has, else a fresh one */
    struct strv ssh_keys;      /* public keys, a line each, already checked: sshkey_read() */
    struct reporter *reporter; /* of warnings; may be NULL */
};

/* Not always text: user-data may be compressed. A NUL follows the last byte. */
struct yaml_tree;

struct nocloud_document {
    char *data; /* NULL: absent */
    size_t size;
};

/* The finished documents. User-data and meta-data always exist. */
struct nocloud_seed {
    struct nocloud_document user_data;
    struct nocloud_document meta_data;
    struct nocloud_document network_config;
    struct nocloud_document vendor_data;
    char *instance_id;
    char *hostname; /* what meta-data gives as local-hostname, or NULL */
};

/*
 * Reads, checks and completes the documents, 16 MiB each at most. Errors are -EINVAL, with
 * file:line:column where there is a place:
 * - user-data and vendor-data must begin with a form that cloud-init knows ("#cloud-config", "#!",
 *   MIME, gzip, jinja, ...), else it would ignore them without a message; cloud-config must be
 * YAML;
 * - meta-data must be a YAML mapping, network-config one with "version" or "network".
 * The user's bytes stay as they are, but for keys of meta-data that the options add or replace.
 * SSH keys go into meta-data's public-keys. A fresh instance-id is "iid-" and 128 random bits or,
 * where SOURCE_DATE_EPOCH is set, bits of the SHA-256 of all the input, so that equal input gives
 * an equal seed.
 */
int nocloud_compose(const struct nocloud_options *options, struct nocloud_seed *ret,
                    struct error **err);
void nocloud_seed_free(struct nocloud_seed *seed);
#define _cleanup_nocloud_seed_ _cleanup_(nocloud_seed_free)

/* Writes the ISO image (Joliet and Rock Ridge, volume "cidata") to fd from its position: the same
 * bytes for the same documents. `name` is for messages. */
int nocloud_write_iso(const struct nocloud_seed *seed, int fd, const char *name,
                      struct error **err);

/* Reads the documents of a seed, from any tool, that is an ISO image; absent ones have no data.
 * instance_id and hostname stay NULL. -EINVAL: it is something else. */
int nocloud_read_iso(const char *path, struct nocloud_seed *ret, struct error **err);

/* Adds a script to the vendor-data, which cloud-init runs in its last stage, once an instance,
 * under the name given; what is there already stays. User-data that says
 * "vendor_data: {enabled: false}" keeps it from running. */
int nocloud_add_vendor_script(struct nocloud_seed *seed, const char *name, const char *script,
                              struct error **err);

/* nocloud_compose()'s gate functions; `name` is the file's, for messages. That of user-data is
 * in user_data.h. */
bool nocloud_is_gzip(const struct nocloud_document *document);
bool nocloud_is_mime(const struct nocloud_document *document);
/* Loads a document that is one mapping (meta-data, network-config), has `check` judge it, and
 * reports the warnings. -EINVAL for a compressed one: cloud-init reads only user-data and
 * vendor-data so, and drops the whole seed over others. */
int nocloud_check_mapping(const struct nocloud_document *document, const char *name,
                          int (*check)(struct yaml_tree *tree, struct error **err),
                          struct reporter *reporter, struct error **err);
int nocloud_check_network_config(const struct nocloud_document *document, const char *name,
                                 struct reporter *reporter, struct error **err);
/* RFC 1123, section 2.1: labels of letters, digits and inner hyphens, 63 characters each and 253
 * together. An IP address is refused. */
int nocloud_check_hostname(const char *hostname, struct error **err);
/* cloud-init names a directory after it. */
int nocloud_check_instance_id(const char *id, struct error **err);
