#include "guest/ext_state.h"

#include <errno.h>

#include "base/quote.h"
#include "base/str.h"

enum { STATE_VALID = 1 << 0, STATE_ERRORS = 1 << 1 };

int ext_state_refuse(const char *damage, const char *image, const char *device, struct error **err)
{
    _cleanup_str_ struct str quoted = {0};
    quote_shell(&quoted, image);
    _cleanup_free_ char *name = str_take(&quoted, err);
    if (!name)
        return -ENOMEM;
    error_set(err, EUCLEAN, "%s: %s: %s, and it must not be changed before it is repaired", image,
              device, damage);
    return error_hint(err, "repair it with e2fsck: guestfish -a %s run : e2fsck %s correct:true",
                      name, device);
}

int ext_state_check(uint16_t state, const char *image, const char *device, struct error **err)
{
    if (state & STATE_ERRORS)
        return ext_state_refuse("errors were found in the file system", image, device, err);
    if (!(state & STATE_VALID))
        return ext_state_refuse("the file system was not unmounted cleanly, or a change to it was "
                                "interrupted",
                                image, device, err);
    return 0;
}
