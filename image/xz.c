/* xz by liblzma's threaded decoder: blocks are expanded side by side where the file has several. */

#include <lzma.h>
#include <stdlib.h>

#include "image/decoder.h"

struct xz {
    lzma_stream stream;
    uint64_t memory_limit;
};

static void *xz_new(uint64_t memory_limit)
{
    struct xz *xz = calloc(1, sizeof(*xz));
    if (xz)
        *xz = (struct xz){.stream = LZMA_STREAM_INIT, .memory_limit = memory_limit};
    return xz;
}

static enum decoder_result result_of(lzma_ret ret)
{
    switch (ret) {
    case LZMA_OK:
    case LZMA_BUF_ERROR: /* no progress; the driver knows whether more can come */
        return DECODER_MORE;
    case LZMA_STREAM_END:
        return DECODER_END;
    case LZMA_FORMAT_ERROR:
        return DECODER_FOREIGN;
    case LZMA_OPTIONS_ERROR:
    case LZMA_UNSUPPORTED_CHECK:
        return DECODER_UNSUPPORTED;
    case LZMA_MEMLIMIT_ERROR:
        return DECODER_MEMORY;
    case LZMA_MEM_ERROR:
        return DECODER_NO_MEMORY;
    default:
        return DECODER_DAMAGED;
    }
}

static enum decoder_result xz_begin(void *state)
{
    struct xz *xz = state;
    uint32_t processors = lzma_cputhreads();
    lzma_mt options = {
        /* Not LZMA_FAIL_FAST: it calls a truncated file a corrupt one. */
        .flags = LZMA_TELL_UNSUPPORTED_CHECK,
        .threads = processors ? processors : 1,
        /* Above the first limit threads are given up, above the second the file is. */
        .memlimit_threading = xz->memory_limit,
        .memlimit_stop = xz->memory_limit,
    };
    return result_of(lzma_stream_decoder_mt(&xz->stream, &options));
}

static enum decoder_result xz_step(void *state, struct decoder_io *io, bool last)
{
    struct xz *xz = state;
    lzma_stream *stream = &xz->stream;
    stream->next_in = io->in;
    stream->avail_in = io->in_left;
    stream->next_out = io->out;
    stream->avail_out = io->out_left;
    lzma_ret ret = lzma_code(stream, last ? LZMA_FINISH : LZMA_RUN);
    io->in = stream->next_in;
    io->in_left = stream->avail_in;
    io->out = stream->next_out;
    io->out_left = stream->avail_out;
    return result_of(ret);
}

static void xz_free(void *state)
{
    struct xz *xz = state;
    if (xz)
        lzma_end(&xz->stream);
    free(xz);
}

const struct decoder_ops decoder_xz = {
    .name = "xz",
    .padding = 4,
    .new = xz_new,
    .begin = xz_begin,
    .step = xz_step,
    .free = xz_free,
};
