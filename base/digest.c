#include "base/digest.h"

#include <errno.h>

const char *digest_name(enum digest_kind kind)
{
    return kind == DIGEST_SHA256 ? "sha256" : "sha512";
}

size_t digest_hex_length(enum digest_kind kind)
{
    return kind == DIGEST_SHA256 ? 64 : 128;
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
