#include "base/secret.h"

#include <errno.h>
#include <stdbool.h>

/* `line` has room for max + 1 bytes. Returns 1 where there was a line, 0 at the end of the input.
 */
static int read_line(int fd, const char *name, size_t max, char *line, struct error **err)
{
    bool any = false;
    for (size_t length = 0;; length++) {
        ssize_t n = read(fd, &line[length], 1);
        while (n < 0 && errno == EINTR)
            n = read(fd, &line[length], 1);
        if (n < 0)
            return error_sys(err, errno, "%s: cannot read", name);
        any = any || n == 1;
        if (n == 0 || line[length] == '\n') {
            line[length] = '\0';
            return any;
        }
        if (line[length] == '\0')
            return error_set(err, EILSEQ, "%s: the line has a NUL byte", name);
        if (length == max)
            return error_set(err, EMSGSIZE, "%s: the line is longer than %zu bytes", name, max);
    }
}

int secret_read_line(int fd, const char *name, size_t max, char **ret, struct error **err)
{
    char *line = calloc(1, max + 1);
    if (!line)
        return error_oom(err);
    int r = read_line(fd, name, max, line, err);
    char *copy = r > 0 ? strdup(line) : NULL;
    explicit_bzero(line, max + 1);
    free(line);
    if (r < 0)
        return r;
    if (r > 0 && !copy)
        return error_oom(err);
    *ret = copy;
    return 0;
}
