/* Digests and base64 (libcrypto, whose relocation alone is half of a short run). */
#include "base/digest.h"
#include "base/base64.h"
#include "plugins/load.h"

#define FUNCTIONS(X)                                                                               \
    X(digest_new) X(digest_update) X(digest_finish) X(digest_free) X(base64_append) X(base64_decode)
PLUGIN_DEFINE(digest, "libssl3 (Debian) or openssl-libs (Fedora)", FUNCTIONS);

int digest_new(enum digest_kind kind, struct digest **ret, struct error **err)
{
    int r = plugin_load(&plugin_digest, err);
    return r < 0 ? r : late.digest_new(kind, ret, err);
}

void digest_update(struct digest *digest, const void *bytes, size_t count)
{
    late.digest_update(digest, bytes, count);
}

int digest_finish(struct digest *digest, char hex[static DIGEST_MAX_HEX], struct error **err)
{
    return late.digest_finish(digest, hex, err);
}

void digest_free(struct digest *digest)
{
    if (digest)
        late.digest_free(digest);
}

void base64_append(struct str *str, const void *data, size_t size)
{
    if (plugin_load(&plugin_digest, NULL) < 0)
        str->failed = true;
    else
        late.base64_append(str, data, size);
}

int base64_decode(const char *text, size_t length, uint8_t **ret, size_t *ret_size,
                  struct error **err)
{
    int r = plugin_load(&plugin_digest, err);
    return r < 0 ? r : late.base64_decode(text, length, ret, ret_size, err);
}
