#!/bin/bash
# File systems that are damaged, or made to do harm, behind valid checksums: no endless work, and
# nothing written where something else lies.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1

mkdir -p tree/{etc,usr/bin,usr/lib,root,srv/deep/a}
printf 'ID=debian\nVERSION_ID="12"\n' >tree/usr/lib/os-release
echo root:x:0:0:root:/root:/bin/sh >tree/etc/passwd
make_image() { mke2fs -q -t ext4 "$@" -d tree disk.img 16M >/dev/null 2>&1; }
unchanged() { is "$(sha256sum <disk.img)" "$before" "$1"; }

# 40 levels, each of which names the next one twice: 2^40 paths.
at=srv/deep/a
for ((level = 1; level < 40; level++)); do
    at+=/a
    mkdir "tree/$at"
done
make_image
at=/srv/deep/a
for ((level = 1; level < 40; level++)); do
    echo "ln $at/a $at/b"
    at+=/a
done | debugfs -w -f - disk.img >/dev/null 2>&1
before=$(sha256sum <disk.img)
fails 1 'has another name as well.*e2fsck' 'sysprep ends where directories are linked into each other' \
    timeout 60 "$kiln" sysprep -q disk.img --operations backup-files --engine native
unchanged 'and changes nothing'
fails 1 'has another name as well' 'so does a copy of such a tree' \
    timeout 60 "$kiln" customize -q disk.img --copy /srv/deep:/root --engine native
unchanged 'and changes nothing'
rm -r tree/srv

# Bits that say "free" against the count of their group. Without checksums nothing else tells.
make_image -O ^metadata_csum,^uninit_bg
table=$(dumpe2fs disk.img 2>/dev/null | grep -oPm1 'Inode table at \K\d+')
debugfs -w -R "freeb $table 8" disk.img >/dev/null 2>&1
debugfs -w -R "set_bg 0 free_blocks_count 1" disk.img >/dev/null 2>&1
before=$(sha256sum <disk.img)
fails 1 'free blocks by its bitmap and 1 by its descriptor.*e2fsck' 'a bitmap that disagrees with its count is refused' \
    "$kiln" customize -q disk.img --write /etc/motd:hello --engine native
unchanged 'and nothing is written'

make_image -O ^metadata_csum,^uninit_bg
debugfs -w -R "set_bg 0 free_inodes_count 1" disk.img >/dev/null 2>&1
before=$(sha256sum <disk.img)
fails 1 'free inodes by its bitmap and 1 by its descriptor' 'the same for inodes' \
    "$kiln" customize -q disk.img --write /etc/motd:hello --engine native
unchanged 'and nothing is written'

make_image
ok 'a sound one is edited' "$kiln" customize -q disk.img --write /etc/motd:hello --engine native
ok 'and stays sound' e2fsck -fn disk.img
finish
