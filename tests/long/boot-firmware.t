#!/bin/bash
# A customized debian-12 boots to cloud-init-done by SeaBIOS and by OVMF, and what kiln put into it is
# seen from inside (by direct kernel: tests/vm/boot-debian.t); a cloud-init that fails is told.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1

ssh-keygen -q -t ed25519 -N '' -C test@kiln -f key
key=$(cut -d' ' -f2 key.pub)
ok 'debian-12 builds at 6G' "$kiln" build debian-12 -o web.img --size 6G --hostname web1 \
    --root-password random --ssh-inject root:file:key.pub

cat >user-data <<'END'
#cloud-config
runcmd:
  - [sh, -c, 'echo "inside: hostname=$(hostname) key=$(cut -d" " -f2 /root/.ssh/authorized_keys) size=$(df --output=size -BM / | tail -n 1 | tr -dc 0-9) sshd=$(systemctl is-active ssh)" >/dev/console']
END
ok 'a seed is made' "$kiln" seed -o seed.iso --user-data user-data --hostname web1

# tar reads only the data of a sparse file.
fingerprint() { tar -cSf - "$1" | sha256sum; }
before=$(fingerprint web.img)
for name in bios uefi; do
    run "$kiln" boot web.img --seed seed.iso --firmware $name --timeout 30m --console-log "$name.log" --json --junit "$name.xml"
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

# A module that fails is named, with its error.
printf '#cloud-config\nruncmd:\n  - [sh, -c, "exit 7"]\n' >bad-data
"$kiln" seed -q -o bad.iso --user-data bad-data --hostname web1
run "$kiln" boot web.img --seed bad.iso --engine qemu --timeout 30m --json --console-log bad.log
is "$(jq -r .verdict <<<"$out")" cloud-init-failed 'a module that fails is a failure'
like "$(jq -r .reason <<<"$out")" 'modules-final.*scripts[-_]user.*Runparts: 1 failures' 'which is named, with its error'
finish
