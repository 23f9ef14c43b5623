/* Images that qemu-nbd serves (libnbd). */
#include "image/nbd.h"

#include "plugins/load.h"

#define FUNCTIONS(X) X(nbd_block_open) X(nbd_block_socket) X(nbd_block_hide)
PLUGIN_DEFINE(nbd, "libnbd0 (Debian) or libnbd (Fedora)", FUNCTIONS);

int nbd_block_open(struct image_chain *chain, const struct nbd_options *options, struct block **ret,
                   struct error **err)
{
    int r = plugin_load(&plugin_nbd, err);
    if (r < 0)
        image_chain_free(chain);
    return r < 0 ? r : late.nbd_block_open(chain, options, ret, err);
}

/* Where there is a block, it is loaded. */

const char *nbd_block_socket(const struct block *block)
{
    return late.nbd_block_socket(block);
}

void nbd_block_hide(struct block *block)
{
    late.nbd_block_hide(block);
}
