/*
 * Does a port of the guest accept, as seen through a forward of a user-mode network (libslirp)?
 * Such a network accepts at once on the host, before the guest has answered. So a connection counts
 * when bytes come through it, or when the network lists it as established. Private to vmm/.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct forward_probe {
    uint16_t host_port;
    uint16_t guest_port;
    int fd;         /* the connection under way; -1: none */
    uint64_t began; /* of that connection */
    bool accepted;
};

/* Goes on with the connection under way, or tries a new one. Never waits. */
void forward_probe_step(struct forward_probe *probe);
/* Looks through libslirp's list of connections (slirp_connection_info(), QEMU's "info usernet"). */
void forward_probe_read_list(struct forward_probe *probe, const char *list);
void forward_probe_close(struct forward_probe *probe);
