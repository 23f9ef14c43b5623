#!/bin/bash
# What an image may make kiln open: nothing but itself and backing files that are trusted. Whatever
# is refused starts nothing, on no engine and no runner.
. "$(dirname "$0")/lib.sh"
use_test_repo
mkdir "$tmp/images" "$tmp/elsewhere" && cd "$tmp/images" || exit 1
"$kiln" build -q mini -o mini.img
secret=$tmp/elsewhere/secret
head -c 1048576 /dev/zero >"$secret"

# Images that name it in every way. The last one leads there by a link in its own folder.
over() { qemu-img create -q -u -f qcow2 -b "$2" -F raw "$1" 1M; }
over file.qcow2 "file:$secret"
over json.qcow2 "json:{\"driver\":\"file\",\"filename\":\"$secret\"}"
over nbd.qcow2 nbd+unix:///disk?socket=$tmp/elsewhere/socket
over path.qcow2 "$secret"
over up.qcow2 ../elsewhere/secret
ln -s "$secret" link
over link.qcow2 link
qemu-img create -q -f qcow2 -o "data_file=$secret,data_file_raw=on" data.qcow2 1M
printf '%s\n' '# Disk DescriptorFile' version=1 CID=1 parentCID=ffffffff 'createType="monolithicFlat"' \
    "RW 2048 FLAT \"$secret\" 0" >extent.vmdk
truncate -s 1M flat
printf '%s\n' '# Disk DescriptorFile' version=1 CID=1 parentCID=1 'createType="monolithicFlat"' \
    "parentFileNameHint=\"$secret\"" 'RW 2048 FLAT "flat" 0' >parent.vmdk
hostile=(*.qcow2 *.vmdk)

# untouched IMAGE KILN-ARGUMENTS...: kiln refuses, having opened nothing of another's and started
# nothing.
untouched() {
    local image=$1 before trace=$tmp/trace
    shift
    before=$(cat "$image" "$secret" | sha256sum)
    traced -f --seccomp-bpf -qq -o "$trace" -e trace=execve,openat,open,connect "$kiln" "$@" >/dev/null 2>"$tmp/said" </dev/null
    [ $? -eq 1 ] || { echo "$*: status $?"; cat "$tmp/said"; }
    grep -q 'trust\|only files of this host\|keeps its data' "$tmp/said" ||
        { echo "$*: said"; cat "$tmp/said"; }
    grep -E "elsewhere|connect\(|execve\(.*(qemu|supermin)" "$trace" | grep -v '= -1 ENOENT' |
        sed "s|^|$*: |"
    [ "$before" = "$(cat "$image" "$secret" | sha256sum)" ] || echo "$*: the image or the file was changed"
}
for image in "${hostile[@]}"; do
    wrong=''
    wrong+=$(untouched "$image" inspect --engine appliance "$image")
    wrong+=$(untouched "$image" customize --touch /x "$image")
    for way in '' -n --atomic; do
        wrong+=$(untouched "$image" customize --engine appliance $way --touch /x "$image")
    done
    wrong+=$(untouched "$image" sysprep "$image")
    wrong+=$(untouched "$image" customize --run-command true --attach "$image" mini.img)
    wrong+=$(untouched "$image" customize -a mini.img -a "$image" --touch /x)
    for way in '' '--firmware bios --persist' --direct-kernel; do
        wrong+=$(untouched "$image" boot $way "$image")
    done
    is "$wrong" '' "$image is refused everywhere, and nothing is started"
done

# A base image of a repository stands alone.
repository=$tmp/repository
mkdir "$repository"
cp path.qcow2 "$repository/base.qcow2"
printf '[based]\narch=x86_64\nfile=base.qcow2\nformat=qcow2\nsize=%s\nchecksum[sha512]=%s\n' \
    $((1 << 20)) "$(sha512sum <path.qcow2 | cut -d' ' -f1)" >"$repository/index"
mkdir -p "$XDG_CONFIG_HOME/kiln/repos.d"
printf '[based]\nuri=file://%s/index\nproxy=off\n' "$repository" >"$XDG_CONFIG_HOME/kiln/repos.d/based.conf"
fails 1 'needs another image' 'build refuses a base image with a backing file' \
    "$kiln" build --no-check-signature based -o based.img

# What is trusted works.
qemu-img create -q -f qcow2 -b mini.img -F raw beside.qcow2
ok 'a backing file beside the image is used' "$kiln" inspect beside.qcow2
mkdir "$tmp/bases"
cp --sparse=always mini.img "$tmp/bases/base.img"
qemu-img create -q -f qcow2 -b "$tmp/bases/base.img" -F raw clone.qcow2
fails 1 "bases/base\.img: not trusted as a backing file.*--allow-backing $tmp/bases" \
    'the refusal of another folder names the option' "$kiln" inspect clone.qcow2
ok 'which inspect takes' "$kiln" inspect --allow-backing "$tmp/bases" clone.qcow2
ok 'and customize' "$kiln" customize -q --allow-backing /nonexistent --allow-backing ../bases --touch /srv/x clone.qcow2
ok 'also on a copy' "$kiln" customize -q --atomic --allow-backing ../bases --touch /srv/y clone.qcow2
ok 'and sysprep, which seals what stands on it' "$kiln" sysprep -q --seal --allow-backing ../bases clone.qcow2
mkdir -p "$XDG_CONFIG_HOME/kiln"
printf '# our stores\n%s\n' "$tmp/bases" >"$XDG_CONFIG_HOME/kiln/backing.conf"
ok 'a folder of the configuration needs no option' "$kiln" inspect clone.qcow2
if [ "$(id -u)" -eq 0 ]; then
    chown 12345 "$tmp/bases/base.img"
    fails 1 'belongs to another user' "but others' files do" "$kiln" inspect clone.qcow2
    ok 'which the option covers as well' "$kiln" inspect --allow-backing "$tmp/bases" clone.qcow2
else
    skip "but others' files do" 'needs root'
    skip 'which the option covers as well' 'needs root'
fi
finish
