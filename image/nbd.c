#include "image/nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libnbd.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/tempfile.h"
#include "image/nodes.h"

static const uint64_t start_timeout_ms = 30 * 1000;
static const uint64_t hang_up_ms = 2 * 1000;
/* How long qemu-nbd may take to write back what is left; its caches are flushed before. */
static const uint64_t end_timeout_ms = 120 * 1000;
static const uint64_t stop_grace_ms = 5 * 1000;
/* NBD servers must take requests of 32 MiB at most. */
static const size_t request_max = 8u << 20;

struct nbd {
    struct block block;
    struct nbd_handle *handle;
    struct proc *server;
    struct image_chain chain; /* its descriptors are what the server opens, and keep the locks */
    char *directory;          /* holds nothing but the socket */
    char *socket;
    bool connected;
    bool shared;
    bool extents;
};

static int nbd_failed(const struct block *block, struct error **err, const char *what)
{
    int errnum = nbd_get_errno();
    const char *why = nbd_get_error();
    return error_set(err, errnum > 0 ? errnum : EIO, "%s: qemu-nbd: cannot %s: %s", block->name,
                     what, why ? why : "unknown error");
}

static int nbd_block_pread(struct block *block, void *buf, size_t count, uint64_t offset,
                           struct error **err)
{
    const struct nbd *nbd = (const struct nbd *)block;
    for (uint8_t *out = buf; count > 0;) {
        size_t part = (size_t)min_u64(count, request_max);
        if (nbd_pread(nbd->handle, out, part, offset, 0) < 0)
            return nbd_failed(block, err, "read");
        out += part;
        offset += part;
        count -= part;
    }
    return 0;
}

static int nbd_block_pwrite(struct block *block, const void *buf, size_t count, uint64_t offset,
                            struct error **err)
{
    const struct nbd *nbd = (const struct nbd *)block;
    for (const uint8_t *in = buf; count > 0;) {
        size_t part = (size_t)min_u64(count, request_max);
        if (nbd_pwrite(nbd->handle, in, part, offset, 0) < 0)
            return nbd_failed(block, err, "write");
        in += part;
        offset += part;
        count -= part;
    }
    return 0;
}

static int nbd_block_flush(struct block *block, struct error **err)
{
    const struct nbd *nbd = (const struct nbd *)block;
    return nbd_flush(nbd->handle, 0) < 0 ? nbd_failed(block, err, "flush") : 0;
}

/* What block status told about the run that begins at the offset asked for. */
struct run {
    enum block_state state;
    uint64_t length;
    bool ended; /* a run of the other state follows */
};

static int collect_run(void *user_data, const char *context, uint64_t offset, uint32_t *entries,
                       size_t count, int *error)
{
    struct run *run = user_data;
    (void)offset;
    (void)error;
    if (strcmp(context, LIBNBD_CONTEXT_BASE_ALLOCATION) != 0)
        return 0;
    for (size_t i = 0; i + 1 < count && !run->ended; i += 2) {
        enum block_state state = entries[i + 1] & LIBNBD_STATE_ZERO ? BLOCK_ZERO : BLOCK_DATA;
        if (run->length > 0 && state != run->state)
            run->ended = true;
        else
            run->length += entries[i];
        if (!run->ended)
            run->state = state;
    }
    return 0;
}

static int nbd_block_extent(struct block *block, uint64_t offset, uint64_t length,
                            enum block_state *ret, uint64_t *ret_length, struct error **err)
{
    const struct nbd *nbd = (const struct nbd *)block;
    struct run run = {0};
    *ret = BLOCK_DATA;
    *ret_length = length;
    if (!nbd->extents)
        return 0;
    nbd_extent_callback callback = {.callback = collect_run, .user_data = &run};
    /* The protocol's lengths have 32 bits. */
    uint64_t asked = min_u64(length, UINT64_C(1) << 31);
    if (nbd_block_status(nbd->handle, asked, offset, callback, 0) < 0)
        return nbd_failed(block, err, "get the block status");
    if (run.length == 0)
        return 0;
    *ret = run.state;
    *ret_length = min_u64(run.length, length);
    return 0;
}

/* Zeroes that the server may turn into holes (--discard=unmap); a trim would promise nothing of
 * what is read afterwards. */
static int nbd_block_discard(struct block *block, uint64_t offset, uint64_t length,
                             struct error **err)
{
    const struct nbd *nbd = (const struct nbd *)block;
    if (nbd_can_zero(nbd->handle) != 1)
        return -EOPNOTSUPP;
    while (length > 0) {
        uint64_t part = min_u64(length, UINT64_C(1) << 30);
        if (nbd_zero(nbd->handle, part, offset, 0) < 0)
            return nbd_failed(block, err, "write zeroes");
        offset += part;
        length -= part;
    }
    return 0;
}

/* It has no use once we are connected; gone by then, nothing of it is left by a killed kiln. */
static void remove_socket(struct nbd *nbd)
{
    if (nbd->socket)
        unlink(nbd->socket);
    if (nbd->directory)
        rmdir(nbd->directory);
    free(TAKE_PTR(nbd->socket));
    free(TAKE_PTR(nbd->directory));
}

static void nbd_block_close(struct block *block)
{
    struct nbd *nbd = (struct nbd *)block;
    /* The server ends once its only client has gone; one that never had a client, or may have
     * several, waits for more. It closes the image in order when it is told to end. */
    if (nbd->handle) {
        nbd_shutdown(nbd->handle, 0);
        nbd_close(nbd->handle);
    }
    if (nbd->server && nbd->connected && nbd->shared)
        proc_stop(nbd->server, end_timeout_ms);
    else if (nbd->server &&
             (!nbd->connected || proc_wait(nbd->server, end_timeout_ms, NULL, NULL) < 0))
        proc_stop(nbd->server, stop_grace_ms);
    proc_free(nbd->server);
    remove_socket(nbd);
    image_chain_free(&nbd->chain);
}

static const struct block_ops nbd_ops = {
    .name = "nbd",
    .pread = nbd_block_pread,
    .pwrite = nbd_block_pwrite,
    .flush = nbd_block_flush,
    .extent = nbd_block_extent,
    .discard = nbd_block_discard,
    .close = nbd_block_close,
};

/* Its mode is 0700: nobody else can reach the socket. */
static int make_directory(struct nbd *nbd, struct error **err)
{
    struct sockaddr_un address;
    const char *base = temp_directory_small();
    /* A socket's path is limited to 107 bytes. */
    if (base[0] != '/' ||
        strlen(base) + sizeof("/kiln-nbd.XXXXXX/socket") > sizeof(address.sun_path))
        base = "/tmp";
    int r = temp_dir_create(base, "kiln-nbd", &nbd->directory, err);
    if (r < 0)
        return r;
    nbd->socket = str_printf(err, "%s/socket", nbd->directory);
    return nbd->socket ? 0 : -ENOMEM;
}

static int add_arguments(const struct nbd *nbd, const struct nbd_options *options,
                         struct strv *argv, struct error **err)
{
    const struct image_node_options nodes = {
        .writable = options->writable, .caller_locks = options->caller_locks, .file_name = true};
    int r = strv_add(argv, "qemu-nbd", err);
    if (r == 0)
        r = strv_addf(argv, err, "--socket=%s", nbd->socket);
    if (r == 0 && !options->writable)
        r = strv_add(argv, "--read-only", err);
    /* Zeroes that are written become holes and free clusters, as the raw images have them. */
    if (r == 0 && options->writable)
        r = strv_add(argv, "--discard=unmap", err);
    if (r == 0 && options->shared)
        r = strv_add(argv, "--persistent", err);
    if (r == 0 && options->shared)
        r = strv_add(argv, "--shared=0", err);
    if (r < 0)
        return r;
    char *image = image_nodes(&nbd->chain, &nodes, err);
    return image ? strv_take(argv, image, err) : -ENOMEM;
}

static int start_server(struct nbd *nbd, const struct nbd_options *options, int log_fd,
                        struct error **err)
{
    _cleanup_strv_ struct strv argv = {0};
    int r = add_arguments(nbd, options, &argv, err);
    if (r < 0)
        return r;
    struct proc_options server = {PROC_OPTIONS_INIT, .argv = (const char *const *)argv.items};
    server.stderr_fd = log_fd;
    r = proc_spawn(&server, &nbd->server, err);
    if (r == -ENOENT)
        error_hint(err, "install qemu-utils (Debian) or qemu-img (Fedora)");
    if (r < 0)
        error_wrap(err, "%s: cannot be opened as %s", nbd->block.name,
                   image_format_name(nbd->chain.layers[0].format));
    return r;
}

/* QEMU repeats the nodes that it was given, where each file is a descriptor of ours: the reason is
 * behind them. */
static const char *reason_in(const char *said)
{
    static const char end[] = "}': ";
    const char *reason = strstr(said, "qemu-nbd: ");
    reason = reason ? reason + strlen("qemu-nbd: ") : said;
    for (const char *at = strstr(reason, end); at; at = strstr(at, end))
        reason = at += strlen(end);
    return reason;
}

static int log_pending(const struct nbd *nbd, struct error **err)
{
    error_set(err, EINVAL,
              "%s: the VHDX image was not closed in order: its log has changes that are not in the "
              "disk yet",
              nbd->block.name);
    return error_hint(err, "write them into it: qemu-img check -r all IMAGE");
}

/* Turns the messages of a qemu-nbd that has ended into an error. */
static int server_failed(const struct nbd *nbd, int log_fd, struct error **err)
{
    char said[1024] = "";
    ssize_t n = pread(log_fd, said, sizeof(said) - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    for (char *p = said; *p; p++)
        if (*p == '\n')
            *p = ' ';
    if (strstr(said, "log that needs to be replayed"))
        return log_pending(nbd, err);
    _cleanup_free_ char *shown = str_printable(reason_in(str_strip(said)));
    bool locked = strstr(said, " lock") != NULL;
    int r = error_set(err, locked ? EBUSY : EINVAL, "%s: qemu-nbd cannot open the image: %s",
                      nbd->block.name, str_empty(shown) ? "no output" : shown);
    if (locked)
        error_hint(err, "shut down the virtual machine that uses it");
    return r;
}

/* Connects as soon as the server listens. The first connection is the only one it accepts. */
static int connect_server(struct nbd *nbd, int log_fd, int *ret_fd, struct error **err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint64_t deadline = deadline_after(start_timeout_ms);
    memcpy(address.sun_path, nbd->socket, strlen(nbd->socket) + 1);
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_sys(err, errno, "cannot create a socket");
    while (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        struct pollfd ended = {.fd = proc_pidfd(nbd->server), .events = POLLIN};
        if (errno != ENOENT && errno != ECONNREFUSED && errno != EINTR)
            return error_sys(err, errno, "%s: cannot connect to qemu-nbd", nbd->block.name);
        if (poll(&ended, 1, 2) > 0)
            return server_failed(nbd, log_fd, err);
        if (clock_now_ms() >= deadline)
            return error_set(err, ETIMEDOUT, "%s: qemu-nbd did not get ready within %" PRIu64 " s",
                             nbd->block.name, start_timeout_ms / 1000);
    }
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int negotiate(struct nbd *nbd, int socket_fd, int log_fd, struct error **err)
{
    nbd->handle = nbd_create();
    if (!nbd->handle) {
        close(socket_fd);
        return nbd_failed(&nbd->block, err, "create an NBD handle");
    }
    /* A client that does not ask for block sizes may send requests of any alignment (NBD protocol,
     * "Block size constraints"). */
    nbd_set_request_block_size(nbd->handle, false);
    /* The server may lack it; then all is data. */
    nbd_add_meta_context(nbd->handle, LIBNBD_CONTEXT_BASE_ALLOCATION);
    /* The server listens before it opens the image, and hangs up when it cannot. */
    if (nbd_connect_socket(nbd->handle, socket_fd) < 0)
        return proc_wait(nbd->server, hang_up_ms, NULL, NULL) == 0
                   ? server_failed(nbd, log_fd, err)
                   : nbd_failed(&nbd->block, err, "connect");
    nbd->connected = true;
    int64_t size = nbd_get_size(nbd->handle);
    if (size < 0)
        return nbd_failed(&nbd->block, err, "get the size");
    if (nbd->block.writable && nbd_is_read_only(nbd->handle) != 0)
        return error_set(err, EROFS, "%s: qemu-nbd serves the image read-only", nbd->block.name);
    nbd->block.size = (uint64_t)size;
    nbd->extents = nbd_can_meta_context(nbd->handle, LIBNBD_CONTEXT_BASE_ALLOCATION) == 1;
    return 0;
}

static int open_server(struct nbd *nbd, const struct nbd_options *options, struct error **err)
{
    int socket_fd = -1;
    _cleanup_close_ int log_fd = memfd_create("qemu-nbd", MFD_CLOEXEC);
    if (log_fd < 0)
        return error_sys(err, errno, "cannot create a file for qemu-nbd's messages");
    int r = make_directory(nbd, err);
    if (r == 0)
        r = start_server(nbd, options, log_fd, err);
    if (r == 0)
        r = connect_server(nbd, log_fd, &socket_fd, err);
    if (r < 0)
        return r;
    if (!nbd->shared)
        remove_socket(nbd);
    return negotiate(nbd, socket_fd, log_fd, err);
}

int nbd_block_open(struct image_chain *chain, const struct nbd_options *options, struct block **ret,
                   struct error **err)
{
    _cleanup_image_chain_ struct image_chain owned = *chain;
    _cleanup_block_ struct block *block = NULL;
    *chain = (struct image_chain){0};
    struct nbd *nbd = calloc(1, sizeof(*nbd));
    if (!nbd)
        return error_oom(err);
    block = &nbd->block;
    block->ops = &nbd_ops;
    block->writable = options->writable;
    nbd->shared = options->shared;
    nbd->chain = owned;
    owned = (struct image_chain){0};
    int r = str_replace(&block->name, nbd->chain.layers[0].path, err);
    if (r == 0)
        r = open_server(nbd, options, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(block);
    return 0;
}

const char *nbd_block_socket(const struct block *block)
{
    return ((const struct nbd *)block)->socket;
}

void nbd_block_hide(struct block *block)
{
    remove_socket((struct nbd *)block);
}
