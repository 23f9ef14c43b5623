/* What fstab's lines mean on the disks of a guest, and what a root file system is known by. */
#include "tests/unit/guest/fake.h"

#include "guest/inspect/fstab.h"
#include "guest/inspect/root.h"
#include "guest/inspect/volume.h"
#include "guest/keys.h"

/* Two disks, LVM, and an encrypted device that was opened. */
static struct volume items[] = {
    {.device = "/dev/sda1", .disk = 0, .number = 1, .type = "ext", .uuid = "aa", .label = "boot"},
    {.device = "/dev/sda5", .disk = 0, .number = 5, .type = "LVM2_member"},
    {.device = "/dev/sdb1",
     .disk = 1,
     .number = 1,
     .type = "xfs",
     .part_uuid = "0badcafe-01",
     .part_label = "data"},
    {.device = "/dev/sdc", .disk = 2, .type = "btrfs", .uuid = "bb"},
    {.device = "/dev/vg-one/ro-ot", .disk = VOLUME_NO_DISK, .type = "xfs"},
    {.device = "/dev/mapper/luks-1234", .disk = VOLUME_NO_DISK, .type = "ext"},
};
static const struct volumes guest_volumes = {.items = items, .count = ARRAY_SIZE(items)};

static void names_of_fstab_are_those_of_the_guests_disks(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *device; /* NULL: none */
    } names[] = {
        {"UUID=AA", "/dev/sda1"},
        {"LABEL=\"boot\"", "/dev/sda1"},
        {"LABEL='boot'", "/dev/sda1"},
        {"UUID=\"aa\"", "/dev/sda1"},
        {"UUID=\"aa'", NULL},
        {"ID=ata-DISK-part5", "/dev/sda5"},
        {"PARTUUID=0BADCAFE-01", "/dev/sdb1"},
        {"PARTLABEL=data", "/dev/sdb1"},
        {"/dev/disk/by-uuid/bb", "/dev/sdc"},
        {"/dev/disk/by-partlabel/d\\x61ta", "/dev/sdb1"},
        {"/dev/vda1", "/dev/sda1"},
        {"/dev/vda5", "/dev/sda5"},
        {"/dev/xvdb1", "/dev/sdb1"},
        {"/dev/hdc", "/dev/sdc"},
        {"/dev/nvme0n1p5", "/dev/sda5"},
        {"/dev/nvme1n1p1", "/dev/sdb1"},
        {"/dev/nvme2n1", "/dev/sdc"},
        {"/dev/mmcblk1p1", "/dev/sdb1"},
        {"/dev/cciss/c0d1p1", "/dev/sdb1"},
        {"/dev/disk/by-id/ata-DISK-part5", "/dev/sda5"},
        {"/dev/vg-one/ro-ot", "/dev/vg-one/ro-ot"},
        {"/dev/mapper/vg--one-ro--ot", "/dev/vg-one/ro-ot"},
        {"/dev/mapper/luks-1234", "/dev/mapper/luks-1234"},
        {"/dev/sda", NULL},
        {"/dev/sda2", NULL},
        {"/dev/sdd1", NULL},
        {"/dev/sdaa1", NULL},
        {"/dev/sdb1x", NULL},
        {"/dev/nvme0n2p1", NULL},
        {"/dev/nvme0n1x5", NULL},
        {"/dev/mapper/vg-one-ro-ot", NULL},
        {"/dev/sd", NULL},
        {"UUID=", NULL},
        {"server:/export", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const struct volume *found = volumes_find(&guest_volumes, names[i].spec);
        const char *device = found ? found->device : "none";
        if (strcmp(device, names[i].device ? names[i].device : "none") != 0)
            fail_msg("%s: %s", names[i].spec, device);
    }
}

static void only_what_the_guest_mounts_by_itself_is_mounted(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool mounted;
        const char *subvolume;
    } lines[] = {
        {"UUID=a / ext4", true, ""},
        {"UUID=a /boot/efi vfat umask=0077,nofail", true, ""},
        {"UUID=a /home btrfs rw,subvol=@/home,compress=zstd", true, "subvol=@/home"},
        {"UUID=a /srv btrfs subvolid=257", true, "subvolid=257"},
        {"UUID=a /efi vfat noauto,x-systemd.automount", true, ""},
        {"UUID=a /usr xfs x-initrd.mount", true, ""},
        {"UUID=a /device auto", true, ""},
        {"UUID=a /backup xfs noauto", false, ""},
        {"UUID=a /backup xfs noauto,auto", true, ""},
        {"UUID=a /backup xfs auto,noauto", false, ""},
        {"UUID=a /efi vfat noauto,comment=systemd.automount", true, ""},
        {"UUID=a /efi vfat x-systemd.automount,x-systemd.idle-timeout=1,nofail # x", true, ""},
        {"UUID=a /srv ext4 context=\"system_u:object_r:t:s0:c1,noauto,c2\",defaults", true, ""},
        {"UUID=a /srv ext4 defaults # noauto", true, ""},
        {"UUID=a /srv btrfs subvol=a,subvol=b\\040c", true, "subvol=b c"},
        {"UUID=a /srv btrfs no\\141uto", false, ""},
        {"/swap\\040file none swap sw,pri=5", false, ""},
        {"overlay /etc overlay lowerdir=/etc,upperdir=/u,workdir=/w", false, ""},
        {"/a /b none defaults,bind,x-systemd.requires-mounts-for=/c", false, ""},
        {"/srv/a /srv/b none bind", false, ""},
        {"/srv/a /srv/b auto rbind", false, ""},
        {"/dev/sda2 none swap sw", false, ""},
        {"server:/export /net nfs", false, ""},
        {"tmpfs /tmp tmpfs", false, ""},
        {"sshfs#a /remote fuse.sshfs", false, ""},
        {"UUID=a /dev/shm ext4", false, ""},
        {"UUID=a /proc auto", false, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        _cleanup_fstab_ struct fstab fstab = {0};
        assert_ok(fstab_parse(lines[i].line, &fstab, err));
        assert_int_equal(fstab.count, 1);
        _cleanup_free_ char *subvolume = fstab_subvolume(&fstab.items[0], NULL);
        if (fstab_is_mounted(&fstab.items[0]) != lines[i].mounted ||
            strcmp(subvolume, lines[i].subvolume) != 0)
            fail_msg("%s: %d, '%s'", lines[i].line, fstab_is_mounted(&fstab.items[0]), subvolume);
    }
}

static bool looks_like_root(const struct fake_file *files)
{
    struct fake_guest fake = fake_guest(files);
    return guest_looks_like_root(&fake.guest);
}

static void roots_are_known_by_their_files(void **state)
{
    (void)state;
    /* Links into a /usr that is not mounted yet lead nowhere. */
    const struct fake_file merged[] = {
        {"/etc", NULL}, {"/etc/os-release", LINK "/usr/x"}, {"/bin", LINK "/usr/bin"}, {0}};
    const struct fake_file old[] = {
        {"/etc", NULL}, {"/etc/hosts", "::1 localhost"}, {"/bin", NULL}, {0}};
    const struct fake_file boot[] = {{"/grub2", NULL}, {"/grub2/grub.cfg", ""}, {0}};
    const struct fake_file local[] = {{"/etc", NULL}, {"/bin", NULL}, {"/share", NULL}, {0}};
    const struct fake_file only_etc[] = {{"/etc", NULL}, {"/etc/fstab", ""}, {0}};
    assert_true(looks_like_root(merged));
    assert_true(looks_like_root(old));
    assert_false(looks_like_root(boot));
    assert_false(looks_like_root(local));
    assert_false(looks_like_root(only_etc));
}

static void one_device_has_two_names(void **state)
{
    (void)state;
    assert_true(guest_same_device("/dev/mapper/rhel-root", "/dev/rhel/root"));
    assert_true(guest_same_device("/dev/rhel/root", "/dev/rhel/root"));
    assert_false(guest_same_device("/dev/mapper/rhel-root", "/dev/rhel/root2"));
    assert_false(guest_same_device("/dev/mapper/rhel--root", "/dev/rhel/root"));
    assert_false(guest_same_device("/dev/rhel-root", "/dev/rhel/root"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_fstab_are_those_of_the_guests_disks),
        cmocka_unit_test(only_what_the_guest_mounts_by_itself_is_mounted),
        cmocka_unit_test(roots_are_known_by_their_files),
        cmocka_unit_test(one_device_has_two_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
