#include "image/decoder.h"

int decoder_find(enum compression compression, const struct decoder_ops **ret, struct error **err)
{
    static const struct decoder_ops *const decoders[] = {
        [COMPRESSION_XZ] = &decoder_xz,
        [COMPRESSION_GZIP] = &decoder_gzip,
        [COMPRESSION_ZSTD] = &decoder_zstd,
    };
    (void)err;
    *ret = decoders[compression];
    return 0;
}
