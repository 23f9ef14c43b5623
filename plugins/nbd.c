/* Images that qemu-nbd serves (libnbd). */
#include "image/nbd.h"

#include "plugins/load.h"

#define FUNCTIONS(X) X(nbd_block_open)
PLUGIN_DEFINE(nbd, "libnbd0 (Debian) or libnbd (Fedora)", FUNCTIONS);

int nbd_block_open(int fd, const char *path, enum image_format format, bool writable,
                   struct block **ret, struct error **err)
{
    _cleanup_close_ int owned = fd;
    int r = plugin_load(&plugin_nbd, err);
    return r < 0 ? r : late.nbd_block_open(TAKE_FD(owned), path, format, writable, ret, err);
}
