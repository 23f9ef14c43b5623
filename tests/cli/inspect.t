#!/bin/bash
# kiln inspect: what is told about guests of several layouts, without an appliance.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1

mkdir -p root/{etc,usr/bin,home}
ln -s usr/bin root/bin
echo 'Red Hat Enterprise Linux Server release 6.5 (Santiago)' >root/etc/redhat-release
mkdir root/etc/sysconfig
echo HOSTNAME=old.example.org >root/etc/sysconfig/network
echo 'LABEL=data /home ext4 defaults 0 2
/dev/sda3 swap swap sw 0 0' >root/etc/fstab
truncate -s 80M disk.img
sfdisk -q disk.img <<<$'label: gpt\nstart=1MiB, size=20MiB\nstart=21MiB, size=20MiB\nstart=41MiB, size=8MiB\nstart=49MiB, size=8MiB'
part disk.img 1 20 -L root -d root
part disk.img 21 20 -L data
truncate -s 8M part.swap
mkswap -L swapspace part.swap >/dev/null
dd if=part.swap of=disk.img bs=1M seek=41 conv=notrunc status=none

ok 'inspect of a disk with several file systems' "$kiln" inspect --json disk.img
like "$(jq -c '.filesystems[] | [.device, .type, .label, .size, .mountpoints]' <<<"$out")" \
    '"/dev/sda1","ext4","root",20971520,\["/"\]' 'the root and where it is mounted'
like "$(jq -c '.filesystems[] | [.device, .type, .label, .mountpoints]' <<<"$out")" \
    '"/dev/sda2","ext4","data",\["/home"\]' 'a file system that fstab names'
like "$(jq -c '.filesystems[] | [.device, .type, .label, .mountpoints]' <<<"$out")" \
    '"/dev/sda3","swap","swapspace",\[\]' 'swap'
is "$(jq -r '[.os.distro, .os.version, .os.hostname, .os.package_manager, .os.osinfo] | join(" ")' <<<"$out")" \
    'rhel 6.5 old.example.org yum rhel6.5' 'a system without os-release'
is "$(jq -c .disks <<<"$out")" '["disk.img"]' 'the disks'
is "$(jq .windows <<<"$out")" null 'no Windows'

ok 'the same in words, with -a' "$kiln" inspect -a disk.img
like "$out" 'Volumes +/dev/sda1, ext4, 20.0M, label root, on /' 'volumes'
like "$out" ' +/dev/sda2, ext4, 20.0M, label data, on /home' 'one a line'
fails 2 'no disk is named' 'no disk' "$kiln" inspect
fails 2 'unknown root' 'a root that is none' "$kiln" inspect --root last disk.img
fails 1 'disks elsewhere' 'a disk elsewhere' "$kiln" inspect -a https://example.org/disk.img

# A second system.
part disk.img 49 8 -d root
fails 1 'several operating systems: on /dev/sda1 .*, /dev/sda4' 'two systems, and nobody to ask' \
    setsid "$kiln" inspect disk.img
ok 'the second of them' "$kiln" inspect --root /dev/sda4 --json disk.img
is "$(jq -r .root.device <<<"$out")" /dev/sda4 'is told'
finish
