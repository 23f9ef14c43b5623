/* The network card and the network behind it: a DHCP exchange, a forward, and what stays out of a
 * guest's reach. */

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/vmm/virtio_driver.h"
#include "vmm/virtio/net.h"
#include "vmm/virtio/net_filter.h"
#include "vmm/virtio/slirp.h"

enum {
    RECEIVE = 0,
    TRANSMIT = 1,
    HEADER = 12,
    ETHERNET = 14,
    IP = ETHERNET + 20,
    BUFFER = 2048,
    BUFFERS = DRIVER_QUEUE_SIZE / 2,
    INCOMING = DRIVER_BUFFERS + 0x10000,
};

static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};
static const uint8_t guest_ip[4] = {10, 0, 2, 15}, gateway_ip[4] = {10, 0, 2, 2};

struct fixture {
    struct fake_machine machine;
    struct driver driver;
    uint16_t host_port;
    uint8_t frame[BUFFER];
    size_t size; /* of the last frame that came */
};

static int listen_somewhere(uint16_t *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void offer_buffer(struct fixture *f, unsigned index)
{
    const struct driver_part part = {INCOMING + BUFFER * index, BUFFER, true};
    driver_add(&f->driver, RECEIVE, &part, 1);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct virtio_device *net = NULL;
    close(listen_somewhere(&f->host_port));
    const struct vm_forward forward = {.host_port = f->host_port, .guest_port = 22};
    struct virtio_net_config config = {.forwards = &forward, .forward_count = 1};
    memcpy(config.mac, mac, sizeof(mac));
    fake_machine_init(&f->machine);
    assert_int_equal(virtio_net_new(&config, &net, NULL), 0);
    assert_int_equal(virtio_pci_add(f->machine.pci, net, NULL), 0);
    driver_start(&f->driver, &f->machine, 1, UINT64_MAX);
    for (unsigned i = 0; i < BUFFERS; i++)
        offer_buffer(f, i);
    driver_kick(&f->driver, RECEIVE);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fake_machine_free(&f->machine);
    free(f);
    return 0;
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint16_t checksum(const uint8_t *bytes, size_t count, uint32_t sum)
{
    for (size_t i = 0; i + 1 < count; i += 2)
        sum += get16(bytes + i);
    if (count % 2)
        sum += (uint32_t)bytes[count - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void send_frame(struct fixture *f, const uint8_t *frame, size_t size)
{
    const struct driver_part parts[] = {{DRIVER_BUFFERS, HEADER, false},
                                        {DRIVER_BUFFERS + 0x1000, (uint32_t)size, false}};
    memset(driver_memory(&f->driver, DRIVER_BUFFERS, HEADER), 0, HEADER);
    memcpy(driver_memory(&f->driver, DRIVER_BUFFERS + 0x1000, size), frame, size);
    driver_request(&f->driver, TRANSMIT, parts, 2);
}

/* The headers of an IPv4 packet of ours; `frame` holds the payload behind IP. */
static void write_ip(uint8_t *frame, const uint8_t *to, uint8_t protocol, size_t payload)
{
    static const uint8_t gateway_mac[6] = {0x52, 0x55, 10, 0, 2, 2};
    uint8_t *ip = frame + ETHERNET;
    memcpy(frame, gateway_mac, 6);
    memcpy(frame + 6, mac, 6);
    put16(frame + 12, 0x0800);
    memset(ip, 0, 20);
    ip[0] = 0x45;
    put16(ip + 2, (uint16_t)(20 + payload));
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, guest_ip, 4);
    memcpy(ip + 16, to, 4);
    put16(ip + 10, checksum(ip, 20, 0));
}

static void send_ip(struct fixture *f, uint8_t *frame, const uint8_t *to, uint8_t protocol,
                    size_t payload)
{
    write_ip(frame, to, protocol, payload);
    send_frame(f, frame, IP + payload);
}

/* The next frame for us; false: none within the time. */
static bool receive(struct fixture *f, int timeout_ms)
{
    struct driver_queue *queue = &f->driver.queues[RECEIVE];
    uint32_t head = UINT32_MAX, length = 0;
    const uint16_t *index = driver_ring(&f->driver, queue->used, 2);
    if (le16toh(__atomic_load_n(index, __ATOMIC_ACQUIRE)) == queue->taken &&
        !fake_interrupted(&f->machine, DRIVER_MESSAGE + RECEIVE + 1, timeout_ms))
        return false;
    if (le16toh(__atomic_load_n(index, __ATOMIC_ACQUIRE)) == queue->taken)
        return receive(f, timeout_ms); /* the interrupt of one that is taken */
    assert_true(driver_wait(&f->driver, RECEIVE, &head, &length));
    assert_in_range(length, HEADER + ETHERNET, HEADER + 1514);
    unsigned slot = head % BUFFERS;
    const uint8_t *buffer = driver_memory(&f->driver, INCOMING + BUFFER * slot, BUFFER);
    assert_int_equal(buffer[10], 1); /* one buffer a packet */
    f->size = length - HEADER;
    memcpy(f->frame, buffer + HEADER, f->size);
    offer_buffer(f, slot);
    return true;
}

static bool receive_ip(struct fixture *f, uint8_t protocol)
{
    for (unsigned i = 0; i < 16 && receive(f, 60000); i++)
        if (get16(f->frame + 12) == 0x0800 && f->frame[ETHERNET + 9] == protocol)
            return true;
    return false;
}

/* RFC 2131: option 53 is the kind of the message, here "discover" (1) or "request" (3). */
static void send_dhcp(struct fixture *f, uint8_t kind)
{
    static const uint8_t everybody[4] = {255, 255, 255, 255};
    uint8_t frame[BUFFER] = {0};
    uint8_t *udp = frame + IP, *dhcp = udp + 8;
    const uint8_t options[] = {99, 130, 83, 99, 53, 1, kind, 50, 4, 10, 0, 2, 15, 255};
    dhcp[0] = dhcp[1] = 1;
    dhcp[2] = 6;
    dhcp[4] = 0x77;
    memcpy(dhcp + 28, mac, 6);
    memcpy(dhcp + 236, options, sizeof(options));
    put16(udp, 68);
    put16(udp + 2, 67);
    put16(udp + 4, 308);
    send_ip(f, frame, everybody, 17, 308);
}

static void leases_an_address(void **state)
{
    struct fixture *f = *state;
    const uint8_t *dhcp = f->frame + IP + 8;
    assert_int_equal(driver_read(&f->driver, f->driver.config, 4), 0x12005452);
    for (uint8_t kind = 1; kind <= 3; kind += 2) {
        send_dhcp(f, kind);
        assert_true(receive_ip(f, 17));
        assert_int_equal(dhcp[0], 2);
        assert_int_equal(dhcp[4], 0x77);
        assert_memory_equal(dhcp + 16, guest_ip, 4);
        assert_int_equal(dhcp[242], kind == 1 ? 2 : 5); /* an offer; an acknowledgement */
    }
    /* It names a router and a name server. */
    unsigned found = 0;
    for (size_t at = 240; at + 6 <= f->size - IP - 8 && dhcp[at] != 255; at += 2u + dhcp[at + 1]) {
        if (dhcp[at] == 3)
            found += memcmp(dhcp + at + 2, gateway_ip, 4) == 0;
        if (dhcp[at] == 6)
            found += dhcp[at + 5] == 3;
    }
    assert_int_equal(found, 2);
}

static void answers_a_ping(void **state)
{
    struct fixture *f = *state;
    uint8_t frame[BUFFER] = {0};
    send_dhcp(f, 3);
    assert_true(receive_ip(f, 17));
    frame[IP] = 8;
    frame[IP + 7] = 1;
    put16(frame + IP + 2, checksum(frame + IP, 32, 0));
    send_ip(f, frame, gateway_ip, 1, 32);
    assert_true(receive_ip(f, 1));
    assert_int_equal(f->frame[IP], 0);
}

static void send_syn(struct fixture *f, const uint8_t *to, uint16_t port)
{
    uint8_t frame[BUFFER] = {0};
    uint8_t *tcp = frame + IP;
    put16(tcp, 40000);
    put16(tcp + 2, port);
    tcp[12] = 0x50;
    tcp[13] = 2;
    put16(tcp + 14, 8192);
    uint32_t pseudo = 6 + 20;
    for (int i = 0; i < 4; i += 2)
        pseudo += (uint32_t)get16(guest_ip + i) + get16(to + i);
    put16(tcp + 16, checksum(tcp, 20, pseudo));
    send_ip(f, frame, to, 6, 20);
}

static void keeps_the_guest_from_the_host(void **state)
{
    struct fixture *f = *state;
    uint16_t port;
    int listener = listen_somewhere(&port);
    const uint8_t targets[][4] = {{127, 0, 0, 1}, {127, 5, 5, 5}, {10, 0, 2, 2},
                                  {0, 0, 0, 0},   {10, 0, 2, 3},  {255, 255, 255, 255}};
    send_dhcp(f, 3);
    assert_true(receive_ip(f, 17));
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        send_syn(f, targets[i], port);
    struct pollfd pfd = {.fd = listener, .events = POLLIN};
    assert_int_equal(poll(&pfd, 1, 300), 0);
    close(listener);
}

static void forwards_a_port(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(f->host_port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    send_dhcp(f, 3);
    assert_true(receive_ip(f, 17));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_true(receive_ip(f, 6));
    assert_memory_equal(f->frame + ETHERNET + 16, guest_ip, 4);
    assert_int_equal(get16(f->frame + IP + 2), 22);
    assert_int_equal(f->frame[IP + 13] & 0x3f, 2); /* it asks for a connection */
    close(fd);
}

static size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static void ignore_frame(void *context, const void *frame, size_t size)
{
    (void)context, (void)frame, (void)size;
}

/* All in one round: nothing is polled between the frames. */
static void opens_no_sockets_beyond_its_limit(void **state)
{
    (void)state;
    enum { limit = 256, frames = 1000, payload = 8 };
    uint8_t frame[BUFFER] = {0}, *udp = frame + IP;
    static const uint8_t elsewhere[4] = {192, 0, 2, 1};
    struct slirp *slirp = NULL;
    assert_int_equal(slirp_open(NULL, 0, ignore_frame, NULL, &slirp, NULL), 0);
    size_t before = count_descriptors();
    for (unsigned i = 0; i < frames; i++) {
        put16(udp, (uint16_t)(10000 + i));
        put16(udp + 2, 9); /* discard */
        put16(udp + 4, payload);
        write_ip(frame, elsewhere, 17, payload);
        slirp_send(slirp, frame, IP + payload);
    }
    assert_in_range(count_descriptors() - before, limit / 2, limit);
    slirp_close(slirp);
    assert_int_equal(count_descriptors(), before);
}

static void says_when_a_port_is_taken(void **state)
{
    (void)state;
    uint16_t port;
    int listener = listen_somewhere(&port);
    const struct vm_forward forward = {.host_port = port, .guest_port = 22};
    const struct virtio_net_config config = {.forwards = &forward, .forward_count = 1};
    struct virtio_device *net = NULL;
    _cleanup_error_ struct error *error = NULL;
    char expected[64];
    assert_int_equal(virtio_net_new(&config, &net, &error), -EADDRINUSE);
    snprintf(expected, sizeof(expected), "port %u of 127.0.0.1", port);
    assert_non_null(strstr(error_message(error), expected));
    assert_non_null(error_remedy(error));
    close(listener);
}

static void takes_no_strange_frames(void **state)
{
    struct fixture *f = *state;
    uint8_t frame[BUFFER];
    memset(frame, 0xff, sizeof(frame));
    send_frame(f, frame, 1);
    send_frame(f, frame, 13);
    send_frame(f, frame, 14);
    send_frame(f, frame, 1600); /* longer than any */
    put16(frame + 12, 0x0800);
    send_frame(f, frame, 14);
    send_frame(f, frame, 60);
    const struct driver_part headless = {DRIVER_BUFFERS, HEADER - 1, false};
    driver_request(&f->driver, TRANSMIT, &headless, 1);
    send_dhcp(f, 1);
    assert_true(receive_ip(f, 17));
}

static void judges_packets(void **state)
{
    (void)state;
    const struct net_filter filter = {.own = {0xc0a80105}, .own_count = 1}; /* 192.168.1.5 */
    uint8_t frame[64] = {0};
    frame[ETHERNET] = 0x45;
    frame[ETHERNET + 9] = 6;
    put16(frame + 12, 0x0800);
    const struct {
        uint8_t to[4];
        enum net_filter_verdict verdict;
    } cases[] = {
        {{192, 168, 1, 6}, NET_FILTER_PASS}, {{192, 168, 1, 5}, NET_FILTER_DROP},
        {{8, 8, 8, 8}, NET_FILTER_PASS},     {{127, 0, 0, 53}, NET_FILTER_DROP},
        {{0, 1, 2, 3}, NET_FILTER_DROP},     {{169, 254, 169, 254}, NET_FILTER_DROP},
        {{169, 255, 0, 1}, NET_FILTER_PASS}, {{224, 0, 0, 251}, NET_FILTER_DROP},
        {{10, 0, 2, 3}, NET_FILTER_PASS},    {{255, 255, 255, 255}, NET_FILTER_PASS},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        memcpy(frame + ETHERNET + 16, cases[i].to, 4);
        if (net_filter_judge(&filter, frame, sizeof(frame)) != cases[i].verdict)
            fail_msg("case %zu is judged wrongly", i);
    }
    frame[IP + 13] = 2; /* SYN */
    assert_int_equal(net_filter_judge(&filter, frame, sizeof(frame)), NET_FILTER_OPEN);
    frame[ETHERNET + 9] = 17;
    assert_int_equal(net_filter_judge(&filter, frame, sizeof(frame)), NET_FILTER_OPEN);
    put16(frame + 12, 0x86dd); /* IPv6 */
    assert_int_equal(net_filter_judge(&filter, frame, sizeof(frame)), NET_FILTER_DROP);
    put16(frame + 12, 0x0806);
    assert_int_equal(net_filter_judge(&filter, frame, sizeof(frame)), NET_FILTER_PASS);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        test(leases_an_address),
        test(answers_a_ping),
        test(keeps_the_guest_from_the_host),
        test(forwards_a_port),
        cmocka_unit_test(opens_no_sockets_beyond_its_limit),
        cmocka_unit_test(says_when_a_port_is_taken),
        test(takes_no_strange_frames),
        cmocka_unit_test(judges_packets),
    };
    return cmocka_run_group_tests_name("virtio-net", tests, NULL, NULL);
}
