#!/bin/bash
# An encrypted guest: LVM on LUKS2 with its root, and a second LUKS2 device with a key of its own
# below /srv, as fstab names it. The right keys open both; wrong and missing ones are told with the
# remedy, and no key is ever seen again.
. "$(dirname "$0")/../cli/lib.sh"
script=$(readlink -f "$0")
cd "$tmp" || exit 1

printf 'root key: with colons' >root.key
printf 'second line is no part of it\nof it\n' >srv.key
head -n 1 srv.key | tr -d '\n' >srv.pass

# One encrypted partition: PARTITION-FILE KEY-FILE. Few rounds: the processor is an emulated one.
format_luks() {
    truncate -s 40M "$1"
    cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "$1" "$2"
}

make_tree() {
    mkdir -p tree/{etc,usr/bin,usr/lib,boot,root,srv,tmp,var/log,proc,sys,dev,run,home}
    ln -s usr/bin tree/bin
    ln -s usr/lib tree/lib
    cp "$(readlink -f /bin/true)" tree/usr/bin/sh
    printf 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12, locked"\n' \
        >tree/etc/os-release
    echo 12.0 >tree/etc/debian_version
    echo before >tree/etc/hostname
    echo '127.0.0.1 localhost' >tree/etc/hosts
    echo 'root:x:0:0:root:/root:/bin/sh' >tree/etc/passwd
    echo 'root:*:19000:0:99999:7:::' >tree/etc/shadow
    echo 'root:x:0:' >tree/etc/group
    printf '/dev/safe/root / ext4 defaults 0 1\n/dev/mapper/luks-%s /srv ext4 defaults 0 2\n' \
        "$1" >tree/etc/fstab
    tar -C tree --owner=0 --group=0 --numeric-owner -cf tree.tar .
}

make_disk() {
    format_luks root.part root.key
    format_luks srv.part srv.pass
    truncate -s 84M "$1"
    printf 'start=2048, size=40MiB\nstart=43MiB, size=40MiB\n' | sfdisk -q --label gpt "$1"
    dd if=root.part of="$1" bs=1M seek=1 conv=notrunc,sparse status=none
    dd if=srv.part of="$1" bs=1M seek=43 conv=notrunc,sparse status=none
    make_tree "$(cryptsetup luksUUID srv.part)"
    timeout 600 guestfish --keys-from-stdin --format=raw -a "$1" <<END
run
cryptsetup-open /dev/sda1 one
$(cat root.key)
cryptsetup-open /dev/sda2 two
$(cat srv.pass)
pvcreate /dev/mapper/one
vgcreate safe /dev/mapper/one
lvcreate root safe 16
mkfs ext4 /dev/safe/root
mkfs ext4 /dev/mapper/two
mount /dev/safe/root /
tar-in tree.tar /
mount /dev/mapper/two /srv
write /srv/there before
umount-all
END
}

# Made once; the name tells when this script has changed.
made=$test_cache/images/luks-$(sha256sum <"$script" | cut -c1-16).img
if [ ! -f "$made" ]; then
    mkdir -p "$test_cache/images"
    make_disk new.img >make.log 2>&1 && cp --sparse=always new.img "$made.$$" && mv "$made.$$" "$made" ||
        { sed 's/^/# /' make.log; echo 'Bail out! the encrypted guest cannot be made'; exit 1; }
fi
cp --sparse=always "$made" disk.img
whole=$(sha256sum <disk.img)
uuid=$(dd if=disk.img bs=1M skip=43 count=16 status=none >head.part && cryptsetup luksUUID head.part)

# Without a terminal, nobody is asked.
quietly() { timeout 600 setsid -w "$@"; }

fails 1 'no operating system was found, and /dev/sda1 is encrypted' 'a missing key is told' \
    quietly "$kiln" inspect disk.img
like "$err" '--key /dev/sda1:file:FILENAME' 'with the remedy'

fails 1 'sda2.*none of the keys that were given opens it' 'a wrong key for one of two is told' \
    quietly "$kiln" customize -v -x -a disk.img --key /dev/sda1:file:root.key \
    --key "$uuid:key:wrong words" --write /etc/never:x
like "$err" 'right passphrase' 'with the remedy'
unlike "$out$err" 'root key|wrong words' 'and no key is shown'
is "$(sha256sum <disk.img)" "$whole" 'the image is unchanged'

ok 'the right keys open both devices' quietly "$kiln" customize --json -v -x -a disk.img \
    --key "all:key:$(cat root.key)" --key "$uuid:file:srv.key" \
    --hostname after.example.org --write /srv/here:opened
is "$(jq -r .engine <<<"$out")" appliance 'by the appliance'
unlike "$out$err" 'root key|second line' 'and no key is shown'
unlike "$(sha256sum <disk.img)" "$whole" 'the image has changed'

printf '%s\n%s\n' "$(cat root.key)" "$(cat srv.pass)" >both
ask() { quietly "$kiln" customize -n --diff disk.img --keys-from-stdin --append-line /srv/here:more <both; }
run() {
    "$@" >"$tmp/.out" 2>"$tmp/.err"
    status=$?
    out=$(<"$tmp/.out") err=$(<"$tmp/.err")
}
ok 'keys from standard input, one a line' ask
like "$out" '\+opened.*\+more' 'and what was written before is there'
finish
