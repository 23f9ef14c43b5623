#include "customize/account/ssh_default.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"

static bool is_public_key_name(const char *name)
{
    return str_starts(name, "id") && str_ends(name, ".pub") && !str_ends(name, "-cert.pub");
}

static bool is_newer(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static int newest_key(DIR *dir, const char *path, char **ret, struct error **err)
{
    _cleanup_free_ char *newest = NULL;
    struct timespec newest_time = {0};
    for (const struct dirent *entry; (entry = readdir(dir));) {
        struct stat st;
        if (!is_public_key_name(entry->d_name) || fstatat(dirfd(dir), entry->d_name, &st, 0) < 0 ||
            !S_ISREG(st.st_mode))
            continue;
        if (newest && !is_newer(&st.st_mtim, &newest_time))
            continue;
        int r = str_replace(&newest, entry->d_name, err);
        if (r < 0)
            return r;
        newest_time = st.st_mtim;
    }
    if (newest) {
        *ret = str_printf(err, "%s/%s", path, newest);
        return *ret ? 0 : -ENOMEM;
    }
    error_set(err, ENOENT, "%s has no public key (id*.pub)", path);
    error_hint(err, "make one with ssh-keygen, or name a file: --ssh-inject USER:file:FILE");
    return -ENOENT;
}

int ssh_key_default(char **ret_path, struct error **err)
{
    const char *home = getenv("HOME");
    if (str_empty(home))
        return error_set(err, ENOENT, "HOME is not set, so that your public key cannot be found");
    _cleanup_free_ char *path = str_printf(err, "%s/.ssh", home);
    if (!path)
        return -ENOMEM;
    DIR *dir = opendir(path);
    if (!dir) {
        int errnum = errno;
        error_sys(err, errnum, "%s: cannot look for your public key", path);
        error_hint(err, "make one with ssh-keygen, or name a file: --ssh-inject USER:file:FILE");
        return -errnum;
    }
    int r = newest_key(dir, path, ret_path, err);
    closedir(dir);
    return r;
}
