/* OpenSSH public keys, as a line of authorized_keys holds them (sshd(8), AUTHORIZED_KEYS FILE
 * FORMAT). */
#pragma once

#include "base/error.h"
#include "base/str.h"

/* Checks one line, without its newline: options (may be absent), type, base64, comment. The key
 * inside must be of the type that the line names, and whole. `name` stands before the message. */
int sshkey_check(const char *line, const char *name, struct error **err);

/* Adds the keys of a file ("-": standard input) to *keys; those already there are left out. Blank
 * lines and comments are skipped. A private key, or a file without any key, is -EINVAL. */
int sshkey_read(const char *path, struct strv *keys, struct error **err);
