#include "cli/raw_terminal.h"

#include <errno.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

static const int endings[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

static struct {
    volatile sig_atomic_t fd; /* -1: not entered */
    struct termios before;
    struct sigaction actions[ARRAY_SIZE(endings)];
} raw = {.fd = -1};

/* tcsetattr() and raise() are async-signal-safe (signal-safety(7)); SA_RESETHAND has put the
 * default action back, which the second signal meets once this one's handler has returned. */
static void give_back(int signal)
{
    if (raw.fd >= 0)
        tcsetattr(raw.fd, TCSANOW, &raw.before);
    raise(signal);
}

int raw_terminal_enter(int fd, struct error **err)
{
    if (!isatty(fd))
        return 0;
    if (tcgetattr(fd, &raw.before) < 0)
        return error_sys(err, errno, "tcgetattr failed on the terminal");
    raw.fd = fd;
    const struct sigaction action = {.sa_handler = give_back, .sa_flags = SA_RESETHAND};
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        sigaction(endings[i], NULL, &raw.actions[i]);
        if (raw.actions[i].sa_handler != SIG_IGN)
            sigaction(endings[i], &action, NULL);
    }
    struct termios settings = raw.before;
    cfmakeraw(&settings);
    /* For kiln's own messages. */
    settings.c_oflag |= OPOST;
    if (tcsetattr(fd, TCSADRAIN, &settings) == 0)
        return 0;
    int r = error_sys(err, errno, "tcsetattr failed on the terminal");
    raw_terminal_leave();
    return r;
}

void raw_terminal_leave(void)
{
    if (raw.fd < 0)
        return;
    tcsetattr(raw.fd, TCSADRAIN, &raw.before);
    raw.fd = -1;
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
        sigaction(endings[i], &raw.actions[i], NULL);
}
