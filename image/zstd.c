/* Zstandard (RFC 8878). Each frame, also one that is to be skipped, is a stream of its own. */

#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "image/decoder.h"

static void *zstd_new(uint64_t memory_limit)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    if (!stream)
        return NULL;
    /* The window is what takes memory; beside it are buffers for a block of 128 KiB or two. */
    int window_log = 10;
    while (window_log < 31 && (UINT64_C(2) << window_log) + (1 << 20) <= memory_limit)
        window_log++;
    ZSTD_DCtx_setParameter(stream, ZSTD_d_windowLogMax, window_log);
    return stream;
}

static enum decoder_result zstd_begin(void *state)
{
    ZSTD_DCtx_reset(state, ZSTD_reset_session_only);
    return DECODER_MORE;
}

static enum decoder_result zstd_step(void *state, struct decoder_io *io, bool last)
{
    ZSTD_inBuffer in = {.src = io->in, .size = io->in_left};
    ZSTD_outBuffer out = {.dst = io->out, .size = io->out_left};
    (void)last;
    size_t r = ZSTD_decompressStream(state, &out, &in);
    io->in += in.pos;
    io->in_left -= in.pos;
    io->out += out.pos;
    io->out_left -= out.pos;
    if (r == 0)
        return DECODER_END;
    if (!ZSTD_isError(r))
        return DECODER_MORE;
    switch (ZSTD_getErrorCode(r)) {
    case ZSTD_error_prefix_unknown:
        return DECODER_FOREIGN;
    case ZSTD_error_version_unsupported:
    case ZSTD_error_frameParameter_unsupported:
    case ZSTD_error_dictionary_wrong:
        return DECODER_UNSUPPORTED;
    case ZSTD_error_frameParameter_windowTooLarge:
        return DECODER_MEMORY;
    case ZSTD_error_memory_allocation:
        return DECODER_NO_MEMORY;
    default:
        return DECODER_DAMAGED;
    }
}

static void zstd_free(void *state)
{
    ZSTD_freeDStream(state);
}

const struct decoder_ops decoder_zstd = {
    .name = "zstd",
    .new = zstd_new,
    .begin = zstd_begin,
    .step = zstd_step,
    .free = zstd_free,
};
