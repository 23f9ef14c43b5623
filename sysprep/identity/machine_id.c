#include <string.h>
#include <sys/stat.h>

#include "guest/text/mention.h"
#include "sysprep/family.h"
#include "sysprep/operations.h"

static const char *const paths[] = {"/etc/machine-id", "/var/lib/dbus/machine-id"};

/* systemd's id128_read_fd(): with a newline or without. */
static int asks_for_first_boot(struct guest *guest, const char *path, const struct guest_stat *st,
                               bool *ret, struct error **err)
{
    static const char word[] = "uninitialized\n";
    _cleanup_free_ char *id = NULL;
    *ret = false;
    if (st->size != strlen(word) && st->size != strlen(word) - 1)
        return 0;
    int r = guest_read(guest, path, sizeof(word), &id, NULL, err);
    *ret = r == 0 && strncmp(id, word, st->size) == 0;
    return r;
}

static int forget(struct guest *guest, const char *path, bool systemd, struct error **err)
{
    struct guest_stat st;
    /* A link, as Debian has it for D-Bus, has no id of its own. */
    if (guest_stat(guest, path, false, &st, NULL) < 0 || !S_ISREG(st.mode))
        return 0;
    if (!systemd)
        return guest_unlink(guest, path, err);
    bool asks = false;
    int r = asks_for_first_boot(guest, path, &st, &asks, err);
    return r < 0 || asks || st.size == 0 ? r : guest_truncate(guest, path, 0, err);
}

/* lvmsystemid(7): volume groups with the id of another system are not used. */
static int warn_of_lvm(struct customize_context *context, struct error **err)
{
    bool derived = false;
    int r =
        files_mention(context->guest, "/etc/lvm/{lvm,lvmlocal}.conf", "machineid\"", &derived, err);
    if (r == 0 && derived)
        report(context->reporter, REPORT_WARNING,
               "LVM takes its system id from the machine id (system_id_source in /etc/lvm): volume "
               "groups that have the old id will not be used; remove it with vgchange --systemid "
               "\"\" in the guest");
    return r;
}

/*
 * systemd fills an empty file, and takes the boot for the first one when the file is missing or
 * says "uninitialized": then it would reset which units are enabled to what the distribution
 * presets. So a file with an id becomes empty, and one that asks for a first boot keeps asking.
 * D-Bus without systemd, on the other hand, makes an id where there is no file, and fails on an
 * empty one.
 */
static int perform(struct sysprep_context *context, struct error **err)
{
    bool systemd = family_has_systemd(context->customize->info);
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(paths); i++)
        r = forget(context->customize->guest, paths[i], systemd, err);
    return r < 0 ? r : warn_of_lvm(context->customize, err);
}

const struct sysprep_operation sysprep_machine_id = {
    .name = "machine-id",
    .help = "remove the machine id",
    .manual = "Empty /etc/machine-id, and /var/lib/dbus/machine-id where that is a file of its "
              "own, so that each clone makes an id when it boots. Names of journals, DHCP client "
              "ids and MAC addresses of bridges are derived from it. In guests without systemd the "
              "files are removed. Runs behind the customizations, since programs that run in the "
              "guest may write an id.",
    .by_default = true,
    .perform = perform,
};
