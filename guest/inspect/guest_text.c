#include "guest/inspect/guest_text.h"

#include <errno.h>

int guest_text(struct guest *guest, const char *path, char **ret, struct error **err)
{
    *ret = NULL;
    _cleanup_error_ struct error *error = NULL;
    int r = guest_read(guest, path, GUEST_TEXT_MAX, ret, NULL, &error);
    return r == -ENOMEM ? error_move(err, TAKE_PTR(error)) : 0;
}
