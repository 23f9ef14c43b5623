#!/bin/bash
# kiln seed: the image as foreign readers and cloud-init itself see it, the checks, the streams.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1

# isoinfo is not libarchive, and reads Rock Ridge (-R) and Joliet (-J) apart.
seed_cat() { isoinfo -R -i "$1" -x "/$2"; }
seed_names() { isoinfo "${2:--R}" -f -i "$1" | sort | tr -d '\n'; }

cat >user.yaml <<'EOF'
#cloud-config
packages: [vim]
write_files:
  - path: /etc/motd
    content: "caf\u00e9"
EOF
printf '#cloud-config\r\ntimezone: UTC\r\n' >vendor.yaml
printf 'version: 2\nethernets:\n  any:\n    match: {name: "en*"}\n    dhcp4: true\n' >net.yaml
ssh-keygen -q -t ed25519 -N '' -C 'ann "the \ one"@host' -f id
ssh-keygen -q -t ecdsa -N '' -C bob -f id2

# What is in the image
ok 'a seed of everything' "$kiln" seed -o seed.iso --user-data user.yaml --vendor-data vendor.yaml \
    --network-config net.yaml --hostname web1.example.com --ssh-key id.pub --ssh-key id2.pub
id=$(sed -n 's/^Instance-id: //p' <<<"$out")
like "$id" '^iid-[0-9a-f]{32}$' 'it prints a fresh instance-id'
like "$out" 'SSH keys: 2' 'and how many keys it took'
is "$(blkid -p -s LABEL -s TYPE -o value seed.iso | paste -sd' ')" 'cidata iso9660' \
    'blkid sees the label that cloud-init looks for'
is "$(seed_names seed.iso)" '/meta-data/network-config/user-data/vendor-data' 'the names in Rock Ridge'
is "$(seed_names seed.iso -J)" '/meta-data/network-config/user-data/vendor-data' 'the names in Joliet'
ok 'user-data is unchanged' cmp user.yaml <(seed_cat seed.iso user-data)
ok 'vendor-data is unchanged, CRLF and all' cmp vendor.yaml <(seed_cat seed.iso vendor-data)
ok 'network-config is unchanged' cmp net.yaml <(seed_cat seed.iso network-config)
listing=$(isoinfo -R -l -i seed.iso)
like "$listing" '-rw-r--r-- +1? *[0-9]* +0 +0 +[0-9]+ Jan +1 2000' 'files belong to root, dates are pinned'

# cloud-init's own reader
cat >read.py <<'EOF'
import json, logging, os, sys
from cloudinit import helpers
from cloudinit.sources.DataSourceNoCloud import DataSourceNoCloud
from cloudinit.user_data import UserDataProcessor
logging.disable(logging.CRITICAL)
paths = helpers.Paths({"cloud_dir": sys.argv[1], "run_dir": sys.argv[1]})
source = DataSourceNoCloud({"datasource": {"NoCloud": {"fs_label": None}}}, None, paths)
source.ds_cfg = {"fs_label": None}
assert source._get_data(), "no data"
parts = [p.get_content_type() for p in UserDataProcessor(paths).process(source.userdata_raw).walk()]
meta = dict(source.metadata)
meta.pop("dsmode", None)
print(json.dumps({"meta": meta, "keys": source.get_public_ssh_keys(), "parts": parts[1:],
                  "network": source.network_config, "vendor": len(source.vendordata_raw)},
                 sort_keys=True))
EOF
cloud_init_sees() {
    local dir=$tmp/seen.$RANDOM name
    mkdir -p "$dir/seed/nocloud"
    for name in $(isoinfo -R -f -i "$1"); do seed_cat "$1" "${name#/}" >"$dir/seed/nocloud/$name"; done
    /usr/bin/python3 read.py "$dir"
}
if /usr/bin/python3 -c 'import cloudinit' 2>/dev/null; then
    seen=$(cloud_init_sees seed.iso)
    is "$(jq -r '.meta["instance-id"], .meta["local-hostname"]' <<<"$seen" | paste -sd' ')" \
        "$id web1.example.com" 'cloud-init reads instance-id and host name'
    is "$(jq -r '.keys[]' <<<"$seen")" "$(cat id.pub id2.pub)" 'cloud-init reads the keys'
    is "$(jq -c '[.parts, .network.version, .vendor]' <<<"$seen")" '[["text/cloud-config"],2,30]' \
        'cloud-init takes user-data for cloud-config, and reads network-config and vendor-data'
    run "$kiln" seed -o bare.iso
    like "$(cloud_init_sees bare.iso)" '"parts": \["text/cloud-config"\]' 'cloud-init reads a bare seed'
else
    for what in identity keys documents 'a bare seed'; do
        skip "cloud-init reads $what" 'the package cloud-init is not installed'
    done
fi
if command -v cloud-localds >/dev/null && /usr/bin/python3 -c 'import cloudinit' 2>/dev/null; then
    cloud-localds -H web1 -N net.yaml -V vendor.yaml theirs.iso user.yaml
    run "$kiln" seed -o ours.iso --hostname web1 --network-config net.yaml --vendor-data vendor.yaml \
        --user-data user.yaml --instance-id iid-local01
    theirs=$(cloud_init_sees theirs.iso)
    is "$(cloud_init_sees ours.iso)" "${theirs:-nothing}" \
        'cloud-init sees the same as in the image of cloud-localds'
    is "$(seed_names ours.iso)" "$(seed_names theirs.iso)" 'with the same files'
else
    skip 'the same as cloud-localds' 'cloud-localds or cloud-init is not installed'
    skip 'with the same files' 'cloud-localds or cloud-init is not installed'
fi

# Reproducible
run "$kiln" seed -o one.iso --user-data user.yaml --instance-id i-1
sleep 1.1
TZ=Asia/Tokyo-9 run "$kiln" seed -o two.iso --user-data user.yaml --instance-id i-1
ok 'equal input gives equal bytes, at another time and place' cmp one.iso two.iso
SOURCE_DATE_EPOCH=1 run "$kiln" seed -o one.iso --user-data user.yaml
SOURCE_DATE_EPOCH=2 run "$kiln" seed -o two.iso --user-data user.yaml
ok 'so it does without an instance-id, where SOURCE_DATE_EPOCH is set' cmp one.iso two.iso
run "$kiln" seed -o one.iso --user-data user.yaml
run "$kiln" seed -o two.iso --user-data user.yaml
run cmp -s one.iso two.iso
is "$status" 1 'otherwise each seed is a new instance'

# Streams and reports
"$kiln" seed -o - --user-data - --instance-id i-1 <user.yaml >stream.iso 2>words
run "$kiln" seed -o file.iso --user-data user.yaml --instance-id i-1
ok 'standard input and output give the same seed' cmp stream.iso file.iso
like "$(<words)" 'Instance-id: i-1' 'the words go to standard error then'
run "$kiln" seed -q -o file.iso
is "$out$err" '' '--quiet says nothing'
run "$kiln" seed --json -o file.iso --hostname web1 --instance-id i-1 --ssh-key id.pub
is "$(jq -c '[.output, .instance_id, .hostname, .ssh_keys, .documents["vendor-data"]]' <<<"$out")" \
    '["file.iso","i-1","web1",1,null]' '--json tells what was made'
run "$kiln" seed
ok 'the default output is seed.iso' test -s seed.iso
fails 1 'standard output: cannot write' 'a full disk is told' bash -c "'$kiln' seed -o - >/dev/full"

# Bad input: a message with the place, the remedy, and no output
refused() {
    local status=$1 regex=$2 what=$3
    shift 3
    rm -f none.iso
    fails "$status" "$regex" "$what" "$kiln" seed -o none.iso "$@"
    if [ -e none.iso ] || compgen -G '.none*' >/dev/null; then
        fail "$what: nothing is left" "$(ls -a)"
    fi
}
printf '#cloud-config\nusers:\n  - name: ann\n   groups: x\n' >bad.yaml
refused 1 'bad\.yaml:[45]:[0-9]+: .*' 'a YAML error tells file, line and column' --user-data bad.yaml
printf '# cloud-config\na: b\n' >spaced.yaml
refused 1 "ignore the whole file.*without a space" '"# cloud-config" is refused' --user-data spaced.yaml
printf '\n#!/bin/sh\n' >blank.sh
refused 1 'very start' 'a blank line before a script is refused' --user-data blank.sh
printf '\n#cloud-config\na: b\n' >blank.yaml
ok 'a blank line before cloud-config is accepted' "$kiln" seed -q -o blank.iso --user-data blank.yaml
like "$err" "warning: blank.yaml:1:1: blanks stand before '#cloud-config'" 'with a warning'
printf '#cloud-config\nhostname: {{ name }}\n' >braces.yaml
refused 1 'braces.yaml:2:12: .*plain key' 'what PyYAML cannot construct is refused' --user-data braces.yaml
printf '#cloud-config\nusers: [ann]\n' >users.yaml
refused 1 "users.yaml:2:8: 'users' does not list 'default'" 'keys that let in nobody are refused' \
    --user-data users.yaml --ssh-key id.pub
printf 'instance-id: 0123\n' >octal.yaml
run "$kiln" seed --json -o octal.iso --meta-data octal.yaml
is "$(jq -r .instance_id <<<"$out")" 83 'the instance-id is what cloud-init makes of it'
like "$err" 'octal.yaml:1:14: 0123 is the number 83' 'and the difference is told'
printf 'ethernets: {}\n' >noversion.yaml
refused 1 "version: 2" 'network-config without a version is refused' --network-config noversion.yaml
refused 1 'user-data: nowhere: cannot open' 'a missing file is named' --user-data nowhere
refused 1 'is a directory' 'a directory for a file' --meta-data "$tmp"
refused 1 '16777216 bytes' 'an endless file' --user-data /dev/zero
refused 1 'is a private key.*id\.pub' 'a private key' --ssh-key id
refused 2 'can be only one of the files' 'standard input twice' --user-data - --ssh-key -
refused 2 "not a valid host name" 'a bad host name' --hostname a_b
refused 2 'is an IP address and not a host name' 'an address as the host name' --hostname 10.0.0.5
refused 2 "not a valid instance-id" 'a bad instance-id' --instance-id ../x
refused 2 'one argument too many' 'operands' user.yaml
fails 2 'is also an input' 'an input as the output' "$kiln" seed -o user.yaml --user-data user.yaml
ok 'which stays' grep -q '^packages' user.yaml
fails 1 'is a directory' 'a directory as the output' "$kiln" seed -o "$tmp"
fails 2 'both use standard output' '--json with the seed on standard output' "$kiln" seed --json -o -
cp seed.iso kept.iso
fails 1 'did not find|expected' 'a failed run' "$kiln" seed -o kept.iso --user-data bad.yaml
ok 'leaves the old output as it was' cmp seed.iso kept.iso
fails 1 'cannot be made|cannot write' 'no room for the output' \
    bash -c "trap '' XFSZ; ulimit -f 64; exec '$kiln' seed -o none.iso"
ok 'leaves nothing' test ! -e none.iso
finish
