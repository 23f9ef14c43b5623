/* Decompression (liblzma, libzstd, zlib). */
#include "image/decoder.h"
#include "image/qcow2_inflate.h"
#include "plugins/load.h"

#define FUNCTIONS(X) X(decoder_find) X(qcow2_inflate)
PLUGIN_DEFINE(expand,
              "liblzma5, libzstd1 and zlib1g (Debian) or xz-libs, libzstd and zlib (Fedora)",
              FUNCTIONS);

int decoder_find(enum compression compression, const struct decoder_ops **ret, struct error **err)
{
    int r = plugin_load(&plugin_expand, err);
    return r < 0 ? r : late.decoder_find(compression, ret, err);
}

int qcow2_inflate_begin(struct error **err)
{
    return plugin_load(&plugin_expand, err);
}

int qcow2_inflate(bool zstd, const void *in, size_t in_size, void *out, size_t out_size)
{
    return late.qcow2_inflate(zstd, in, in_size, out, out_size);
}
