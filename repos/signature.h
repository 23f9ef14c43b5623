/* OpenPGP signatures (gpgme): only the repository's own key counts, never the user's keyring. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/*
 * Verifies a clear-signed text (RFC 9580, section 7) with exactly the key in key_file (armored or
 * binary), or, where key_file is NULL, with the key of that fingerprint from the user's keyring.
 * *ret_text gets only what the signature covers: text outside the signed block is dropped.
 * -EBADMSG for bad, missing, expired, revoked or foreign signatures, saying which.
 */
int signature_verify_clear(const char *signed_text, size_t size, const char *name,
                           const char *key_file, const char *fingerprint, char **ret_text,
                           size_t *ret_size, struct error **err);

/* The same for a detached signature over data. */
int signature_verify_detached(const char *data, size_t size, const char *signature,
                              size_t signature_size, const char *name, const char *key_file,
                              const char *fingerprint, struct error **err);

/* The armor "-----BEGIN PGP SIGNED MESSAGE-----" begins a line. */
bool signature_is_clear_signed(const char *text, size_t size);
