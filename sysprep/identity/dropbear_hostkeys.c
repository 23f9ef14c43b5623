#include <errno.h>
#include <string.h>

#include "guest/text/glob.h"
#include "guest/text/mention.h"
#include "sysprep/family.h"
#include "sysprep/identity/boot_unit.h"
#include "sysprep/operations.h"

#define KEYS "/etc/dropbear/dropbear_*_host_key"

static const char unit[] =
    "[Unit]\n"
    "Description=Make host keys of dropbear where there are none\n"
    "Documentation=man:dropbearkey(1)\n"
    "ConditionPathExistsGlob=!" KEYS "\n"
    "Before=dropbear.service dropbear.socket\n"
    "\n"
    "[Service]\n"
    "Type=oneshot\n"
    "ExecStart=/bin/sh -c 'for t in rsa ecdsa ed25519; do dropbearkey -t $$t -f "
    "/etc/dropbear/dropbear_$${t}_host_key || :; done'\n";

/* Units and scripts that make keys (OpenWrt, Buildroot, Alpine), or the option of dropbear(8) that
 * has it make them when they are needed. */
static int find_maker(struct guest *guest, bool *ret, struct error **err)
{
    static const char units[] =
        "/{{etc,usr/lib,lib}/systemd/system/dropbear*,etc/{init.d/*dropbear,conf.d/dropbear,"
        "default/dropbear,sv/dropbear/run}}";
    static const char *const words[] = {"dropbearkey", "-R"};
    bool found = false;
    int r = 0;
    for (size_t i = 0; r == 0 && !found && i < ARRAY_SIZE(words); i++)
        r = files_mention(guest, units, words[i], &found, err);
    *ret = found;
    return r;
}

/* The keys of the initial RAM disk are in its image as well, which only programs of the guest
 * make. */
static int warn_of_initramfs(struct sysprep_context *context, struct error **err)
{
    _cleanup_strv_ struct strv keys = {0};
    int r = glob_expand(context->customize->guest,
                        "/etc/dropbear{-initramfs,/initramfs}/dropbear_*_host_key", &keys, err);
    if (r == 0 && keys.count > 0)
        report(context->customize->reporter, REPORT_WARNING,
               "%s stays, as it is in the initial RAM disk too; all clones will share it until it "
               "is made anew in each (dropbearkey, then update-initramfs -u)",
               keys.items[0]);
    return r;
}

static int finish(struct sysprep_context *context, struct error **err)
{
    struct customize_context *customize = context->customize;
    struct guest *guest = customize->guest;
    bool made = false;
    int r = warn_of_initramfs(context, err);
    if (r < 0 ||
        (!guest_exists(guest, "/usr/sbin/dropbear") && !guest_exists(guest, "/usr/bin/dropbear")))
        return r;
    r = find_maker(guest, &made, err);
    if (r < 0 || made)
        return r;
    if (family_has_systemd(customize->info) && guest_exists(guest, "/usr/bin/dropbearkey"))
        return boot_unit_install(guest, "kiln-dropbear-hostkeys", unit, err);
    error_set(err, EOPNOTSUPP,
              "nothing in this guest generates host keys of dropbear when it boots, and dropbear "
              "does not start without");
    return error_hint(err, "keep the keys with --operations defaults,-dropbear-hostkeys, or start "
                           "dropbear with its option -R");
}

const struct sysprep_operation sysprep_dropbear_hostkeys = {
    .name = "dropbear-hostkeys",
    .help = "remove the host keys of dropbear, and have new ones made at the next boot",
    .manual = "Remove " KEYS ", and make sure that the guest makes new keys when it boots, as "
              "OpenWrt and dropbear's option -R do; where nothing would (Debian), the unit "
              "kiln-dropbear-hostkeys.service is put in. Keys that are used in the initial RAM "
              "disk stay, with a warning.",
    .by_default = true,
    .removes = {.files = PATHS(KEYS)},
    .finish = finish,
};
