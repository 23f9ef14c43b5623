#include "image/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/str.h"
#include "image/decoder.h"
#include "image/foreign.h"
#include "image/sparse.h"

static const uint64_t default_memory_limit = UINT64_C(192) << 20;

enum { in_size = 1 << 20, out_size = 1 << 20 };

/* One expansion: the file as far as it was read, and the output as far as it was written. */
struct expansion {
    const struct expand_options *options;
    const char *name;
    char *out_name;
    const struct decoder_ops *ops;
    void *state;
    uint8_t *in_buffer, *out_buffer;
    struct decoder_io io; /* io.out_left == out_size: nothing waits to be written */
    int in_fd, out_fd;
    uint64_t in_offset; /* bytes read so far */
    uint64_t in_total;  /* the file's size, for the progress */
    bool in_ended;
    uint64_t written;
    uint64_t padding; /* zero bytes skipped since the last stream */
    unsigned streams; /* complete ones */
    uint64_t memory_limit;
};

static void expansion_release(struct expansion *e)
{
    if (e->ops)
        e->ops->free(e->state);
    free(e->in_buffer);
    free(e->out_buffer);
    free(e->out_name);
}

static void *none_new(uint64_t memory_limit)
{
    (void)memory_limit;
    return malloc(1);
}

static enum decoder_result none_begin(void *state)
{
    (void)state;
    return DECODER_MORE;
}

static enum decoder_result none_step(void *state, struct decoder_io *io, bool last)
{
    (void)state;
    size_t count = min_u64(io->in_left, io->out_left);
    memcpy(io->out, io->in, count);
    io->in += count;
    io->in_left -= count;
    io->out += count;
    io->out_left -= count;
    return last && io->in_left == 0 ? DECODER_END : DECODER_MORE;
}

static const struct decoder_ops decoder_none = {
    .name = "uncompressed",
    .new = none_new,
    .begin = none_begin,
    .step = none_step,
    .free = free,
};

static ssize_t read_some(int fd, void *buf, size_t count, uint64_t offset)
{
    ssize_t n;
    do
        n = pread(fd, buf, count, (off_t)offset);
    while (n < 0 && errno == EINTR);
    return n;
}

int compression_probe(int fd, const char *name, enum compression *ret, struct error **err)
{
    const struct foreign_kind *kind = NULL;
    int r = foreign_probe(fd, name, &kind, err);
    if (r == 0)
        *ret = kind ? kind->compression : COMPRESSION_NONE;
    return r;
}

static int fill(struct expansion *e, struct error **err)
{
    ssize_t n = read_some(e->in_fd, e->in_buffer, in_size, e->in_offset);
    if (n < 0)
        return error_sys(err, errno, "%s: cannot read", e->name);
    e->in_ended = n == 0;
    if (e->options->digest && n > 0)
        digest_update(e->options->digest, e->in_buffer, (size_t)n);
    e->io.in = e->in_buffer;
    e->io.in_left = (size_t)n;
    e->in_offset += (uint64_t)n;
    if (e->in_offset < e->in_total)
        report_progress(e->options->reporter, e->options->task, e->in_offset, e->in_total);
    return 0;
}

static int drain(struct expansion *e, struct error **err)
{
    size_t count = out_size - e->io.out_left;
    int r;
    if (count > e->options->max_size - e->written) {
        r = error_set(err, EFBIG, "%s: expands to more than the %" PRIu64 " bytes allowed", e->name,
                      e->options->max_size);
        error_hint(err, "the image is larger than its publisher states");
        return r;
    }
    r = sparse_write(e->out_fd, e->out_buffer, count, e->written, e->out_name, err);
    if (r < 0)
        return r;
    e->written += count;
    e->io.out = e->out_buffer;
    e->io.out_left = out_size;
    return 0;
}

static int truncated(const struct expansion *e, struct error **err)
{
    int r = error_set(err, EINVAL, "%s: ends in the middle of its %s data, at byte %" PRIu64,
                      e->name, e->ops->name, e->in_offset);
    error_hint(err, "the file was cut short: fetch it again");
    return r;
}

static int garbage(const struct expansion *e, uint64_t at, struct error **err)
{
    return error_set(err, EINVAL,
                     "%s: something else follows the %s data, from byte %" PRIu64 " on", e->name,
                     e->ops->name, at);
}

/* A decoder's failure, with the file's name and about where. */
static int decoder_failed(const struct expansion *e, enum decoder_result result, uint64_t began,
                          struct error **err)
{
    int r;
    switch (result) {
    case DECODER_FOREIGN:
        if (e->streams > 0)
            return garbage(e, began, err);
        return error_set(err, EINVAL, "%s: is not %s data", e->name, e->ops->name);
    case DECODER_UNSUPPORTED:
        return error_set(err, ENOTSUP, "%s: uses an option of %s that is not supported", e->name,
                         e->ops->name);
    case DECODER_MEMORY:
        r = error_set(err, ENOMEM, "%s: needs more than the %" PRIu64 " MiB of memory allowed",
                      e->name, e->memory_limit >> 20);
        error_hint(err, "it was compressed with a very large window; compress it again");
        return r;
    case DECODER_NO_MEMORY:
        return error_oom(err);
    default:
        r = error_set(err, EINVAL, "%s: is damaged: its %s data is corrupt before byte %" PRIu64,
                      e->name, e->ops->name, e->in_offset - e->io.in_left);
        error_hint(err, "fetch it again; if that does not help, it was published so");
        return r;
    }
}

/* Between two streams: skips the padding that the format allows. */
static int skip_padding(struct expansion *e, struct error **err)
{
    while (e->ops->padding > 0 && e->io.in_left > 0 && *e->io.in == 0) {
        e->io.in++;
        e->io.in_left--;
        e->padding++;
    }
    if (e->io.in_left == 0 && !e->in_ended)
        return 0;
    if (e->padding > 0 && e->padding % e->ops->padding != 0)
        return garbage(e, e->in_offset - e->io.in_left - e->padding, err);
    e->padding = 0;
    return 0;
}

/* Expands one stream, which begins in e->io. */
static int expand_stream(struct expansion *e, struct error **err)
{
    uint64_t began = e->in_offset - e->io.in_left;
    enum decoder_result result = e->ops->begin(e->state);
    while (result == DECODER_MORE) {
        int r = 0;
        if (e->io.in_left == 0 && !e->in_ended)
            r = fill(e, err);
        if (r < 0)
            return r;
        size_t before = e->io.in_left + e->io.out_left;
        result = e->ops->step(e->state, &e->io, e->in_ended);
        bool stuck = before == e->io.in_left + e->io.out_left;
        if (result == DECODER_MORE && stuck && e->in_ended && e->io.out_left > 0)
            return truncated(e, err);
        if (e->io.out_left == 0)
            r = drain(e, err);
        if (r < 0)
            return r;
    }
    e->streams++;
    if (result == DECODER_END)
        return 0;
    e->streams--;
    return decoder_failed(e, result, began, err);
}

static int expand_all(struct expansion *e, struct error **err)
{
    for (;;) {
        int r = 0;
        if (e->io.in_left == 0 && !e->in_ended)
            r = fill(e, err);
        if (r == 0 && e->streams > 0)
            r = skip_padding(e, err);
        if (r < 0)
            return r;
        if (e->io.in_left > 0) {
            r = expand_stream(e, err);
            if (r < 0)
                return r;
        } else if (e->in_ended) {
            break;
        }
    }
    if (e->streams == 0)
        return error_set(err, EINVAL, "%s: is empty", e->name);
    int r = drain(e, err);
    return r < 0 ? r : sparse_finish(e->out_fd, e->written, e->out_name, err);
}

static int set_up(struct expansion *e, struct error **err)
{
    struct stat st;
    e->out_name = str_printf(err, "the expanded %s", e->name);
    int r = e->out_name ? sparse_check_empty(e->out_fd, e->out_name, err) : -ENOMEM;
    if (r < 0)
        return r;
    if (fstat(e->in_fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", e->name);
    e->in_total = (uint64_t)st.st_size;
    e->ops = &decoder_none;
    if (e->options->compression != COMPRESSION_NONE)
        r = decoder_find(e->options->compression, &e->ops, err);
    if (r < 0)
        return r;
    e->memory_limit = e->options->memory_limit ? e->options->memory_limit : default_memory_limit;
    e->in_buffer = malloc(in_size);
    e->out_buffer = malloc(out_size);
    e->state = e->ops->new (e->memory_limit);
    if (!e->in_buffer || !e->out_buffer || !e->state)
        return error_oom(err);
    e->io = (struct decoder_io){.in = e->in_buffer, .out = e->out_buffer, .out_left = out_size};
    /* A hint to read ahead more; a failure does not matter. */
    posix_fadvise(e->in_fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

int image_expand(int in_fd, const char *name, const struct expand_options *options, int out_fd,
                 uint64_t *ret_size, struct error **err)
{
    _cleanup_(expansion_release) struct expansion e = {
        .options = options,
        .name = name,
        .in_fd = in_fd,
        .out_fd = out_fd,
    };
    int r = set_up(&e, err);
    if (r == 0)
        r = expand_all(&e, err);
    if (r < 0)
        return r;
    report_progress(options->reporter, options->task, e.in_offset, e.in_offset);
    if (ret_size)
        *ret_size = e.written;
    return 0;
}
