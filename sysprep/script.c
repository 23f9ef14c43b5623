#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"
#include "sysprep/operations.h"

/* A name with a slash is one from where we are, which the program will not be. */
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
        /* What it prints goes where our own messages go. */
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

static int run_in_new_directory(struct sysprep_context *context, struct error **err)
{
    const char *parent = getenv("TMPDIR");
    _cleanup_free_ char *directory =
        str_printf(err, "%s/kiln-guest.XXXXXX", str_empty(parent) ? "/tmp" : parent);
    if (!directory)
        return -ENOMEM;
    if (!mkdtemp(directory))
        return error_sys(err, errno, "%s: cannot make a directory to mount the guest on",
                         directory);
    int r = guest_mount_on_host(context->customize->guest, directory, run_scripts, context, err);
    rmdir(directory);
    return r;
}

static int perform(struct sysprep_context *context, struct error **err)
{
    if (context->settings->scripts.count == 0)
        return 0;
    const char *directory = context->settings->script_dir;
    return directory ? guest_mount_on_host(context->customize->guest, directory, run_scripts,
                                           context, err)
                     : run_in_new_directory(context, err);
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
