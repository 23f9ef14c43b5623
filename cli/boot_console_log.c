#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fdio.h"
#include "base/private_dir.h"
#include "cli/boot.h"

/* The user's directory for state (XDG Base Directory Specification); relative values do not
 * count. There is no other: directories that all users share are no place for a guest's output. */
static char *state_directory(struct error **err)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && *state == '/')
        return str_printf(err, "%s", state);
    if (home && *home == '/')
        return str_printf(err, "%s/.local/state", home);
    error_set(err, ENOENT, "there is no directory for the console log: HOME is not set");
    error_hint(err, "set HOME or XDG_STATE_HOME, or use --console-log FILE");
    return NULL;
}

/* A file of our own: another boot of the same image may still write into the one that had the name
 * before, and may create its own at the same time. */
static int create_log(int directory, const char *name, const char *path, struct error **err)
{
    enum { tries = 100 };
    for (int i = 0; i < tries; i++) {
        if (unlinkat(directory, name, 0) < 0 && errno != ENOENT)
            return error_sys(err, errno, "%s: cannot replace the console log", path);
        int fd = openat(directory, name,
                        O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
        if (fd >= 0)
            return fd;
        if (errno != EEXIST)
            break;
    }
    return error_sys(err, errno, "%s: cannot create the console log", path);
}

static int open_default(const char *disk, char **ret_path, struct error **err)
{
    _cleanup_free_ char *state = state_directory(err);
    if (!state)
        return -ENOENT;
    _cleanup_close_ int directory = private_dir_open(state, "kiln/console", err);
    if (directory < 0)
        return directory;
    _cleanup_free_ char *name = str_printf(err, "%s.log", path_name(disk));
    _cleanup_free_ char *path = name ? str_printf(err, "%s/kiln/console/%s", state, name) : NULL;
    int fd = path ? create_log(directory, name, path, err) : -ENOMEM;
    if (fd >= 0)
        *ret_path = TAKE_PTR(path);
    return fd;
}

int boot_open_console_log(const char *file, const char *disk, char **ret_path, int *ret_fd,
                          struct error **err)
{
    _cleanup_free_ char *path = NULL;
    int fd;
    if (file) {
        path = strdup(file);
        if (!path)
            return error_oom(err);
        fd = file_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY, 0600, err);
        if (fd < 0)
            return error_wrap(err, "--console-log");
    } else {
        fd = open_default(disk, &path, err);
        if (fd < 0)
            return error_hint(
                err, "set XDG_STATE_HOME to a directory of your own, or use --console-log FILE");
    }
    *ret_fd = fd;
    *ret_path = TAKE_PTR(path);
    return 0;
}
