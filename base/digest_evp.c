/* The digests themselves, by libcrypto. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "base/digest.h"
#include "base/str.h"

struct digest {
    EVP_MD_CTX *context;
    bool failed;
};

int digest_new(enum digest_kind kind, struct digest **ret, struct error **err)
{
    _cleanup_digest_ struct digest *digest = calloc(1, sizeof(*digest));
    if (!digest)
        return error_oom(err);
    digest->context = EVP_MD_CTX_new();
    if (!digest->context)
        return error_oom(err);
    const EVP_MD *md = kind == DIGEST_SHA256 ? EVP_sha256() : EVP_sha512();
    if (EVP_DigestInit_ex(digest->context, md, NULL) != 1)
        return error_set(err, EIO, "%s: libcrypto does not offer it", digest_name(kind));
    *ret = TAKE_PTR(digest);
    return 0;
}

void digest_update(struct digest *digest, const void *bytes, size_t count)
{
    if (EVP_DigestUpdate(digest->context, bytes, count) != 1)
        digest->failed = true;
}

int digest_finish(struct digest *digest, char hex[static DIGEST_MAX_HEX], struct error **err)
{
    uint8_t raw[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (digest->failed || EVP_DigestFinal_ex(digest->context, raw, &size) != 1)
        return error_set(err, EIO, "libcrypto failed to compute a digest");
    hex_encode(raw, size, hex);
    return 0;
}

void digest_free(struct digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}
