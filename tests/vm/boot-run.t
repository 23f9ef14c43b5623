#!/bin/bash
# What a boot may wait for, all of it in one: cloud-init's end, a console line, a port of the guest, and a
# command inside, whose outcome and output come back. On real parts, by QEMU.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1

ok 'debian-12 builds' "$kiln" build -q debian-12 -o web.img --hostname web1
cat >user-data <<'END'
#cloud-config
runcmd:
  - [sh, -c, 'echo "left by runcmd" >/root/proof']
  - [sh, -c, 'exit 0']
END
# Vendor-data of its own must run as well.
printf '#!/bin/sh\necho "left by vendor-data" >>/root/vendor\n' >vendor-data
ok 'a seed is made' "$kiln" seed -q -o seed.iso --user-data user-data --vendor-data vendor-data --hostname web1
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
run "$kiln" boot web.img --seed seed.iso --engine qemu --timeout 20m --json --junit boot.xml --console-log boot.log \
    --run "cat /root/proof /root/vendor; echo \"it's \$(hostname)\" >&2; exit 3" \
    --wait-for 'web1 login: $' --forward "$port:22" --wait-port 22
is "$status" 1 'a command that fails inside makes the boot a failure'
[ -n "$(jq -r '.run.exit_status // empty' <<<"$out")" ] || { tail -n 20 boot.log | sed 's/^/# /'; printf '%s\n' "$err" | sed 's/^/# /'; }
is "$(jq -r .verdict <<<"$out")" cloud-init-done 'though cloud-init is done'
is "$(jq -r .run.exit_status <<<"$out")" 3 'its exit status comes back'
is "$(jq -r .run.stdout <<<"$out")" $'left by runcmd\nleft by vendor-data' "its output, after the user's own commands have run"
is "$(jq -r .run.stderr <<<"$out")" "it's web1" 'and its errors'
like "$(jq -r .cloud_init.datasource <<<"$out")" 'NoCloud' "cloud-init's status comes back"
is "$(jq -r '.cloud_init.errors | length' <<<"$out")" 0 'without errors'
like "$(cat boot.xml)" '<failure type="command-failed"' 'JUnit says what failed'
is "$(jq -r .image_unchanged <<<"$out")" true 'the image is unchanged'

# A module that fails is named, with its error.
printf '#cloud-config\nruncmd:\n  - [sh, -c, "exit 7"]\n' >bad-data
"$kiln" seed -q -o bad.iso --user-data bad-data --hostname web1
run "$kiln" boot web.img --seed bad.iso --engine qemu --timeout 20m --json --console-log bad.log
is "$(jq -r .verdict <<<"$out")" cloud-init-failed 'a module that fails is a failure'
like "$(jq -r .reason <<<"$out")" 'modules-final.*scripts[-_]user.*Runparts: 1 failures' 'which is named, with its error'
finish
