/* SHA-256 and SHA-512 of streams and files (OpenSSL's libcrypto). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum digest_kind { DIGEST_SHA256, DIGEST_SHA512 };

#define DIGEST_MAX_HEX 129 /* 128 hexadecimal digits and the terminating NUL */

/* "sha256" or "sha512". */
const char *digest_name(enum digest_kind kind);
/* The number of hexadecimal digits: 64 or 128. */
size_t digest_hex_length(enum digest_kind kind);

struct digest;

int digest_new(enum digest_kind kind, struct digest **ret, struct error **err);
void digest_update(struct digest *digest, const void *bytes, size_t count);

/* Lower-case hexadecimal of everything so far. Ends the digest: no update may follow. */
int digest_finish(struct digest *digest, char hex[static DIGEST_MAX_HEX], struct error **err);
void digest_free(struct digest *digest);

DEFINE_CLEANUP(struct digest *, digest_free);
#define _cleanup_digest_ _cleanup_(digest_freep)

int digest_bytes(enum digest_kind kind, const void *bytes, size_t count,
                 char hex[static DIGEST_MAX_HEX], struct error **err);
/* The whole file from offset 0. Does not move the file position. */
int digest_fd(enum digest_kind kind, int fd, const char *name, char hex[static DIGEST_MAX_HEX],
              struct error **err);
