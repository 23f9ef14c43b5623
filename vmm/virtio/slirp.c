#include "vmm/virtio/slirp.h"

#include <errno.h>
#include <glib.h>
#include <libslirp.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "vmm/virtio/net_filter.h"

enum {
    /* A guest that opens connections without end must leave descriptors to the rest of us. */
    SOCKETS_MAX = 256,
    POLL_MAX = SOCKETS_MAX + 64,
};

struct slirp {
    Slirp *stack;
    SlirpCb callbacks;
    struct net_filter filter;
    void (*deliver)(void *context, const void *frame, size_t size);
    void *context;
    struct pollfd polled[POLL_MAX];
    size_t polled_count;
    size_t sockets_at_most; /* open, and those that frames since the last count may have opened */
    int timeout;            /* of the next poll() */
    bool poll_failed;
};

static ssize_t send_packet(const void *frame, size_t size, void *opaque)
{
    struct slirp *slirp = opaque;
    slirp->deliver(slirp->context, frame, size);
    return (ssize_t)size;
}

static void guest_error(const char *message, void *opaque)
{
    (void)message, (void)opaque;
}

static int64_t clock_get_ns(void *opaque)
{
    (void)opaque;
    return (int64_t)clock_now_ns();
}

/* Timers serve router advertisements of IPv6, which is off. */
static void *timer_new(SlirpTimerCb callback, void *callback_opaque, void *opaque)
{
    (void)callback, (void)callback_opaque;
    return opaque;
}

static void timer_free(void *timer, void *opaque)
{
    (void)timer, (void)opaque;
}

static void timer_mod(void *timer, int64_t expire_time, void *opaque)
{
    (void)timer, (void)expire_time, (void)opaque;
}

/* Every round asks slirp_pollfds_fill() anew. */
static void poll_fd_changed(int fd, void *opaque)
{
    (void)fd, (void)opaque;
}

static void notify(void *opaque)
{
    (void)opaque;
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_new = timer_new,
    .timer_free = timer_free,
    .timer_mod = timer_mod,
    .register_poll_fd = poll_fd_changed,
    .unregister_poll_fd = poll_fd_changed,
    .notify = notify,
};

/* What libslirp would print about a guest's packets is of no use to anybody. */
static void drop_log(const char *domain, GLogLevelFlags level, const char *message, void *data)
{
    (void)domain, (void)level, (void)message, (void)data;
}

static int add_forward(struct slirp *slirp, const struct vm_forward *forward, struct error **err)
{
    struct in_addr host = {.s_addr = htonl(INADDR_LOOPBACK)}, guest = {.s_addr = 0};
    inet_pton(AF_INET, "10.0.2.15", &guest);
    errno = 0;
    if (slirp_add_hostfwd(slirp->stack, 0, host, forward->host_port, guest, forward->guest_port) ==
        0)
        return 0;
    int r = error_sys(err, errno ? errno : EADDRINUSE, "cannot listen on port %u of 127.0.0.1",
                      forward->host_port);
    if (r == -EADDRINUSE)
        error_hint(err, "another program has it: choose another port to forward");
    else if (r == -EACCES)
        error_hint(err, "ports below 1024 are for root: choose a higher one");
    return r;
}

int slirp_open(const struct vm_forward *forwards, size_t forward_count,
               void (*deliver)(void *context, const void *frame, size_t size), void *context,
               struct slirp **ret, struct error **err)
{
    SlirpConfig config = {
        .version = 1,
        .in_enabled = true,
        .disable_host_loopback = true,
    };
    struct slirp *slirp = calloc(1, sizeof(*slirp));
    if (!slirp)
        return error_oom(err);
    slirp->deliver = deliver;
    slirp->context = context;
    inet_pton(AF_INET, "10.0.2.0", &config.vnetwork);
    inet_pton(AF_INET, "255.255.255.0", &config.vnetmask);
    inet_pton(AF_INET, "10.0.2.2", &config.vhost);
    inet_pton(AF_INET, "10.0.2.3", &config.vnameserver);
    inet_pton(AF_INET, "10.0.2.15", &config.vdhcp_start);
    int r = net_filter_init(&slirp->filter, err);
    if (r == 0) {
        g_log_set_handler("Slirp", G_LOG_LEVEL_MASK, drop_log, NULL);
        slirp->stack = slirp_new(&config, &callbacks, slirp);
        if (!slirp->stack)
            r = error_set(err, EIO, "cannot set up the user-mode network");
    }
    for (size_t i = 0; i < forward_count && r == 0; i++)
        r = add_forward(slirp, &forwards[i], err);
    if (r < 0)
        slirp_close(slirp);
    else
        *ret = slirp;
    return r;
}

/* Those with a descriptor in libslirp's list, which has a line "TCP[STATE] FD ..." for each one and
 * -1 for those that it has closed already. Its other calls pass over some: slirp_pollfds_fill()
 * those that wait for nothing, register_poll_fd() those that a forward accepts. */
static size_t count_sockets(struct slirp *slirp)
{
    char *list = slirp_connection_info(slirp->stack);
    size_t count = 0;
    for (const char *line = list; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *state_end = memchr(line, ']', strcspn(line, "\n"));
        int fd;
        if (state_end && sscanf(state_end, "] %9d", &fd) == 1 && fd >= 0)
            count++;
    }
    g_free(list);
    return count;
}

/* Many frames may come before the next slirp_prepare(). The list is read only where the limit may
 * have been reached. */
static bool may_open(struct slirp *slirp)
{
    if (slirp->sockets_at_most >= SOCKETS_MAX)
        slirp->sockets_at_most = count_sockets(slirp);
    if (slirp->sockets_at_most >= SOCKETS_MAX)
        return false;
    slirp->sockets_at_most++;
    return true;
}

void slirp_send(struct slirp *slirp, const void *frame, size_t size)
{
    enum net_filter_verdict verdict = net_filter_judge(&slirp->filter, frame, size);
    if (verdict == NET_FILTER_DROP || (verdict == NET_FILTER_OPEN && !may_open(slirp)))
        return;
    slirp_input(slirp->stack, frame, (int)size);
}

/* The flags of SlirpAddPollCb are libslirp's own. */
static const struct {
    int theirs;
    short ours;
} events[] = {
    {SLIRP_POLL_IN, POLLIN},   {SLIRP_POLL_OUT, POLLOUT}, {SLIRP_POLL_PRI, POLLPRI},
    {SLIRP_POLL_ERR, POLLERR}, {SLIRP_POLL_HUP, POLLHUP},
};

static int add_poll(int fd, int theirs, void *opaque)
{
    struct slirp *slirp = opaque;
    short ours = 0;
    if (slirp->polled_count == POLL_MAX)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(events); i++)
        if (theirs & events[i].theirs)
            ours |= events[i].ours;
    slirp->polled[slirp->polled_count] = (struct pollfd){.fd = fd, .events = ours};
    return (int)slirp->polled_count++;
}

static int get_revents(int index, void *opaque)
{
    const struct slirp *slirp = opaque;
    int theirs = 0;
    if (index < 0 || (size_t)index >= slirp->polled_count)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(events); i++)
        if (slirp->polled[index].revents & events[i].ours)
            theirs |= events[i].theirs;
    return theirs;
}

void slirp_prepare(struct slirp *slirp, int kick)
{
    uint32_t timeout = UINT32_MAX;
    slirp->polled[0] = (struct pollfd){.fd = kick, .events = POLLIN};
    slirp->polled_count = 1;
    slirp_pollfds_fill(slirp->stack, &timeout, add_poll, slirp);
    /* Forwards accept connections that no frame has announced. */
    if (slirp->sockets_at_most < slirp->polled_count - 1)
        slirp->sockets_at_most = slirp->polled_count - 1;
    slirp->timeout = timeout > INT_MAX ? -1 : (int)timeout;
}

void slirp_wait(struct slirp *slirp)
{
    slirp->poll_failed = poll(slirp->polled, slirp->polled_count, slirp->timeout) < 0;
}

void slirp_work(struct slirp *slirp)
{
    slirp_pollfds_poll(slirp->stack, slirp->poll_failed, get_revents, slirp);
}

char *slirp_connections(struct slirp *slirp)
{
    char *list = slirp_connection_info(slirp->stack);
    char *copy = strdup(list);
    g_free(list);
    return copy;
}

void slirp_close(struct slirp *slirp)
{
    if (!slirp)
        return;
    if (slirp->stack)
        slirp_cleanup(slirp->stack);
    free(slirp);
}
