#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "base/tempfile.h"
#include "sysprep/operations.h"

/* A name with a slash is relative to our working directory, and the program runs in another. */
static char *resolve(const char *script, struct error **err)
{
    _cleanup_free_ char *path = strchr(script, '/') ? realpath(script, NULL) : strdup(script);
    bool found = path && (strchr(script, '/') ? access(path, X_OK) == 0 : proc_found(script));
    if (!found) {
        error_sys(err, strchr(script, '/') ? errno : ENOENT, "--script %s: cannot be run", script);
        error_hint(err, "name an executable file: a path, or a program in $PATH");
        return NULL;
    }
    return TAKE_PTR(path);
}

int sysprep_script_check(const struct sysprep_settings *settings, struct error **err)
{
    struct error *cause = NULL;
    for (size_t i = 0; i < settings->scripts.count; i++) {
        _cleanup_free_ char *path = resolve(settings->scripts.items[i], &cause);
        if (!path)
            return error_move(err, cause);
    }
    return 0;
}

static int run_scripts(void *opaque, const char *directory, struct error **err)
{
    const struct sysprep_context *context = opaque;
    const struct strv *scripts = &context->settings->scripts;
    int r = 0;
    for (size_t i = 0; r == 0 && i < scripts->count; i++) {
        struct error *cause = NULL;
        _cleanup_free_ char *path = resolve(scripts->items[i], &cause);
        if (!path)
            return error_move(err, cause);
        report(context->customize->reporter, REPORT_INFO, "Running %s", scripts->items[i]);
        /* Its output goes to our standard error. */
        const struct proc_options options = {
            .argv = (const char *const[]){path, NULL},
            .cwd = directory,
            .stdin_fd = -1,
            .stdout_fd = STDERR_FILENO,
            .stderr_fd = STDERR_FILENO,
        };
        r = proc_check(&options, NULL, 0, 0, UINT64_MAX, NULL, err);
        if (r < 0)
            error_wrap(err, "--script %s", scripts->items[i]);
    }
    return r;
}

/* Ends the mount, and removes a directory of our own, where kiln is killed meanwhile: the kernel
 * would keep both. Waits for the end of its input, whose other end only we hold. */
static int start_keeper(const char *directory, bool ours, int *ret_alive, struct proc **ret,
                        struct error **err)
{
    static const char script[] =
        "cat >/dev/null; fusermount -u -z \"$1\"; [ -z \"$2\" ] || rmdir \"$1\"";
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_sys(err, errno, "cannot make a pipe");
    const struct proc_options options = {
        .argv =
            (const char *const[]){"sh", "-c", script, "sh", directory, ours ? "ours" : "", NULL},
        .stdin_fd = ends[0],
        .stdout_fd = -1,
        .stderr_fd = -1,
        .survives = true,
    };
    int r = proc_spawn(&options, ret, err);
    close(ends[0]);
    if (r < 0)
        close(ends[1]);
    else
        *ret_alive = ends[1];
    return r;
}

static int run_in(struct sysprep_context *context, const char *directory, bool ours,
                  struct error **err)
{
    _cleanup_close_ int alive = -1;
    /* Stopped before its pipe is closed: it has nothing to do then. */
    _cleanup_proc_ struct proc *keeper = NULL;
    int r = start_keeper(directory, ours, &alive, &keeper, err);
    return r < 0 ? r
                 : guest_mount_on_host(context->customize->guest, directory, run_scripts, context,
                                       err);
}

static int run_in_new_directory(struct sysprep_context *context, struct error **err)
{
    _cleanup_free_ char *directory = NULL;
    int r = temp_dir_create(temp_directory_small(), "kiln-guest", &directory, err);
    if (r < 0)
        return error_wrap(err, "no directory to mount the guest on");
    r = run_in(context, directory, true, err);
    rmdir(directory);
    return r;
}

static int perform(struct sysprep_context *context, struct error **err)
{
    if (context->settings->scripts.count == 0)
        return 0;
    const char *directory = context->settings->script_dir;
    return directory ? run_in(context, directory, false, err) : run_in_new_directory(context, err);
}

const struct sysprep_operation sysprep_script = {
    .name = "script",
    .help = "run programs of the host on the guest's files",
    .manual = "Run the programs given with --script on the host, in the directory where the "
              "guest's files are mounted by FUSE: --scriptdir, which must be empty, or a temporary "
              "one. Their working directory is the guest's root, so they should use relative "
              "paths. One that fails ends the run, and the image stays as it was. Trust neither "
              "links nor programs of a guest that you do not know.",
    .by_default = true,
    .perform = perform,
};
