/* SSH public keys as lines of an authorized_keys file (sshd(8), AUTHORIZED_KEYS FILE FORMAT). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

/* The parts of a line, within it. */
struct ssh_key {
    const char *options; /* length 0: none */
    size_t options_length;
    const char *type; /* "ssh-ed25519" */
    size_t type_length;
    const char *blob; /* base64 */
    size_t blob_length;
};

/*
 * Takes a line of `length` bytes apart. False when it holds no key: the base64 text must be whole,
 * and name the type that stands before it (RFC 4253, section 6.6).
 */
bool ssh_key_parse(const char *line, size_t length, struct ssh_key *ret);

/* The same key with the same options; comments do not count. */
bool ssh_key_equal(const struct ssh_key *a, const struct ssh_key *b);

/*
 * Appends the keys in `text`, one a line; empty lines and comments are left out. `name` is where
 * the text came from. -EINVAL when a line is no public key, or there is none at all.
 */
int ssh_keys_parse(const char *text, size_t size, const char *name, struct strv *keys,
                   struct error **err);

/* The file of the host, at most 1 MiB. */
int ssh_keys_read(const char *path, struct strv *keys, struct error **err);

/* The path of the user's default public key: the newest ~/.ssh/id*.pub, certificates left out, as
 * ssh-copy-id(1) does. Caller frees. -ENOENT: there is none. */
int ssh_key_default(char **ret_path, struct error **err);
