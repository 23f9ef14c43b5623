/* gzip (RFC 1952). */

#include <stdlib.h>
#include <zlib.h>

#include "image/decoder.h"

/* The largest window, and 16 for "with gzip's header and trailer". */
static const int gzip_window = 15 + 16;

struct gzip {
    z_stream stream;
    bool ready;
    bool recognized; /* the first bytes of this stream were gzip's */
};

static void *gzip_new(uint64_t memory_limit)
{
    (void)memory_limit; /* needs 44 KiB */
    return calloc(1, sizeof(struct gzip));
}

static enum decoder_result gzip_begin(void *state)
{
    struct gzip *gzip = state;
    int r = gzip->ready ? inflateReset(&gzip->stream) : inflateInit2(&gzip->stream, gzip_window);
    if (r != Z_OK)
        return DECODER_NO_MEMORY;
    gzip->ready = true;
    gzip->recognized = false;
    return DECODER_MORE;
}

static enum decoder_result gzip_step(void *state, struct decoder_io *io, bool last)
{
    struct gzip *gzip = state;
    z_stream *stream = &gzip->stream;
    (void)last;
    stream->next_in = (Bytef *)io->in;
    stream->avail_in = (uInt)io->in_left;
    stream->next_out = io->out;
    stream->avail_out = (uInt)io->out_left;
    int r = inflate(stream, Z_NO_FLUSH);
    io->in = stream->next_in;
    io->in_left = stream->avail_in;
    io->out = stream->next_out;
    io->out_left = stream->avail_out;
    if (stream->total_in > 2 && r != Z_DATA_ERROR)
        gzip->recognized = true;
    switch (r) {
    case Z_OK:
    case Z_BUF_ERROR:
        return DECODER_MORE;
    case Z_STREAM_END:
        return DECODER_END;
    case Z_NEED_DICT:
        return DECODER_UNSUPPORTED;
    case Z_MEM_ERROR:
        return DECODER_NO_MEMORY;
    default:
        /* A wrong magic is found within the first two bytes. */
        return stream->total_in <= 2 && !gzip->recognized ? DECODER_FOREIGN : DECODER_DAMAGED;
    }
}

static void gzip_free(void *state)
{
    struct gzip *gzip = state;
    if (gzip && gzip->ready)
        inflateEnd(&gzip->stream);
    free(gzip);
}

const struct decoder_ops decoder_gzip = {
    .name = "gzip",
    .padding = 1, /* gzip(1) too accepts zeroes at the end: tapes have them */
    .new = gzip_new,
    .begin = gzip_begin,
    .step = gzip_step,
    .free = gzip_free,
};
