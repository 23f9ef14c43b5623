#include "image/qcow2_inflate.h"

#include <errno.h>
#include <zlib.h>
#include <zstd.h>

/* QEMU writes raw deflate data with a window of 2^12 bytes. */
static const int deflate_window = -12;

static int inflate_deflate(const void *in, size_t in_size, void *out, size_t out_size)
{
    z_stream stream = {
        .next_in = (Bytef *)in,
        .avail_in = (uInt)in_size,
        .next_out = out,
        .avail_out = (uInt)out_size,
    };
    if (inflateInit2(&stream, deflate_window) != Z_OK)
        return -ENOMEM;
    int r = inflate(&stream, Z_FINISH);
    bool full = stream.avail_out == 0;
    inflateEnd(&stream);
    if (r == Z_MEM_ERROR)
        return -ENOMEM;
    return full && (r == Z_STREAM_END || r == Z_BUF_ERROR || r == Z_OK) ? 0 : -EIO;
}

static int inflate_zstd(const void *in, size_t in_size, void *out, size_t out_size)
{
    ZSTD_inBuffer source = {.src = in, .size = in_size};
    ZSTD_outBuffer target = {.dst = out, .size = out_size};
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (!context)
        return -ENOMEM;
    size_t left;
    do {
        size_t before = source.pos + target.pos;
        left = ZSTD_decompressStream(context, &target, &source);
        if (ZSTD_isError(left) || source.pos + target.pos == before)
            break;
    } while (left > 0);
    ZSTD_freeDCtx(context);
    return left == 0 && target.pos == out_size ? 0 : -EIO;
}

int qcow2_inflate_begin(struct error **err)
{
    (void)err;
    return 0;
}

int qcow2_inflate(bool zstd, const void *in, size_t in_size, void *out, size_t out_size)
{
    return zstd ? inflate_zstd(in, in_size, out, out_size)
                : inflate_deflate(in, in_size, out, out_size);
}
