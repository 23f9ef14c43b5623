#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

void process_secure_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        int opened = open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
        /* A root directory without /dev. */
        if (opened < 0)
            opened = open("/", O_PATH | O_DIRECTORY);
        /* The lowest free number is taken (open(2)). */
        if (opened != fd)
            abort();
    }
}

void process_set_limits(void)
{
    /* 1, not 0: a dump that is piped into a program (core(5)) is only left out at that value, and
     * no dump into a file is as small. */
    const struct rlimit core = {.rlim_cur = 1, .rlim_max = 1};
    (void)setrlimit(RLIMIT_CORE, &core);
    (void)signal(SIGXFSZ, SIG_IGN);
}
