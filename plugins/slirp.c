/* The network in user space (libslirp). */
#include "vmm/virtio/slirp.h"

#include "plugins/load.h"

#define FUNCTIONS(X)                                                                               \
    X(slirp_open)                                                                                  \
    X(slirp_send) X(slirp_prepare) X(slirp_wait) X(slirp_work) X(slirp_connections) X(slirp_close)
PLUGIN_DEFINE(slirp, "libslirp0 (Debian) or libslirp (Fedora)", FUNCTIONS);

int slirp_open(const struct vm_forward *forwards, size_t forward_count,
               void (*deliver)(void *context, const void *frame, size_t size), void *context,
               struct slirp **ret, struct error **err)
{
    int r = plugin_load(&plugin_slirp, err);
    return r < 0 ? r : late.slirp_open(forwards, forward_count, deliver, context, ret, err);
}

void slirp_send(struct slirp *slirp, const void *frame, size_t size)
{
    late.slirp_send(slirp, frame, size);
}

void slirp_prepare(struct slirp *slirp, int kick)
{
    late.slirp_prepare(slirp, kick);
}

void slirp_wait(struct slirp *slirp)
{
    late.slirp_wait(slirp);
}

void slirp_work(struct slirp *slirp)
{
    late.slirp_work(slirp);
}

char *slirp_connections(struct slirp *slirp)
{
    return late.slirp_connections(slirp);
}

void slirp_close(struct slirp *slirp)
{
    if (slirp)
        late.slirp_close(slirp);
}
