/* Lines that claim to be OpenSSH public keys. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "datasource/sshkey.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_error_ struct error *err = NULL;
    _cleanup_free_ char *line = malloc(size + 1);
    if (!line)
        return 0;
    memcpy(line, data, size);
    line[size] = '\0';
    if (sshkey_check(line, "fuzz", &err) < 0 && !err)
        abort();
    return 0;
}
