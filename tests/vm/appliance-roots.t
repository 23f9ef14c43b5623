#!/bin/bash
# Which file systems the appliance engine takes for the guest: by its own rules on several disks with
# logical partitions, and by libguestfs's inspection where they do not tell.
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1

# tree NAME: the root of a small guest.
tree() {
    mkdir -p "$1"/{etc,usr/bin,usr/lib,boot,srv,mnt,backup,tmp,proc,sys,dev,run}
    ln -s usr/bin "$1/bin"
    printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12, several disks"\n' >"$1/etc/os-release"
    echo "$1" >"$1/etc/hostname"
    cp "$(readlink -f /bin/true)" "$1/usr/bin/sh"
}

tree several
root=11111111-2222-4333-8444-555555555555 data=0b51d0a4-7a8c-4cd0-9a5c-2a0e4f1d6c11
cat >several/etc/fstab <<END
UUID=$root / ext4 defaults 0 1
/dev/vda1 /boot ext4 defaults,nofail,x-systemd.automount,noauto 0 2
PARTUUID=$data /srv ext4 x-initrd.mount 0 2
LABEL=absent /mnt ext4 nofail 0 2
/dev/vdb2 /backup ext4 noauto 0 2
/boot /mnt none bind 0 0
END
truncate -s 64M first.img second.img
sfdisk -q first.img <<<$'label: dos\nstart=2048, size=16MiB\nstart=34816, type=5\nstart=40960, size=32MiB'
sfdisk -q second.img <<<$'label: gpt\nstart=1MiB, size=16MiB, uuid='"$data"$'\nstart=17MiB, size=16MiB'
part first.img 1 16 -L boot
part first.img 20 32 -U $root -d several
part second.img 1 16
part second.img 17 16
ok 'a guest of two disks' "$kiln" customize -v -a first.img -a second.img --engine appliance \
    --write /etc/here:root --write /boot/here:boot --write /srv/here:srv --write /mnt/here:mnt --write /backup/here:backup
like "$out$err" 'Engine: appliance' 'by the appliance'
unlike "$out$err" 'inspected by libguestfs' 'without inspection by libguestfs'
is "$(cat_at first.img 20 /etc/here)" root 'the root is the logical partition'
is "$(cat_at first.img 1 /here)" boot '/boot is on its own partition'
is "$(cat_at second.img 1 /here)" srv '/srv is on the second disk'
is "$(cat_at first.img 20 /mnt/here)$(cat_at first.img 20 /backup/here)" mntbackup \
    'what is absent, bound or not mounted at boot stays a directory'

# A BSD, as far as libguestfs looks.
mkdir -p bsd/{etc,bin}
touch bsd/etc/freebsd-update.conf
echo '/dev/ada0p2 / ufs rw 1 1' >bsd/etc/fstab
rm -f bsd.img
mke2fs -q -t ext4 -d bsd bsd.img 16M >/dev/null
run "$kiln" customize -v -n -a bsd.img --engine appliance --write /etc/here:bsd
is "$status" 0 'a root of another kind is found'
[ "$status" -eq 0 ] || show | sed 's/^/# /'
like "$out$err" 'inspected by libguestfs, since .*freebsd-update' 'and it is told that libguestfs found it'

truncate -s 48M both.img
sfdisk -q both.img <<<$'label: gpt\nstart=1MiB, size=20MiB\nstart=21MiB, size=20MiB'
for offset in 1 21; do part both.img $offset 20 -d several; done
fails 1 'several operating systems' 'two roots are refused' \
    "$kiln" customize -a both.img --engine appliance --write /etc/here:both
like "$err" '/dev/sda1.*/dev/sda2' 'and named'
finish
