/* Lines that claim to be OpenSSH public keys. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sshkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sshkey key;
    bool sound = sshkey_parse((const char *)data, size, &key);
    if (sound && !sshkey_equal(&key, &key))
        abort();
    _cleanup_error_ struct error *err = NULL;
    _cleanup_free_ char *line = malloc(size + 1);
    if (!line)
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    int r = sshkey_check(line, "fuzz", &err);
    if ((r < 0) != (err != NULL))
        abort();
    if (r == 0 && strlen(line) == size && !sound)
        abort();
    return 0;
}
