/* Where boot loaders' files lie: boot partitions, EFI system partitions, what cannot be reached;
 * and entries of the Boot Loader Specification, with and without GRUB. */
#include "tests/unit/guest/fake.h"

static int boot(const struct fake_file *files, struct guest_boot_entry *ret, struct error **err)
{
    struct fake_guest fake = fake_guest(files);
    fake.root_uuid = "aaaa";
    return guest_boot_default(&fake.guest, ret, err);
}

/* "KERNEL INITRD...: COMMAND LINE" */
static void assert_boots(const struct fake_file *files, const char *wanted)
{
    _cleanup_guest_boot_entry_ struct guest_boot_entry entry = {0};
    _cleanup_str_ struct str found = {0};
    assert_ok(boot(files, &entry, err));
    str_append(&found, entry.kernel);
    for (size_t i = 0; i < entry.initrds.count; i++)
        str_appendf(&found, " %s", entry.initrds.items[i]);
    str_appendf(&found, ": %s", entry.command_line);
    assert_string_equal(found.data, wanted);
}

static void assert_unknown(const struct fake_file *files, int errnum, const char *reason)
{
    _cleanup_guest_boot_entry_ struct guest_boot_entry entry = {0};
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(boot(files, &entry, &error), -errnum);
    if (!strstr(error_message(error), reason))
        fail_msg("\"%s\" does not say \"%s\"", error_message(error), reason);
}

/* RHEL 8 and its relatives on UEFI. */
#define RHEL_CFG                                                                                   \
    "if [ -f ${config_directory}/grubenv ]; then\n  load_env -f ${config_directory}/grubenv\n"     \
    "elif [ -s $prefix/grubenv ]; then\n  load_env\nfi\n"                                          \
    "set default=\"${saved_entry}\"\ninsmod blscfg\nblscfg\n"
#define RHEL_ENV                                                                                   \
    "# GRUB Environment Block\nsaved_entry=m-4.18\nkernelopts=root=/dev/mapper/rhel-root ro\n##"
#define RHEL_ENTRY                                                                                 \
    "title RHEL\nversion 4.18\nlinux /boot/vmlinuz-4.18\n"                                         \
    "initrd /boot/initramfs-4.18.img $tuned_initrd\noptions $kernelopts $tuned_params\n"           \
    "grub_users $grub_users\ngrub_arg --unrestricted\ngrub_class kernel\n"
#define RHEL_FILES                                                                                 \
    {"/boot/loader/entries", NULL}, {"/boot/loader/entries/m-4.18.conf", RHEL_ENTRY},              \
        {"/boot/vmlinuz-4.18", "k"},                                                               \
    {                                                                                              \
        "/boot/initramfs-4.18.img", "i"                                                            \
    }

#define RHEL_BOOTS "/boot/vmlinuz-4.18 /boot/initramfs-4.18.img: root=/dev/mapper/rhel-root ro"

static void an_environment_block_on_the_esp_is_found_through_its_link(void **state)
{
    (void)state;
    const struct fake_file files[] = {
        RHEL_FILES,
        {"/boot/grub2/grub.cfg", RHEL_CFG},
        {"/boot/grub2/grubenv", LINK "/boot/efi/EFI/redhat/grubenv"},
        {"/boot/efi/EFI/redhat/grubenv", RHEL_ENV},
        {0},
    };
    assert_boots(files, RHEL_BOOTS);
}

static void one_that_cannot_be_reached_leaves_no_answer(void **state)
{
    (void)state;
    const struct fake_file unserved[] = {
        RHEL_FILES,
        {"/boot/grub2/grub.cfg", RHEL_CFG},
        {"/boot/grub2/grubenv", LINK "/boot/efi/EFI/redhat/grubenv"},
        {"/boot/efi", UNSERVED},
        {0},
    };
    const struct fake_file dangling[] = {
        RHEL_FILES,
        {"/boot/grub2/grub.cfg", RHEL_CFG},
        {"/boot/grub2/grubenv", LINK "/boot/efi/EFI/redhat/grubenv"},
        {0},
    };
    assert_unknown(unserved, EOPNOTSUPP, "environment block: /boot/grub2/grubenv");
    assert_unknown(dangling, EOPNOTSUPP,
                   "/boot/grub2/grubenv in the guest is a link to /boot/efi/EFI/redhat/grubenv");
}

static void a_configuration_on_the_esp_is_read(void **state)
{
    (void)state;
    const struct fake_file readable[] = {
        RHEL_FILES,
        {"/boot/efi/EFI/BOOT", NULL},
        {"/boot/efi/EFI/redhat", NULL},
        {"/boot/efi/EFI/redhat/grub.cfg", RHEL_CFG},
        {"/boot/efi/EFI/redhat/grubenv", RHEL_ENV},
        {0},
    };
    const struct fake_file unserved[] = {RHEL_FILES, {"/boot/efi", UNSERVED}, {0}};
    const struct fake_file gone[] = {RHEL_FILES, {0}};
    assert_boots(readable, RHEL_BOOTS);
    assert_unknown(unserved, EOPNOTSUPP, "cannot be reached");
    /* Entries with GRUB's variables are of no use without it. */
    assert_unknown(gone, EOPNOTSUPP, "variables of GRUB");
}

static void blscfg_makes_the_commands_that_it_makes(void **state)
{
    (void)state;
    struct fake_file files[] = {
        {"/boot/loader/entries", NULL},
        {"/boot/loader/entries/e.conf", "title T\nlinux /boot/sub/k\ninitrd /boot/a.img\n"
                                        "initrd /boot/b.img $tuned_initrd\n"},
        {"/boot/sub/k", "k"},
        {"/boot/a.img", "i"},
        {"/boot/b.img", "i"},
        {"/boot/t.img", "i"},
        {"/boot/sub/early1", "i"},
        {"/boot/sub/early2", "i"},
        {"/boot/grub2/grub.cfg", "early_initrd=\"early1 early2\"\ntuned_initrd=/boot/t.img\n"
                                 "default_kernelopts='root=/dev/vda1 \"a b\"'\nblscfg\n"},
        {"/other/x.conf", "title X\nlinux /boot/sub/k\noptions $opts ${opts} $not ${not} a\\;b\n"},
        {"/other", NULL},
        {0},
    };
    assert_boots(files, "/boot/sub/k /boot/sub/early1 /boot/sub/early2 /boot/a.img /boot/b.img "
                        "/boot/t.img: root=/dev/vda1 \"a b\"");
    files[8].text = "set blsdir=/other\nopts='x  y'\nblscfg\n";
    assert_boots(files, "/boot/sub/k: x y x y a;b");
    files[8].text = "blscfg non-default\n";
    assert_unknown(files, EOPNOTSUPP, "blscfg non-default");
}

/* A boot partition that fstab names. */
#define FSTAB                                                                                      \
    "UUID=AAAA / ext4 defaults 0 1\nUUID=\"bbbb\" /boot ext4 defaults 0 2\n"                       \
    "UUID=CCCC-DDDD /boot/efi vfat umask=0077 0 1\nUUID=eeee none swap sw 0 0\n"

static void paths_are_those_of_the_file_system_that_was_searched_for(void **state)
{
    (void)state;
    struct fake_file files[] = {
        {"/etc/fstab", FSTAB},
        {"/boot/grub/grub.cfg", ""},
        {"/boot/vmlinuz", "of the boot partition"},
        {"/vmlinuz", "of the root"},
        {"/boot/efi/vmlinuz", "of the ESP"},
        {0},
    };
    const struct {
        const char *cfg, *wanted;
    } good[] = {
        {"menuentry a { linux /vmlinuz ; }", "/boot/vmlinuz: "},
        {"menuentry a {\nsearch --fs-uuid --set=root bbbb\nlinux /vmlinuz\n}", "/boot/vmlinuz: "},
        {"menuentry a {\nsearch --fs-uuid --set=root BBBB\nlinux /vmlinuz\n}", "/boot/vmlinuz: "},
        {"menuentry a {\nsearch --fs-uuid --set=root aaaa\nlinux /vmlinuz\n}", "/vmlinuz: "},
        {"menuentry a {\nsearch --fs-uuid --set=x aaaa\nlinux ($x)/vmlinuz\n}", "/vmlinuz: "},
        {"menuentry a {\nsearch --fs-uuid --set=root cccc-dddd\nlinux /vmlinuz\n}",
         "/boot/efi/vmlinuz: "},
        {"menuentry a {\nsearch --file --set=root /grub/grub.cfg\nlinux /vmlinuz\n}",
         "/boot/vmlinuz: "},
        {"probe --set=u --fs-uuid $root\nmenuentry a { linux /vmlinuz $u ; }",
         "/boot/vmlinuz: bbbb"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        files[1].text = good[i].cfg;
        assert_boots(files, good[i].wanted);
    }
    const struct {
        const char *cfg, *reason;
    } bad[] = {
        {"menuentry a {\nsearch --fs-uuid --set=root ffff\nlinux /vmlinuz\n}", "UUID ffff"},
        {"menuentry a {\nsearch --label --set=root data\nlinux /vmlinuz\n}", "may be"},
        {"menuentry a {\nsearch --file --set=root /vmlinuz\nlinux /vmlinuz\n}",
         "one of several file systems"},
        {"menuentry a {\nset root=hd0,gpt7\nlinux /vmlinuz\n}", "may be"},
        {"menuentry a {\nloopback loop /x.iso\nlinux (loop)/vmlinuz\n}", "device loop"},
        {"menuentry a {\nsearch --fs-uuid --set=root aaaa\nlinux /boot/vmlinuz\n}", "covered"},
        {"menuentry a {\nlinux $cmdpath/vmlinuz\n}", "only the machine knows"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        files[1].text = bad[i].cfg;
        assert_unknown(files, EOPNOTSUPP, bad[i].reason);
    }
}

/* Without GRUB. */

#define SD_ENTRY(id, text)                                                                         \
    {                                                                                              \
        "/efi/loader/entries/" id ".conf", text                                                    \
    }

static void entries_that_are_no_linux_are_told(void **state)
{
    (void)state;
    const struct fake_file program[] = {
        SD_ENTRY("a", "title Memtest\nsort-key a\nefi /memtest.efi\n"),
        SD_ENTRY("b", "title Linux\nsort-key b\nlinux /k\n"),
        {"/efi/k", "k"},
        {0},
    };
    const struct fake_file unified[] = {
        SD_ENTRY("b", "title Linux\nlinux /k\n"),
        {"/efi/k", "k"},
        {"/efi/EFI/Linux", NULL},
        {0},
    };
    assert_unknown(program, ENOENT, "is no Linux: it runs /memtest.efi");
    assert_unknown(unified, EOPNOTSUPP, "/efi/EFI/Linux");
}

static void what_systemd_boot_passes_over_is_passed_over(void **state)
{
    (void)state;
    const struct fake_file files[] = {
        SD_ENTRY("z-9+0-3", "title tried too often\nversion 9\nlinux /k9\n"),
        SD_ENTRY("z-8", "title of another machine\nversion 8\narchitecture aa64\nlinux /k8\n"),
        SD_ENTRY("z-7+2-1", "title good\nversion 7\narchitecture X64\nlinux /k7\noptions a\n"),
        SD_ENTRY("z-6", "title older\nversion 6\nlinux /k6\n"),
        {"/efi/k9", "k"},
        {"/efi/k8", "k"},
        {"/efi/k7", "k"},
        {"/efi/k6", "k"},
        {0},
    };
    assert_boots(files, "/efi/k7: a");
}

static void what_does_not_exist_is_named(void **state)
{
    (void)state;
    const struct fake_file files[] = {
        SD_ENTRY("a", "linux /k\ninitrd /gone\n"), {"/efi/k", "k"}, {0}};
    assert_unknown(files, ENOENT, "an initrd of the default boot entry, /gone, does not exist");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_environment_block_on_the_esp_is_found_through_its_link),
        cmocka_unit_test(one_that_cannot_be_reached_leaves_no_answer),
        cmocka_unit_test(a_configuration_on_the_esp_is_read),
        cmocka_unit_test(blscfg_makes_the_commands_that_it_makes),
        cmocka_unit_test(paths_are_those_of_the_file_system_that_was_searched_for),
        cmocka_unit_test(entries_that_are_no_linux_are_told),
        cmocka_unit_test(what_systemd_boot_passes_over_is_passed_over),
        cmocka_unit_test(what_does_not_exist_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
