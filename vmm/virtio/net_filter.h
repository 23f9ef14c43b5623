/* What a guest may send into the host's network. Private to vmm/. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { NET_FILTER_OWN_MAX = 64 };

struct net_filter {
    uint32_t own[NET_FILTER_OWN_MAX]; /* the host's addresses, in its byte order */
    size_t own_count;
};

/* Collects the addresses of the host's interfaces. */
int net_filter_init(struct net_filter *filter, struct error **err);

enum net_filter_verdict {
    NET_FILTER_DROP,
    NET_FILTER_PASS, /* belongs to something that is under way, or costs the host nothing */
    NET_FILTER_OPEN, /* the same, but the host may have to open a socket for it */
};

/*
 * ARP and IPv4 pass, unless they are for the host itself (loopback, "this host", its own
 * addresses), for what the host's link alone knows (link-local: clouds keep credentials there), or
 * for a multicast group.
 */
enum net_filter_verdict net_filter_judge(const struct net_filter *filter, const uint8_t *frame,
                                         size_t size);
