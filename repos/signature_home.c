#include "repos/signature_home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fdio.h"
#include "base/str.h"
#include "base/tempfile.h"

#define HOME_PREFIX "kiln-gpg"

/* Far longer than any verification takes. */
enum { STALE_SECONDS = 600 };

static const char gpg_conf[] = "batch\n"
                               "no-autostart\n"
                               "no-auto-check-trustdb\n"
                               "no-auto-key-locate\n"
                               "no-random-seed-file\n"
                               "trust-model always\n";

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    remove(path);
    return 0;
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A verification that was killed left its directory behind. */
static void remove_stale(const char *directory)
{
    DIR *dir = opendir(directory);
    if (!dir)
        return;
    time_t now = time(NULL);
    struct dirent *entry;
    while ((entry = readdir(dir))) {
        struct stat st;
        if (!str_starts(entry->d_name, HOME_PREFIX ".") ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || now - st.st_mtime < STALE_SECONDS)
            continue;
        _cleanup_free_ char *path = str_printf(NULL, "%s/%s", directory, entry->d_name);
        if (path)
            remove_tree(path);
    }
    closedir(dir);
}

int signature_home_create(char **ret, struct error **err)
{
    const char *directory = temp_directory_small();
    _cleanup_(signature_home_removep) char *home = NULL;
    remove_stale(directory);
    int r = temp_dir_create(directory, HOME_PREFIX, &home, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *conf = str_printf(err, "%s/gpg.conf", home);
    if (!conf)
        return -ENOMEM;
    _cleanup_close_ int fd = file_open(conf, O_WRONLY | O_CREAT | O_EXCL, 0600, err);
    if (fd < 0)
        return fd;
    r = fd_write_full(fd, gpg_conf, sizeof(gpg_conf) - 1, conf, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(home);
    return 0;
}

void signature_home_remove(char *path)
{
    if (!path)
        return;
    remove_tree(path);
    free(path);
}
