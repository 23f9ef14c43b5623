#include "base/digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "base/str.h"

struct digest {
    EVP_MD_CTX *context;
    bool failed;
};

const char *digest_name(enum digest_kind kind)
{
    return kind == DIGEST_SHA256 ? "sha256" : "sha512";
}

size_t digest_hex_length(enum digest_kind kind)
{
    return kind == DIGEST_SHA256 ? 64 : 128;
}

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

int digest_bytes(enum digest_kind kind, const void *bytes, size_t count,
                 char hex[static DIGEST_MAX_HEX], struct error **err)
{
    _cleanup_digest_ struct digest *digest = NULL;
    int r = digest_new(kind, &digest, err);
    if (r < 0)
        return r;
    digest_update(digest, bytes, count);
    return digest_finish(digest, hex, err);
}

int digest_fd(enum digest_kind kind, int fd, const char *name, char hex[static DIGEST_MAX_HEX],
              struct error **err)
{
    enum { chunk_size = 1 << 18 };
    _cleanup_digest_ struct digest *digest = NULL;
    int r = digest_new(kind, &digest, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *chunk = malloc(chunk_size);
    if (!chunk)
        return error_oom(err);
    for (off_t offset = 0;;) {
        ssize_t n = pread(fd, chunk, chunk_size, offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, errno, "%s: cannot read", name);
        if (n == 0)
            return digest_finish(digest, hex, err);
        digest_update(digest, chunk, (size_t)n);
        offset += n;
    }
}
