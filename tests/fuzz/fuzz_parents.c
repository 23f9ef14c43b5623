/* Whether an image of a foreign format has a parent: the first byte chooses the format, the rest
 * is its header (of VHDX, what begins with the region table; of VHD, the whole file). */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fdio.h"
#include "image/parents.h"
#include "image/vhd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum image_format formats[] = {IMAGE_VPC, IMAGE_VDI, IMAGE_VHDX};
    if (size == 0)
        return 0;
    enum image_format format = formats[data[0] % ARRAY_SIZE(formats)];
    uint64_t window = 0, at = format == IMAGE_VHDX ? 192 << 10 : 0;
    int fd = memfd_create("image", MFD_CLOEXEC);
    if (fd < 0 || fd_pwrite_full(fd, data + 1, size - 1, at, "image", NULL) < 0)
        abort();
    if (format != IMAGE_VPC)
        parents_refuse(fd, "image", format, NULL);
    else if (vhd_check(fd, "image", &window, NULL) == 0 && window > size)
        abort();
    close(fd);
    return 0;
}
