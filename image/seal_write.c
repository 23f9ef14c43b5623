#include "image/seal_write.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "image/copy.h"
#include "image/image.h"
#include "image/seal.h"

static int check_is_file(const char *image, struct error **err)
{
    struct stat st;
    if (stat(image, &st) < 0)
        return error_sys(err, errno, "%s: cannot be sealed", image);
    if (S_ISREG(st.st_mode))
        return 0;
    return error_set(err, EINVAL, "%s: cannot be sealed: only image files can", image);
}

static int digest_of(const char *image, const struct image_trust *trust, char *hex,
                     struct error **err)
{
    const struct image_open_options options = {.lock = true, .trust = trust};
    _cleanup_block_ struct block *block = NULL;
    int r = image_open(image, &options, &block, err);
    return r < 0 ? r : block_digest(block, DIGEST_SHA256, hex, err);
}

int seal_write(const char *image, const struct strv *operations, const struct image_trust *trust,
               struct error **err)
{
    char hex[DIGEST_MAX_HEX];
    int r = check_is_file(image, err);
    if (r == 0)
        r = digest_of(image, trust, hex, err);
    if (r < 0)
        return r;
    r = seal_store(image, hex, operations, err);
    return r < 0 ? error_wrap(err, "%s: cannot be sealed", image) : 0;
}
