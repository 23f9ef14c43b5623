#!/bin/bash
# Standard descriptors that are closed: no message may reach a file that got their number. Every
# command, with every combination closed.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1
export SOURCE_DATE_EPOCH=1700000000

"$kiln" build -q mini -o base.img || exit 1
mkdir -p tree/{etc,usr/bin,usr/lib,root}
printf 'ID=debian\nVERSION_ID="12"\n' >tree/usr/lib/os-release
echo 'root:*:19000:0:99999:7:::' >tree/etc/shadow
echo root:x:0:0:root:/root:/bin/sh >tree/etc/passwd
mke2fs -q -t ext4 -d tree small.img 16M >/dev/null 2>&1
printf '#cloud-config\nhostname: x\n' >user-data

# without SET COMMAND...: with the descriptors of SET ("02") closed.
without() {
    local set=$1
    shift
    (
        [[ $set = *0* ]] && exec 0<&-
        [[ $set = *1* ]] && exec 1>&-
        [[ $set = *2* ]] && exec 2>&-
        exec "$@"
    ) >/dev/null 2>&1 </dev/null
}
sets=(0 1 2 01 02 12 012)

# NAME OUTPUT COMMAND...: `OUTPUT` is a file that the command changes or makes, from small.img where
# that is wanted; it must be the same as with all descriptors open. What it says is no part of it.
each() {
    local what=$1 output=$2 set wrong=''
    shift 2
    rm -f "$output"
    [[ $output = edited* ]] && cp --sparse=always small.img "$output"
    "$@" >/dev/null 2>&1 </dev/null || { fail "$what" "$* fails"; return; }
    mv "$output" wanted
    for set in "${sets[@]}"; do
        rm -f "$output"
        [[ $output = edited* ]] && cp --sparse=always small.img "$output"
        without "$set" "$@"
        # A result that cannot be printed is a failure; the file is whole all the same.
        cmp -s wanted "$output" || wrong+="$set "
    done
    is "$wrong" '' "$what, whatever is closed"
}
each 'kiln customize' edited.img "$kiln" customize -v edited.img --hostname later --write /etc/motd:hello
each 'kiln customize --atomic' edited.img "$kiln" customize -v --atomic edited.img --hostname later
each 'kiln customize -n' edited.img "$kiln" customize -v -n edited.img --hostname later
each 'kiln customize, which fails' edited.img bash -c '"$1" customize -v edited.img --upload "$PWD/none:/etc/x"; :' sh "$kiln"
each 'kiln sysprep' edited.img "$kiln" sysprep -v edited.img --operations logfiles,machine-id,tmp-files
each 'kiln inspect' edited.img "$kiln" inspect edited.img
each 'kiln build' built.img "$kiln" build -v mini -o built.img --hostname later
each 'kiln seed' seed.iso "$kiln" seed -o seed.iso --hostname x --instance-id y
each 'kiln boot' edited.img bash -c '"$1" boot edited.img --timeout 1; :' sh "$kiln"

# Commands that make nothing: what lies about stays as it is.
everything() { find "$tmp/cache" "$tmp/config" "$tmp"/*.img -type f -exec sha256sum {} + | sort; }
before=$(everything)
for command in list 'list --long' 'notes mini' 'cache list' cache 'doctor' 'doctor --json' --help --version 'help build' frobnicate; do
    wrong=''
    for set in "${sets[@]}"; do
        # shellcheck disable=SC2086
        without "$set" "$kiln" $command
        [ $? -le 2 ] || wrong+="$set "
    done
    is "$wrong" '' "kiln $command ends by itself, whatever is closed"
done
is "$(everything)" "$before" 'and none of them changed a file'

"$kiln" --version >&- 2>/dev/null
is "$?" 1 'a result that cannot be printed is a failure'
finish
