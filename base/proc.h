/*
 * Child processes. Always an argument vector, never a shell. A child dies with its parent
 * (PR_SET_PDEATHSIG) unless told otherwise, is in its own process group, and inherits no descriptor
 * but those named.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Descriptors to hand down at a fixed number, beyond the standard three. */
struct proc_fd {
    int ours;
    int theirs;
};

struct proc_options {
    const char *const *argv; /* NULL-terminated; argv[0] is sought in PATH, then in sbin folders */
    const char *const *env;  /* extra "NAME=value" strings, NULL-terminated, or NULL */
    const char *cwd;         /* NULL: ours */
    int stdin_fd;            /* -1: /dev/null. 0 means our standard input. Stays ours */
    int stdout_fd;           /* -1: /dev/null, or captured by proc_run() */
    int stderr_fd;           /* -1: /dev/null, or captured by proc_run() */
    /* The child's truncate() and ftruncate() succeed without doing anything (a seccomp filter). For
     * programs that would cut a file which is more than they take it for. */
    bool keep_file_sizes;
    /* The child does not die with us, and has a session of its own. For one that waits for our end,
     * to tidy up behind us. */
    bool survives;
    const struct proc_fd *fds; /* NULL: none */
    size_t fd_count;
};

/* Every field that means "nothing". */
#define PROC_OPTIONS_INIT .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1

/* True when argv[0] would be found, in PATH or in the sbin folders. */
bool proc_found(const char *program);

struct proc;

/* Starts the child. -ENOENT when the program is not installed: the caller adds the hint that names
 * the package. */
int proc_spawn(const struct proc_options *options, struct proc **ret, struct error **err);

pid_t proc_pid(const struct proc *proc);

/* A descriptor that becomes readable when the child has ended (pidfd). Owned by proc. */
int proc_pidfd(const struct proc *proc);

/* Waits at most timeout_ms (UINT64_MAX: for ever); -ETIMEDOUT: it still runs. *ret_status is as
 * waitpid() stores it. Once it has ended, further calls return the same status. */
int proc_wait(struct proc *proc, uint64_t timeout_ms, int *ret_status, struct error **err);

/* SIGTERM to the child's whole process group, SIGKILL after grace_ms, and reaps it. */
void proc_stop(struct proc *proc, uint64_t grace_ms);

/* proc_stop() with no grace, then frees. Accepts NULL. */
void proc_free(struct proc *proc);

DEFINE_CLEANUP(struct proc *, proc_free);
#define _cleanup_proc_ _cleanup_(proc_freep)

struct proc_output {
    char *out; /* standard output, NUL-terminated; NULL when it was redirected */
    size_t out_size;
    char *err; /* the same for standard error */
    size_t err_size;
    int status; /* as waitpid() stores it */
};

void proc_output_free(struct proc_output *output);
#define _cleanup_proc_output_ _cleanup_(proc_output_free)

/* Runs the child to its end within timeout_ms, feeding `input` (may be NULL) to its standard input
 * when stdin_fd is -1, and capturing what is not redirected, at most 1 MiB of standard error (the
 * rest is dropped) and max_out bytes of standard output (more is -EFBIG). Returns 0 when the child
 * ran, whatever its exit status. A child that outlives the limit is killed: -ETIMEDOUT. */
int proc_run(const struct proc_options *options, const void *input, size_t input_size,
             size_t max_out, uint64_t timeout_ms, struct proc_output *ret, struct error **err);

/* proc_run() for children that must succeed: a status other than 0 is -EIO, with the last lines of
 * its standard error in the message. ret may be NULL. */
int proc_check(const struct proc_options *options, const void *input, size_t input_size,
               size_t max_out, uint64_t timeout_ms, struct proc_output *ret, struct error **err);
