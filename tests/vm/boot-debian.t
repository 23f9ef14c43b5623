#!/bin/bash
# The main job on real parts: a customized debian-12 boots to cloud-init-done by direct kernel, and what kiln
# put into it is seen from inside. The one boot waits for all that a boot may wait for: cloud-init's
# end, a console line, a port of the guest, and a command inside, whose outcome and output come back. By the firmwares, and
# with a cloud-init that fails: tests/long/boot-firmware.t.
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
  - [sh, -c, 'echo "left by runcmd" >/root/proof']
  - [sh, -c, 'exit 0']
END
# Vendor-data of its own must run as well.
printf '#!/bin/sh\necho "left by vendor-data" >>/root/vendor\n' >vendor-data
ok 'a seed is made' "$kiln" seed -q -o seed.iso --user-data user-data --vendor-data vendor-data --hostname web1
cat >inside <<'END'
cat /root/proof /root/vendor
echo "hostname=$(hostname) size=$(df --output=size -BM / | tail -n 1 | tr -dc 0-9) sshd=$(systemctl is-active ssh)"
cut -d' ' -f2 /root/.ssh/authorized_keys
echo "it's $(hostname)" >&2
exit 3
END

# tar reads only the data of a sparse file.
fingerprint() { tar -cSf - "$1" | sha256sum; }
before=$(fingerprint web.img)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
run "$kiln" boot web.img --seed seed.iso --engine qemu --direct-kernel --timeout 30m --json --junit boot.xml \
    --console-log boot.log --run "$(<inside)" --wait-for 'web1 login: $' --forward "$port:22" --wait-port 22
is "$status" 1 'a command that fails inside makes the boot a failure'
[ -n "$(jq -r '.run.exit_status // empty' <<<"$out")" ] || { tail -n 20 boot.log; printf '%s\n' "$err"; } | sed 's/^/# /'
is "$(jq -r .verdict <<<"$out")" cloud-init-done 'though cloud-init is done'
is "$(jq -r .run.exit_status <<<"$out")" 3 'its exit status comes back'
mapfile -t words <<<"$(jq -r .run.stdout <<<"$out")"
is "${words[0]:-}, ${words[1]:-}" 'left by runcmd, left by vendor-data' "its output, after the user's own commands have run"
like "${words[2]:-}" 'hostname=web1 ' 'the hostname is seen from inside'
like "${words[2]:-}" 'size=(5[5-9]|6)[0-9][0-9][0-9]* ' 'the root file system fills the disk'
like "${words[2]:-}" 'sshd=active' 'sshd runs'
is "${words[3]:-}" "$key" 'the key is seen from inside'
is "${#words[@]}" 4 'and nothing else comes back'
is "$(jq -r .run.stderr <<<"$out")" "it's web1" 'and its errors'
like "$(jq -r .cloud_init.datasource <<<"$out")" 'NoCloud' "cloud-init's status comes back"
is "$(jq -r '.cloud_init.errors | length' <<<"$out")" 0 'without errors'
like "$(cat boot.xml)" '<failure type="command-failed"' 'JUnit says what failed'
is "$(jq -r .image_unchanged <<<"$out")" true 'the image is unchanged'
is "$(fingerprint web.img)" "$before" 'as its bytes show'
finish
