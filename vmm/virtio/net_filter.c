#include "vmm/virtio/net_filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "base/endian.h"

enum {
    ETHERNET_SIZE = 14,
    TYPE_IPV4 = 0x0800,
    TYPE_ARP = 0x0806,
    IPV4_SIZE = 20, /* RFC 791 §3.1 */
    TCP_FLAGS = 13, /* RFC 9293 §3.1 */
    TCP_SYN = 0x02,
};

int net_filter_init(struct net_filter *filter, struct error **err)
{
    struct ifaddrs *all = NULL;
    *filter = (struct net_filter){0};
    if (getifaddrs(&all) < 0)
        return error_sys(err, errno, "cannot list the addresses of this host");
    for (const struct ifaddrs *one = all; one && filter->own_count < NET_FILTER_OWN_MAX;
         one = one->ifa_next) {
        struct sockaddr_in address;
        if (!one->ifa_addr || one->ifa_addr->sa_family != AF_INET)
            continue;
        memcpy(&address, one->ifa_addr, sizeof(address));
        filter->own[filter->own_count++] = ntohl(address.sin_addr.s_addr);
    }
    freeifaddrs(all);
    return 0;
}

static uint16_t get16(const uint8_t *at)
{
    be16_t field;
    memcpy(&field, at, sizeof(field));
    return be16_get(field);
}

static bool in_network(uint32_t address, uint32_t network, unsigned bits)
{
    return (address ^ network) >> (32 - bits) == 0;
}

static bool may_reach(const struct net_filter *filter, uint32_t address)
{
    for (size_t i = 0; i < filter->own_count; i++)
        if (filter->own[i] == address)
            return false;
    return !in_network(address, 0x7f000000, 8) &&  /* 127.0.0.0/8 */
           !in_network(address, 0x00000000, 8) &&  /* 0.0.0.0/8, which Linux takes for itself */
           !in_network(address, 0xa9fe0000, 16) && /* 169.254.0.0/16 */
           !in_network(address, 0xe0000000, 4);    /* 224.0.0.0/4 */
}

enum net_filter_verdict net_filter_judge(const struct net_filter *filter, const uint8_t *frame,
                                         size_t size)
{
    if (size < ETHERNET_SIZE)
        return NET_FILTER_DROP;
    const uint8_t *packet = frame + ETHERNET_SIZE;
    size -= ETHERNET_SIZE;
    if (get16(frame + 12) == TYPE_ARP)
        return NET_FILTER_PASS;
    if (get16(frame + 12) != TYPE_IPV4 || size < IPV4_SIZE || packet[0] >> 4 != 4)
        return NET_FILTER_DROP;
    be32_t destination;
    memcpy(&destination, packet + 16, sizeof(destination));
    if (!may_reach(filter, be32_get(destination)))
        return NET_FILTER_DROP;
    size_t header = 4 * (size_t)(packet[0] & 0xf);
    bool tcp = packet[9] == IPPROTO_TCP;
    if (tcp && size > header + TCP_FLAGS && !(packet[header + TCP_FLAGS] & TCP_SYN))
        return NET_FILTER_PASS;
    return NET_FILTER_OPEN;
}
