#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

const char *temp_directory(void)
{
    const char *directory = getenv("TMPDIR");
    return str_empty(directory) ? "/var/tmp" : directory;
}

const char *temp_directory_small(void)
{
    const char *directory = getenv("TMPDIR");
    return str_empty(directory) ? "/tmp" : directory;
}

int temp_file(const char *prefix, struct error **err)
{
    const char *directory = temp_directory();
    int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0)
        return fd;
    _cleanup_free_ char *path = str_printf(err, "%s/%s.XXXXXX", directory, prefix);
    if (!path)
        return -ENOMEM;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0) {
        error_sys(err, errno, "%s: cannot create a temporary file", directory);
        return error_hint(err, "set TMPDIR to a directory with free space where you may write");
    }
    unlink(path);
    return fd;
}

int temp_dir_create(const char *parent, const char *prefix, char **ret, struct error **err)
{
    _cleanup_free_ char *path = str_printf(err, "%s/%s.XXXXXX", parent, prefix);
    if (!path)
        return -ENOMEM;
    if (!mkdtemp(path)) {
        error_sys(err, errno, "%s: cannot create a temporary directory", parent);
        return error_hint(err, "set TMPDIR to a directory with free space where you may write");
    }
    *ret = TAKE_PTR(path);
    return 0;
}
