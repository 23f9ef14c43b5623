/* Compressed images from strangers. What the first bytes say decides on the decoder, as for a
 * downloaded file. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "image/expand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct expand_options options = {.max_size = 1 << 20, .memory_limit = 16 << 20};
    uint64_t expanded = 0;
    struct stat st;
    int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC);
    if (in < 0 || out < 0 || fd_pwrite_full(in, data, size, 0, "in", NULL) < 0)
        abort();
    if (compression_probe(in, "in", &options.compression, NULL) == 0 &&
        image_expand(in, "in", &options, out, &expanded, NULL) == 0 &&
        (fstat(out, &st) < 0 || (uint64_t)st.st_size != expanded || expanded > options.max_size))
        abort();
    close(in);
    close(out);
    return 0;
}
