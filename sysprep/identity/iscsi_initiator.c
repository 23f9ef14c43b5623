#include <string.h>

#include "guest/text/mention.h"
#include "sysprep/family.h"
#include "sysprep/identity/boot_unit.h"
#include "sysprep/operations.h"

static const char name_file[] = "/etc/iscsi/initiatorname.iscsi";
static const char wish[] = "GenerateName=yes\n";

/* iscsi-iname(8) makes a name at random. */
static const char unit[] =
    "[Unit]\n"
    "Description=Make a name for the iSCSI initiator\n"
    "Documentation=man:iscsi-iname(8)\n"
    "ConditionPathExists=!/etc/iscsi/initiatorname.iscsi\n"
    "Before=iscsid.service iscsi.service open-iscsi.service\n"
    "\n"
    "[Service]\n"
    "Type=oneshot\n"
    "ExecStart=/bin/sh -c 'umask 077; echo \"InitiatorName=$$(iscsi-iname)\" "
    ">/etc/iscsi/initiatorname.iscsi'\n";

static bool exists_any(struct guest *guest, const char *const *paths)
{
    for (; *paths; paths++)
        if (guest_exists(guest, *paths))
            return true;
    return false;
}

/* Debian's startup script makes a name where the file asks for one, and fails without the file. */
static int asks_by_file(struct guest *guest, bool *ret, struct error **err)
{
    return files_mention(
        guest, "/{{usr/,}lib/open-iscsi/startup-checks.sh,etc/init.d/{open-iscsi,iscsid}}",
        "GenerateName", ret, err);
}

static int perform(struct sysprep_context *context, struct error **err)
{
    /* Of open-iscsi itself (Fedora, Red Hat, SUSE), and of CoreOS. */
    static const char *const makers[] = {
        "/usr/lib/systemd/system/iscsi-init.service",
        "/usr/lib/systemd/system/coreos-generate-iscsi-initiatorname.service", NULL};
    static const char *const programs[] = {"/usr/sbin/iscsi-iname", "/sbin/iscsi-iname",
                                           "/usr/bin/iscsi-iname", NULL};
    struct customize_context *customize = context->customize;
    struct guest *guest = customize->guest;
    bool by_file = false, asks = false;
    if (!guest_exists(guest, name_file))
        return 0;
    int r = files_mention(guest, name_file, "GenerateName=yes", &asks, err);
    if (r == 0 && !asks)
        r = asks_by_file(guest, &by_file, err);
    if (r < 0 || asks)
        return r;
    if (by_file)
        return guest_replace(guest, name_file, wish, strlen(wish), err);
    bool made = exists_any(guest, makers);
    if (!made && (!family_has_systemd(customize->info) || !exists_any(guest, programs))) {
        report(customize->reporter, REPORT_WARNING,
               "%s stays, and all clones will share its name: nothing in this guest would make "
               "another when it boots",
               name_file);
        return 0;
    }
    r = guest_unlink(guest, name_file, err);
    return r < 0 || made ? r : boot_unit_install(guest, "kiln-iscsi-initiator", unit, err);
}

const struct sysprep_operation sysprep_iscsi_initiator = {
    .name = "iscsi-initiator",
    .help = "have the iSCSI initiator make a name of its own",
    .manual =
        "Remove the name of the iSCSI initiator, /etc/iscsi/initiatorname.iscsi, by which targets "
        "tell machines apart. Fedora, Red Hat and SUSE make another at boot; in Debian and its kin "
        "the file asks for it (GenerateName=yes); where nothing would, the unit "
        "kiln-iscsi-initiator.service is put in. Without systemd the name stays, with a warning. A "
        "guest that boots from iSCSI needs the operation left out.",
    .by_default = true,
    .perform = perform,
};
