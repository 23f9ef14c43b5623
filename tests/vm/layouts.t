#!/bin/bash
# The appliance engine on guests whose fstab does not tell all: a /usr of its own, several systems.
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1

# A /usr of its own that no fstab names, once on the disk and once missing.
mkdir -p split/{etc,usr} split-usr/{bin,lib,share}
ln -s usr/bin split/bin
echo "LABEL=absent /srv ext4 nofail 0 0" >split/etc/fstab
cp "$(readlink -f /bin/true)" split-usr/bin/sh
for kind in 8484680c-9521-48c6-9c11-b0720656f69e 0fc63daf-8483-4772-8e79-3d69d8477de4; do
    truncate -s 0 split.img
    truncate -s 40M split.img
    sfdisk -q split.img <<<$'label: gpt\nstart=1MiB, size=16MiB, type='"$kind"$'\nstart=17MiB, size=16MiB'
    part split.img 1 16 -d split-usr
    part split.img 17 16 -d split
    run "$kiln" customize -v -a split.img --engine appliance --write /etc/here:root --write /usr/here:usr
    if [ "${kind%%-*}" = 8484680c ]; then
        is "$status" 0 'a guest whose /usr is found by the type of its partition'
        is "$(cat_at split.img 1 /here)$(cat_at split.img 17 /etc/here)" usrroot 'what is written below /usr is there'
    else
        is "$status" 1 'a guest whose /usr is not found'
        like "$err" 'nothing can be changed below /usr: .*no file system for it was found' 'and the reason'
        is "$(cat_at split.img 17 /etc/here)" "" 'and nothing was changed'
    fi
done

mkdir -p root/{etc,usr/bin}
ln -s usr/bin root/bin
echo ID=debian >root/etc/os-release
truncate -s 48M both.img
sfdisk -q both.img <<<$'label: gpt\nstart=1MiB, size=20MiB\nstart=21MiB, size=20MiB'
for offset in 1 21; do part both.img $offset 20 -d root; done
ok 'one of two systems is chosen' "$kiln" customize -a both.img --engine appliance --root /dev/sda2 --write /etc/chosen:second
is "$(cat_at both.img 21 /etc/chosen)" second 'and it is the one that changes'
finish
