#include "vmm/forward_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

/* A network card that comes up meanwhile is only noticed by the next try. */
static const uint64_t patience_ms = 3000;

/* Those of RFC 9293, section 3.3.2 that follow the guest's acceptance, in libslirp's spelling. */
static const char *const accepted_states[] = {
    "ESTABLISHED", "CLOSE_WAIT", "FIN_WAIT_1", "FIN_WAIT_2", "LAST_ACK",
};

void forward_probe_close(struct forward_probe *probe)
{
    if (probe->fd >= 0)
        close(TAKE_FD(probe->fd));
}

static void accept_probe(struct forward_probe *probe)
{
    probe->accepted = true;
    forward_probe_close(probe);
}

static void try_anew(struct forward_probe *probe)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(probe->host_port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    probe->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    probe->began = clock_now_ms();
    if (probe->fd < 0)
        return;
    if (connect(probe->fd, (const struct sockaddr *)&address, sizeof(address)) < 0 &&
        errno != EINPROGRESS)
        forward_probe_close(probe);
}

void forward_probe_step(struct forward_probe *probe)
{
    char byte;
    if (probe->accepted)
        return;
    if (probe->fd >= 0) {
        ssize_t n = recv(probe->fd, &byte, 1, MSG_PEEK);
        if (n > 0) {
            accept_probe(probe);
            return;
        }
        if (n == 0 || (errno != EAGAIN && errno != EINTR && errno != ENOTCONN) ||
            clock_now_ms() - probe->began > patience_ms)
            forward_probe_close(probe);
    }
    if (probe->fd < 0)
        try_anew(probe);
}

static bool is_accepted_state(const char *state)
{
    for (size_t i = 0; i < ARRAY_SIZE(accepted_states); i++)
        if (strcmp(state, accepted_states[i]) == 0)
            return true;
    return false;
}

void forward_probe_read_list(struct forward_probe *probe, const char *list)
{
    for (const char *at = list; !probe->accepted && (at = strstr(at, "TCP[")); at++) {
        char state[32];
        int fd;
        unsigned source_port, guest_port;
        if (sscanf(at, "TCP[%31[A-Z0-9_]] %9d %*15[0-9.] %5u %*15[0-9.] %5u", state, &fd,
                   &source_port, &guest_port) == 4 &&
            source_port == probe->host_port && guest_port == probe->guest_port &&
            is_accepted_state(state))
            accept_probe(probe);
    }
}
