#include "sysprep/identity/boot_unit.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "customize/service.h"
#include "guest/text/place.h"

#define UNITS "/etc/systemd/system"
#define WANTS UNITS "/multi-user.target.wants"

int boot_unit_install(struct guest *guest, const char *name, const char *text, struct error **err)
{
    static const struct guest_file_attr attr = {.mode = 0644};
    struct guest_stat st;
    _cleanup_free_ char *unit = str_printf(err, UNITS "/%s.service", name);
    _cleanup_free_ char *link = unit ? str_printf(err, WANTS "/%s.service", name) : NULL;
    if (!link)
        return -ENOMEM;
    int r = guest_mkdir_p(guest, WANTS, 0755, err);
    if (r == 0)
        r = guest_write(guest, unit, text, strlen(text), &attr, err);
    if (r == 0)
        r = place_look(guest, link, &st, err);
    if (r == 0)
        r = guest_symlink(guest, unit, link, err);
    return r < 0 ? r : service_keep_enabled(guest, name, err);
}
