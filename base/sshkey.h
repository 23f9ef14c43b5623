/* OpenSSH public keys, as a line of authorized_keys holds them (sshd(8), AUTHORIZED_KEYS FILE
 * FORMAT): options (may be absent), type, base64, comment (may be absent). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/str.h"

/* The parts of a line that tell one entry from another, within it. */
struct sshkey {
    const char *options; /* length 0: none */
    size_t options_length;
    const char *blob; /* base64; names the type as well */
    size_t blob_length;
};

/* Takes a line of `length` bytes apart; bytes of any value may stand in it. False when it holds no
 * key of a known type, or one that is not whole. */
bool sshkey_parse(const char *line, size_t length, struct sshkey *ret);

/* The same key with the same options; comments do not count. */
bool sshkey_equal(const struct sshkey *a, const struct sshkey *b);

/* Checks one line, without its newline. The key inside must be of the type that the line names,
 * and whole; the line must be printable UTF-8. `name` stands before the message. */
int sshkey_check(const char *line, const char *name, struct error **err);

/* Adds the keys of a text, one a line, to *keys; those already there are left out. Blank lines and
 * comments are skipped. `name` tells where the text came from. A private key, or a text without
 * any key, is -EINVAL. */
int sshkey_read_text(const char *text, const char *name, struct strv *keys, struct error **err);

/* sshkey_read_text() on a file of the host, at most 1 MiB ("-": standard input). */
int sshkey_read(const char *path, struct strv *keys, struct error **err);
