#include "base/random.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>

int random_bytes(void *buf, size_t count, struct error **err)
{
    char *p = buf;
    while (count > 0) {
        ssize_t n = getrandom(p, count, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_sys(err, errno, "getrandom failed");
        p += n;
        count -= (size_t)n;
    }
    return 0;
}

int random_text(const char *alphabet, size_t count, char *out, struct error **err)
{
    size_t letters = strlen(alphabet);
    /* Bytes beyond the last whole multiple would favour the first letters. */
    size_t limit = 256 - 256 % letters;
    for (size_t i = 0; i < count;) {
        uint8_t byte;
        int r = random_bytes(&byte, 1, err);
        if (r < 0)
            return r;
        if (byte < limit)
            out[i++] = alphabet[byte % letters];
    }
    out[count] = '\0';
    return 0;
}
