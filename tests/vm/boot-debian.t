#!/bin/bash
# The main job on real parts: a customized debian-12 boots to cloud-init-done by direct kernel, by
# SeaBIOS and by OVMF, and what kiln put into it is seen from inside.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1

ssh-keygen -q -t ed25519 -N '' -C test@kiln -f key
key=$(cut -d' ' -f2 key.pub)
ok 'debian-12 builds at 6G' "$kiln" build debian-12 -o web.img --size 6G --hostname web1 \
    --root-password random --ssh-inject root:file:key.pub
like "$out" 'Engine: native' 'without an appliance'
ok 'its file system is clean' fsck_clean web.img 3
ok 'its partition table is sound' sgdisk -v web.img
like "$out" 'No problems found' 'sgdisk finds no problem'

cat >user-data <<'END'
#cloud-config
runcmd:
  - [sh, -c, 'echo "inside: hostname=$(hostname) key=$(cut -d" " -f2 /root/.ssh/authorized_keys) size=$(df --output=size -BM / | tail -n 1 | tr -dc 0-9) sshd=$(systemctl is-active ssh)" >/dev/console']
END
ok 'a seed is made' "$kiln" seed -o seed.iso --user-data user-data --hostname web1

# tar reads only the data of a sparse file.
fingerprint() { tar -cSf - "$1" | sha256sum; }
before=$(fingerprint web.img)
for way in --direct-kernel '--firmware bios' '--firmware uefi'; do
    name=${way##*[ -]}
    # shellcheck disable=SC2086 # two words on purpose
    run "$kiln" boot web.img --seed seed.iso $way --timeout 12m --console-log "$name.log" --json --junit "$name.xml"
    is "$status" 0 "$name: boots"
    is "$(jq -r .verdict <<<"$out")" cloud-init-done "$name: cloud-init is done"
    [ "$status" -eq 0 ] || tail -n 20 "$name.log" | sed 's/^/# /'
    inside=$(grep -ao 'inside: .*' "$name.log" | tr -d '\r' | tail -n 1)
    like "$inside" 'hostname=web1 ' "$name: the hostname is seen from inside"
    is "$(sed -E 's/.* key=([^ ]*) .*/\1/' <<<"$inside")" "$key" "$name: the key is seen from inside"
    like "$inside" 'size=(5[5-9]|6)[0-9][0-9][0-9]* ' "$name: the root file system fills the disk"
    like "$inside" 'sshd=active' "$name: sshd runs"
    like "$(cat "$name.xml")" '<testsuite.*failures="0"' "$name: JUnit says so"
done
is "$(fingerprint web.img)" "$before" 'no boot changed the image'
finish
