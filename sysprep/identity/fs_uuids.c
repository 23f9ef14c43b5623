#include <string.h>

#include "guest/text/glob.h"
#include "guest/text/text.h"
#include "sysprep/operations.h"

/* Where guests name their file systems by UUID. */
static const char *const users[] = {
    "/etc/fstab",          "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg",
    "/etc/kernel/cmdline", "/boot/extlinux.conf", "/boot/loader/entries/*.conf",
};

static int warn_of(struct sysprep_context *context, const char *path, struct error **err)
{
    _cleanup_text_ struct text text = {0};
    struct guest *guest = context->customize->guest;
    if (guest_is_dir(guest, path) || !guest_exists(guest, path))
        return 0;
    int r = text_read(guest, path, &text, NULL, err);
    if (r == 0 && memmem(text.data, text.size, "UUID=", 5))
        report(context->customize->reporter, REPORT_WARNING,
               "%s names file systems by the UUIDs that they had: correct it, or the guest will "
               "not boot",
               path);
    return r;
}

static int perform(struct sysprep_context *context, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(users); i++) {
        _cleanup_strv_ struct strv paths = {0};
        r = glob_expand(context->customize->guest, users[i], &paths, err);
        for (size_t j = 0; r == 0 && j < paths.count; j++)
            r = warn_of(context, paths.items[j], err);
    }
    return r < 0 ? r : guest_renew(context->customize->guest, GUEST_FILE_SYSTEM_UUIDS, err);
}

const struct sysprep_operation sysprep_fs_uuids = {
    .name = "fs-uuids",
    .help = "give file systems new UUIDs",
    .manual = "Give the file systems new random UUIDs, where their kind allows it. Off by default: "
              "fstab and the boot loader, which name file systems by UUID, are not changed, and "
              "most guests would not boot any more. The files that would have to be corrected are "
              "told.",
    .on_devices = true,
    .needs = GUEST_CAN_RENEW | GUEST_CAN_RENEW_FS,
    .perform = perform,
};
