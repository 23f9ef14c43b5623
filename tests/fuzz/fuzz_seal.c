/* Sidecars of images that claim to be seals. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "image/seal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seal seal = {0};
    _cleanup_error_ struct error *err = NULL;
    int r = seal_parse((const char *)data, size, "fuzz", &seal, &err);
    if ((r < 0) != (err != NULL))
        abort();
    /* Whoever says that it is sealed says by which digest, and when. */
    if (r == 0 && (strlen(seal.digest) != 64 || !seal.time))
        abort();
    if (r < 0 && (seal.digest || seal.time || seal.operations.count > 0))
        abort();
    seal_free(&seal);
    return 0;
}
