/* OpenPGP signatures (gpgme): only the repository's own key counts, never the user's keyring. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Whose signatures count. */
struct signature_key {
    const char *file;        /* exactly the keys in it, armored or binary */
    const char *fingerprint; /* where file is NULL: that key from the user's keyring */
};

/*
 * Verifies a clear-signed text (RFC 9580, section 7). *ret_text (caller frees; NUL-terminated) gets
 * only what the signature covers: text outside the signed block is dropped. `name` is what messages
 * call the text. -EBADMSG for bad, missing, expired, revoked or foreign signatures, saying which.
 * Starts no agent and leaves nothing behind.
 */
int signature_verify_clear(const char *signed_text, size_t size, const char *name,
                           const struct signature_key *key, char **ret_text, size_t *ret_size,
                           struct error **err);

/* The same for a detached signature, armored or binary, over data. */
int signature_verify_detached(const char *data, size_t size, const char *signature,
                              size_t signature_size, const char *name,
                              const struct signature_key *key, struct error **err);

/* The armor "-----BEGIN PGP SIGNED MESSAGE-----" begins a line. */
bool signature_is_clear_signed(const char *text, size_t size);

/* Finds the first clear-signed block, from its first armor line to the end of its last. False when
 * there is none, or when it has no end. */
bool signature_find_block(const char *text, size_t size, const char **ret_block, size_t *ret_size);
