#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/fdio.h"
#include "base/str.h"

struct proc {
    pid_t pid;
    int pidfd;
    bool reaped;
    int status;
};

static const size_t max_stderr = 1 << 20;

/* Looks through the folders of path, separated by colons. The program's path (caller frees), or
 * NULL with errno set. */
static char *search_folders(const char *path, const char *program)
{
    _cleanup_free_ char *copy = strdup(path);
    char *rest = copy;
    for (char *dir = strsep(&rest, ":"); dir; dir = strsep(&rest, ":")) {
        char *full;
        struct stat st;
        if (asprintf(&full, "%s/%s", *dir ? dir : ".", program) < 0)
            return NULL;
        if (access(full, X_OK) == 0 && stat(full, &st) == 0 && S_ISREG(st.st_mode))
            return full;
        free(full);
    }
    errno = ENOENT;
    return NULL;
}

/* Returns the program's path (caller frees), or NULL with errno set. The sbin folders come last:
 * resize2fs and its kind are there, and Debian's PATH of an ordinary user does not name them. */
static char *find_program(const char *program)
{
    if (strchr(program, '/'))
        return access(program, X_OK) == 0 ? strdup(program) : NULL;
    const char *path = getenv("PATH");
    char *full = search_folders(path ? path : "/usr/local/bin:/usr/bin:/bin", program);
    return full ? full : search_folders("/usr/local/sbin:/usr/sbin:/sbin", program);
}

bool proc_found(const char *program)
{
    _cleanup_free_ char *path = find_program(program);
    return path != NULL;
}

static int duplicate_env(const char *const *extra, struct strv *ret, struct error **err)
{
    extern char **environ;
    for (char **entry = environ; *entry; entry++) {
        bool overridden = false;
        for (const char *const *e = extra; e && *e && !overridden; e++) {
            size_t length = strcspn(*e, "=") + 1;
            overridden = strncmp(*entry, *e, length) == 0;
        }
        if (!overridden && strv_add(ret, *entry, err) < 0)
            return -ENOMEM;
    }
    for (const char *const *e = extra; e && *e; e++)
        if (strv_add(ret, *e, err) < 0)
            return -ENOMEM;
    return 0;
}

/* Runs in the child, between fork and exec: only async-signal-safe calls. Moves the wanted
 * descriptors out of each other's way before it puts them in place. */
static void arrange_fds(const struct proc_options *options, int devnull)
{
    int wanted[3] = {options->stdin_fd, options->stdout_fd, options->stderr_fd};
    int high[3 + 16];
    size_t extra = options->fd_count;
    for (size_t i = 0; i < 3 + extra; i++) {
        int fd = i < 3 ? (wanted[i] < 0 ? devnull : wanted[i]) : options->fds[i - 3].ours;
        high[i] = fcntl(fd, F_DUPFD_CLOEXEC, 64);
        if (high[i] < 0)
            _exit(126);
    }
    for (size_t i = 0; i < 3 + extra; i++)
        if (dup2(high[i], i < 3 ? (int)i : options->fds[i - 3].theirs) < 0)
            _exit(126);
}

/* Runs in the child. The filter is no guard against malice, so it does not look at the
 * architecture. */
static int ignore_truncation(void)
{
    enum { pretend_success = SECCOMP_RET_ERRNO | 0 };
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ftruncate, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_truncate, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, pretend_success),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {.len = ARRAY_SIZE(program), .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static void child_main(const struct proc_options *options, const char *program, char **env,
                       int devnull, int report_fd, pid_t parent)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (options->survives) {
        setsid();
    } else {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        /* The parent may have died before the line above took effect. */
        if (getppid() != parent)
            _exit(127);
    }
    int report = fcntl(report_fd, F_DUPFD_CLOEXEC, 128);
    arrange_fds(options, devnull);
    if ((!options->cwd || chdir(options->cwd) == 0) &&
        (!options->keep_file_sizes || ignore_truncation() == 0))
        execve(program, (char *const *)options->argv, env);
    int failure = errno;
    if (write(report, &failure, sizeof(failure)) < 0)
        _exit(126);
    _exit(127);
}

int proc_spawn(const struct proc_options *options, struct proc **ret, struct error **err)
{
    const char *name = options->argv[0];
    if (options->fd_count > 16)
        return error_set(err, EINVAL, "%s: too many descriptors to hand down", name);
    _cleanup_free_ char *program = find_program(name);
    if (!program)
        return error_set(err, ENOENT, "%s: the program is not installed", name);
    _cleanup_strv_ struct strv env = {0};
    int r = duplicate_env(options->env, &env, err);
    if (r < 0)
        return r;
    _cleanup_(proc_freep) struct proc *proc = calloc(1, sizeof(*proc));
    if (!proc)
        return error_oom(err);
    proc->pidfd = -1;
    proc->reaped = true;
    _cleanup_close_ int devnull = file_open("/dev/null", O_RDWR, 0, err);
    if (devnull < 0)
        return devnull;
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0)
        return error_sys(err, errno, "%s: cannot start", name);
    _cleanup_close_ int report_in = report[0];
    _cleanup_close_ int report_out = report[1];
    pid_t parent = getpid();
    proc->pid = fork();
    if (proc->pid < 0)
        return error_sys(err, errno, "%s: cannot start", name);
    if (proc->pid == 0)
        child_main(options, program, env.items, devnull, report_out, parent);
    proc->reaped = false;
    close(TAKE_FD(report_out));
    int failure;
    ssize_t n;
    do
        n = read(report_in, &failure, sizeof(failure));
    while (n < 0 && errno == EINTR);
    if (n == sizeof(failure))
        return error_sys(err, failure, "%s: cannot start", name);
    proc->pidfd = (int)syscall(SYS_pidfd_open, proc->pid, 0);
    if (proc->pidfd < 0)
        return error_sys(err, errno, "%s: cannot watch the process", name);
    *ret = TAKE_PTR(proc);
    return 0;
}

pid_t proc_pid(const struct proc *proc)
{
    return proc->pid;
}

int proc_pidfd(const struct proc *proc)
{
    return proc->pidfd;
}

int proc_wait(struct proc *proc, uint64_t timeout_ms, int *ret_status, struct error **err)
{
    uint64_t deadline = deadline_after(timeout_ms);
    while (!proc->reaped) {
        struct pollfd poller = {.fd = proc->pidfd, .events = POLLIN};
        int n = poll(&poller, 1, timeout_ms == UINT64_MAX ? -1 : deadline_left(deadline));
        if (n < 0 && errno != EINTR)
            return error_sys(err, errno, "cannot wait for process %ld", (long)proc->pid);
        if (n == 0 && clock_now_ms() >= deadline)
            return error_set(err, ETIMEDOUT, "process %ld still runs after %llu ms",
                             (long)proc->pid, (unsigned long long)timeout_ms);
        if (n > 0 && waitpid(proc->pid, &proc->status, 0) == proc->pid)
            proc->reaped = true;
    }
    if (ret_status)
        *ret_status = proc->status;
    return 0;
}

void proc_stop(struct proc *proc, uint64_t grace_ms)
{
    if (proc->reaped)
        return;
    if (grace_ms > 0) {
        kill(-proc->pid, SIGTERM);
        if (proc_wait(proc, grace_ms, NULL, NULL) == 0)
            return;
    }
    /* The group as well: a child may have started helpers of its own. */
    kill(-proc->pid, SIGKILL);
    kill(proc->pid, SIGKILL);
    while (waitpid(proc->pid, &proc->status, 0) < 0 && errno == EINTR)
        ;
    proc->reaped = true;
}

void proc_free(struct proc *proc)
{
    if (!proc)
        return;
    proc_stop(proc, 0);
    if (proc->pidfd >= 0)
        close(proc->pidfd);
    free(proc);
}

void proc_output_free(struct proc_output *output)
{
    free(output->out);
    free(output->err);
    *output = (struct proc_output){0};
}

/* One of the child's streams as seen from here; fd is -1 once it is done. */
struct stream {
    int fd;
    struct str data;
    size_t max;
    bool drop_excess;
};

static void stream_close(struct stream *stream)
{
    if (stream->fd >= 0)
        close(TAKE_FD(stream->fd));
    str_free(&stream->data);
}
#define _cleanup_stream_ _cleanup_(stream_close)

/* 0, or -EFBIG when the child prints more than the limit. */
static int stream_read(struct stream *stream)
{
    char chunk[65536];
    ssize_t n = read(stream->fd, chunk, sizeof(chunk));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    if (n <= 0) {
        close(TAKE_FD(stream->fd));
        return 0;
    }
    size_t room = stream->max - stream->data.length;
    if ((size_t)n > room && !stream->drop_excess)
        return -EFBIG;
    str_append_n(&stream->data, chunk, min_u64((uint64_t)n, room));
    return 0;
}

static void feed(int *fd, const char **input, size_t *left)
{
    ssize_t n = write(*fd, *input, *left);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0) {
        *input += n;
        *left -= (size_t)n;
    }
    if (n < 0 || *left == 0) {
        close(*fd);
        *fd = -1;
    }
}

static int pump(int *in_fd, const char *input, size_t input_size, struct stream *out,
                struct stream *err_stream, uint64_t deadline)
{
    if (*in_fd >= 0 && input_size == 0)
        close(TAKE_FD(*in_fd));
    while (*in_fd >= 0 || out->fd >= 0 || err_stream->fd >= 0) {
        struct pollfd fds[3] = {{.fd = *in_fd, .events = POLLOUT},
                                {.fd = out->fd, .events = POLLIN},
                                {.fd = err_stream->fd, .events = POLLIN}};
        int n = poll(fds, 3, deadline == UINT64_MAX ? -1 : deadline_left(deadline));
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0 && clock_now_ms() >= deadline)
            return -ETIMEDOUT;
        if (n <= 0)
            continue;
        if (fds[0].revents)
            feed(in_fd, &input, &input_size);
        int r = fds[1].revents ? stream_read(out) : 0;
        if (r == 0 && fds[2].revents)
            r = stream_read(err_stream);
        if (r < 0)
            return r;
    }
    return 0;
}

static int make_pipe(int *ours, int *theirs, bool child_reads, struct error **err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_sys(err, errno, "cannot create a pipe");
    *ours = ends[child_reads ? 1 : 0];
    *theirs = ends[child_reads ? 0 : 1];
    fcntl(*ours, F_SETFL, O_NONBLOCK);
    return 0;
}

/* A child that closes its input early raises SIGPIPE here: it is blocked while the input is
 * written, and removed from the queue where this thread raised it. */
static int pump_without_sigpipe(int *in_fd, const void *input, size_t input_size,
                                struct stream *out, struct stream *err_stream, uint64_t deadline)
{
    sigset_t pipe_only, before, pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    int r = pump(in_fd, input, input_size, out, err_stream, deadline);
    struct timespec now = {0};
    if (!was_pending)
        while (sigtimedwait(&pipe_only, NULL, &now) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

int proc_run(const struct proc_options *options, const void *input, size_t input_size,
             size_t max_out, uint64_t timeout_ms, struct proc_output *ret, struct error **err)
{
    uint64_t deadline = deadline_after(timeout_ms);
    struct proc_options child = *options;
    _cleanup_stream_ struct stream out = {.fd = -1, .max = max_out};
    _cleanup_stream_ struct stream errors = {.fd = -1, .max = max_stderr, .drop_excess = true};
    _cleanup_close_ int in_fd = -1, child_in = -1, child_out = -1, child_err = -1;
    int r = 0;
    if (options->stdin_fd < 0 && input)
        r = make_pipe(&in_fd, &child_in, true, err);
    if (r == 0 && options->stdout_fd < 0)
        r = make_pipe(&out.fd, &child_out, false, err);
    if (r == 0 && options->stderr_fd < 0)
        r = make_pipe(&errors.fd, &child_err, false, err);
    if (r < 0)
        return r;
    bool want_out = out.fd >= 0, want_err = errors.fd >= 0;
    child.stdin_fd = child_in >= 0 ? child_in : options->stdin_fd;
    child.stdout_fd = want_out ? child_out : options->stdout_fd;
    child.stderr_fd = want_err ? child_err : options->stderr_fd;

    _cleanup_proc_ struct proc *proc = NULL;
    r = proc_spawn(&child, &proc, err);
    if (r < 0)
        return r;
    int *theirs[] = {&child_in, &child_out, &child_err};
    for (size_t i = 0; i < ARRAY_SIZE(theirs); i++)
        if (*theirs[i] >= 0)
            close(TAKE_FD(*theirs[i]));

    r = pump_without_sigpipe(&in_fd, input, input_size, &out, &errors, deadline);
    if (r == -EFBIG)
        return error_set(err, EFBIG, "%s: printed more than %zu bytes", options->argv[0], max_out);
    if (r == 0)
        r = proc_wait(proc, deadline == UINT64_MAX ? UINT64_MAX : (uint64_t)deadline_left(deadline),
                      &ret->status, NULL);
    if (r == -ETIMEDOUT)
        return error_set(err, ETIMEDOUT, "%s: did not end within %llu s and was stopped",
                         options->argv[0], (unsigned long long)timeout_ms / 1000);
    if (r < 0)
        return error_sys(err, -r, "%s: cannot wait for it", options->argv[0]);

    size_t out_size = out.data.length, err_size = errors.data.length;
    _cleanup_free_ char *out_text = want_out ? str_take(&out.data, err) : NULL;
    _cleanup_free_ char *err_text = want_err ? str_take(&errors.data, err) : NULL;
    if ((want_out && !out_text) || (want_err && !err_text))
        return -ENOMEM;
    ret->out = TAKE_PTR(out_text);
    ret->out_size = out_size;
    ret->err = TAKE_PTR(err_text);
    ret->err_size = err_size;
    return 0;
}

/* The last lines of the child's standard error, on one line. */
static char *last_words(const char *text)
{
    _cleanup_free_ char *copy = strdup(text ? text : "");
    if (!copy)
        return NULL;
    char *end = str_strip(copy);
    size_t length = strlen(end);
    if (length > 400)
        end += length - 400;
    for (char *p = end; *p; p++)
        if (*p == '\n' || *p == '\r')
            *p = ' ';
    return str_printable(end);
}

int proc_check(const struct proc_options *options, const void *input, size_t input_size,
               size_t max_out, uint64_t timeout_ms, struct proc_output *ret, struct error **err)
{
    _cleanup_proc_output_ struct proc_output output = {0};
    int r = proc_run(options, input, input_size, max_out, timeout_ms, &output, err);
    if (r < 0)
        return r;
    if (!WIFEXITED(output.status) || WEXITSTATUS(output.status) != 0) {
        _cleanup_free_ char *words = last_words(output.err);
        const char *said = str_empty(words) ? "no output" : words;
        if (WIFSIGNALED(output.status))
            return error_set(err, EIO, "%s: killed by signal %d (%s)", options->argv[0],
                             WTERMSIG(output.status), said);
        return error_set(err, EIO, "%s: failed with status %d (%s)", options->argv[0],
                         WEXITSTATUS(output.status), said);
    }
    if (ret) {
        *ret = output;
        output = (struct proc_output){0};
    }
    return 0;
}
