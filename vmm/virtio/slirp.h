/*
 * A network in user space (libslirp) that a guest is plugged into: it gets 10.0.2.15 by DHCP, a
 * gateway at 10.0.2.2 and a name server at 10.0.2.3. Private to vmm/; for one thread at a time, and
 * one in a process, as libslirp has variables of its own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "vmm/virtio/net.h"

enum { SLIRP_FRAME_MAX = 1514 }; /* bytes of an Ethernet frame, without its check sequence */

struct slirp;

/* `deliver` gets frames for the guest, out of slirp_work() and slirp_send(). */
int slirp_open(const struct vm_forward *forwards, size_t forward_count,
               void (*deliver)(void *context, const void *frame, size_t size), void *context,
               struct slirp **ret, struct error **err);
/* Takes a frame of the guest. What it may not reach is dropped, and what is no frame. */
void slirp_send(struct slirp *slirp, const void *frame, size_t size);
/* Wait until `kick` is readable, or there is work; then do that. One after the other; slirp_wait()
 * alone may run while another thread asks for the connections. */
void slirp_prepare(struct slirp *slirp, int kick);
void slirp_wait(struct slirp *slirp);
void slirp_work(struct slirp *slirp);
/* The list of slirp_connection_info(). Caller frees; NULL: out of memory. */
char *slirp_connections(struct slirp *slirp);
/* Ends all connections and frees. Accepts NULL. */
void slirp_close(struct slirp *slirp);
