#!/bin/bash
# kiln build: the good path, and outputs that appear complete or not at all.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1

mini_root=1 # mini's only partition

run "$kiln" build mini --hostname built --root-password password:secret --write '/etc/motd:hello'
is "$status" 0 'mini builds'
like "$out" 'Output: mini\.img' 'the summary names the default output'
like "$out" 'Engine: native' 'no appliance was needed'
unlike "$out$err" 'secret' 'the password is shown nowhere'
ok 'its file system is clean' fsck_clean mini.img $mini_root
is "$(guest_cat mini.img $mini_root /etc/hostname)" built 'the hostname is set'
is "$(guest_cat mini.img $mini_root /etc/motd)" hello 'the file is written'
like "$(guest_cat mini.img $mini_root /etc/shadow)" 'root:\$y\$' 'the password is hashed with the guest'"'"'s scheme'

run "$kiln" build mini -o again.img -v
like "$out" 'from the cache' 'the second build fetches nothing'
unlike "$err" 'Expanding' 'and expands nothing'
before=$(stat -c %Y.%s "$XDG_CACHE_HOME"/kiln/base/*.raw)
run "$kiln" build mini -o again.img --hostname other
is "$(stat -c %Y.%s "$XDG_CACHE_HOME"/kiln/base/*.raw)" "$before" 'a build leaves the cached base as it was'

run "$kiln" build mini -o grown.img --size 1G --hostname big
is "$(stat -c %s grown.img)" $((1 << 30)) '--size gives the disk its size'
ok 'the grown file system is clean' fsck_clean grown.img $mini_root
blocks=$(dumpe2fs -h "grown.img?offset=$(partition_offset grown.img $mini_root)" 2>/dev/null | awk '/^Block count/ {print $3}')
[ "$blocks" -gt 250000 ] && pass 'and fills the disk' || fail 'and fills the disk' "blocks: $blocks"
ok 'the partition table is sound' sfdisk --verify grown.img

run "$kiln" build mini -o huge.img --size 500G
is "$status" 0 'a disk of 500G builds'
used=$(du -k huge.img | cut -f1)
[ "$used" -lt 400000 ] && pass 'and stays sparse' || fail 'and stays sparse' "$used KiB"
rm -f huge.img

ok 'qcow2 output' "$kiln" build mini -o mini.qcow2 --format qcow2 --size 300M --hostname q
ok 'qemu-img finds it sound' qemu-img check -q mini.qcow2
is "$(qemu-img info --output=json mini.qcow2 | jq -r '.format, ."virtual-size"' | paste -sd' ')" "qcow2 $((300 << 20))" 'of the right format and size'
qemu-img convert -O raw mini.qcow2 mini-raw.img
ok 'and its file system is clean' fsck_clean mini-raw.img $mini_root

"$kiln" build mini -q -o - >streamed.img
ok 'an image on standard output is whole' fsck_clean streamed.img $mini_root
is "$("$kiln" build mini -q -o quiet.img 2>&1)" '' '--quiet says nothing'
run "$kiln" build mini --json -o j.img --root-password random
is "$(jq -r '.image, .format, .engine, (.generated_passwords.root | length > 8)' <<<"$out" | paste -sd' ')" 'mini raw native true' '--json tells what was built'
run "$kiln" build mini -q -o named.qcow2
is "$(qemu-img info --output=json named.qcow2 | jq -r .format)" qcow2 'the format follows the ending'

# Bad requests.
fails 2 'writes raw and qcow2, not vmdk.*qemu-img convert -O vmdk' 'an ending of a format that is not written' "$kiln" build mini -o m.vmdk
fails 2 'not vdi.*qemu-img convert -O vdi' 'a format that is not written' "$kiln" build mini -o m.img --format vdi
fails 2 'named as qcow2, and --format is raw' 'an ending against --format' "$kiln" build mini -o m.qcow2 --format raw
fails 2 'named as raw, and --format is qcow2' 'and the other way round' "$kiln" build mini -o m.raw --format qcow2
is "$(ls m.* 2>/dev/null)" '' 'none of them left a file'
fails 1 'mini-no-such|not found' 'an unknown image is an error' "$kiln" build mini-no-such -o x.img
fails 2 'OS-VERSION is missing' 'no image named is wrong usage' "$kiln" build
fails 2 'size' 'a bad size is wrong usage' "$kiln" build mini -o x.img --size 10X
fails 2 'hostnme|not an option' 'an unknown option is wrong usage' "$kiln" build mini --hostnme x
fails 2 'password' 'an unknown selector is wrong usage' "$kiln" build mini -o x.img --root-password bogus:1
fails 1 'below' 'shrinking is refused' "$kiln" build mini -o x.img --size 1M
fails 1 'absent-file' 'a missing upload is named' "$kiln" build mini -o x.img --upload absent-file:/etc/x
fails 1 'nobody-here' 'a password for an unknown user is refused' "$kiln" build mini -o x.img --password nobody-here:password:x
mkdir directory
fails 1 'directory.*directory' 'a directory as output is refused' "$kiln" build mini -o directory
fails 1 'cache' 'an output in the cache is refused' "$kiln" build mini -o "$XDG_CACHE_HOME/kiln/base/x.img"
fails 1 'No such file' 'an output in no directory is refused' "$kiln" build mini -o nowhere/x.img
script -qec "'$kiln' build mini -o -" tty.log >/dev/null 2>&1
like "$(cat tty.log)" 'terminal' 'an image onto a terminal is refused'
[ ! -e x.img ] && pass 'no failed build left an output' || fail 'no failed build left an output'
is "$(ls -A | grep -c '\.tmp$')" 0 'nor a temporary file'

# A guest cannot point the builder at the host.
cp mini.img trap.img
mkdir -p host-target
offset=$(partition_offset trap.img $mini_root)
printf 'victim\n' >host-target/file
for command in "rm /etc/motd" "symlink /etc/motd $tmp/host-target/file" "symlink /escape ../../../../../../..$tmp/host-target"; do
    debugfs -w -R "$command" "trap.img?offset=$offset" >/dev/null 2>&1
done
mkdir -p evil
cp trap.img evil/trap.raw
cat >evil/index <<END
[trap]
name=a guest with hostile links
arch=x86_64
file=trap.raw
format=raw
size=$(stat -c %s trap.img)
checksum[sha512]=$(sha512sum trap.img | cut -d' ' -f1)
END
run "$kiln" build trap --source "file://$tmp/evil/index" --no-check-signature -o trapped.img \
    --write '/etc/motd:owned' --write '/escape/file:owned'
is "$(cat host-target/file)" victim 'links of the guest never lead to the host'

# A disk that ends in swap.
swap_index() { # NAME
    printf '[%s]\nname=x\narch=x86_64\nfile=%s.raw\nformat=raw\nsize=%s\nchecksum[sha512]=%s\n' "$1" "$1" \
        $((40 << 20)) "$(sha512sum <"evil/$1.raw" | cut -d' ' -f1)" >"evil/$1.index"
}
swap_disk() { # NAME: sfdisk's script is on standard input
    truncate -s 40M "evil/$1.raw"
    sfdisk -q "evil/$1.raw" && swap_index "$1"
}
build_swap() {
    "$kiln" build "$1" --source "file://$tmp/evil/$1.index" --no-check-signature -o swap.img \
        --cache "$tmp/cache-swap" "${@:2}"
}
grows_no_swap() { # WHAT NAME SWAP
    fails 1 "--size: the last partition, /dev/sda$3, is swap.*virt-resize --expand /dev/sda1" \
        "--size on a disk that ends in swap ($1) is refused" \
        build_swap "$2" --size 80M
    [ ! -e swap.img ] && pass "$1: with no output" || fail "$1: with no output"
}
swap_disk swap-gpt <<<$'label: gpt\nsize=30M\nsize=4M, type=0657FD6D-A4AB-43C4-84E5-0933C84B4F4F'
grows_no_swap 'by its GUID' swap-gpt 2
swap_disk swap-mbr <<<$'label: dos\nsize=30M, type=83\ntype=5\ntype=82'
grows_no_swap 'logical, by its type' swap-mbr 5
swap_disk swap-magic <<<$'label: gpt\nsize=30M\nsize=4M'
printf SWAPSPACE2 | dd of=evil/swap-magic.raw bs=1 conv=notrunc status=none \
    seek=$(($(partition_offset evil/swap-magic.raw 2) + 4086))
swap_index swap-magic
grows_no_swap 'by its contents' swap-magic 2
ok 'without --size it builds' build_swap swap-gpt

# An image of the cache that was altered since.
cached=$(grep -lx 'mini x86_64' "$XDG_CACHE_HOME"/kiln/label/* | sed 's,.*/,,')
base=$XDG_CACHE_HOME/kiln/base/$cached.raw
rebuilds() { # WHAT OPTION...
    run "$kiln" build mini -o rebuilt.img "${@:2}"
    is "$status" 0 "a base that was $1 builds all the same"
    like "$err" "mini: the image ${cached:0:16} of the cache has .*fetching it again" "$1: with a warning"
    ok "$1: what is built is whole" cmp rebuilt.img whole.img
}
"$kiln" build -q mini -o whole.img
chmod u+w "$base" && truncate -s 1M "$base"
rebuilds cut
chmod u+w "$base" && printf xx | dd of="$base" bs=1 seek=1048576 conv=notrunc status=none
rebuilds altered
times=$(stat -c %y "$base")
chmod u+w "$base" && printf yy | dd of="$base" bs=1 seek=1048576 conv=notrunc status=none
touch -d "$times" "$base"
rebuilds 'altered with its times' --verify-cache
ok 'a cached base that is as it was passes' "$kiln" build mini -o rebuilt.img --verify-cache
like "$out" 'from the cache' 'and is not fetched again'
sed '/^checksum/d' evil/index >evil/blind
run "$kiln" build trap --source "file://$tmp/evil/blind" --no-check-signature -o blind.img
like "$out" 'trap \(fetched, not verified\)' 'an image taken on trust is not called verified'
run "$kiln" build trap --source "file://$tmp/evil/index" --no-check-signature -o blind.img --json
is "$(jq -r '.base_trust' <<<"$out")" unsigned-index 'nor one by an index that nobody verified'
"$kiln" cache remove "$("$kiln" cache --json | jq -r '[.items[].key | select(length == 64)][0]')" >/dev/null

# Damaged downloads.
xz_index() { # NAME FILE CHECKSUM_OF
    printf '[%s]\nname=x\narch=x86_64\nfile=%s\nformat=raw\nsize=%s\nchecksum[sha512]=%s\n' "$1" "$2" \
        "$(stat -c %s mini.img)" "$(sha512sum "$3" | cut -d' ' -f1)"
}
cp "$repo/mini.xz" evil/whole.xz
head -c $(($(stat -c %s evil/whole.xz) / 2)) evil/whole.xz >evil/cut.xz
cp evil/whole.xz evil/flipped.xz
printf '\xff' | dd of=evil/flipped.xz bs=1 seek=500000 conv=notrunc status=none
{ cat evil/whole.xz; echo garbage; } >evil/trailing.xz
: >evil/empty.xz
{ xz_index cut cut.xz evil/cut.xz; echo; xz_index flipped flipped.xz evil/flipped.xz; echo
  xz_index trailing trailing.xz evil/trailing.xz; echo; xz_index mismatch whole.xz evil/cut.xz; echo
  xz_index empty empty.xz evil/empty.xz; echo; xz_index gone gone.xz evil/cut.xz; } >evil/index
for bad in cut flipped trailing mismatch empty gone; do
    fails 1 "$bad|whole\\.xz" "a damaged download ($bad) is refused by name" \
        "$kiln" build "$bad" --source "file://$tmp/evil/index" --no-check-signature -o bad.img
done
# Good downloads of what the index does not say.
{ cat mini.img; head -c 512 /dev/zero; } | head -c $(($(stat -c %s mini.img) - 4096)) >evil/short.raw
qemu-img convert -q -O qcow2 mini.img evil/other.raw
qemu-img convert -q -O vpc -o subformat=fixed,force_size=on mini.img evil/vhd.raw
head -c 65536 mini.img | bzip2 >evil/packed.bz2
tar -C evil -cf - whole.xz | xz -1 >evil/tar.xz
for wrong in short.raw other.raw vhd.raw packed.bz2 tar.xz; do
    xz_index "${wrong%.*}" "$wrong" "evil/$wrong"; echo
done >evil/index
sed 's/^format=raw/format=qcow2/; s/^\[short/[raw/; s/short.raw/mini.raw/' evil/index | head -6 >evil/index2
cp mini.img evil/mini.raw && sed -i "s/^checksum.*/checksum[sha512]=$(sha512sum <mini.img | cut -d' ' -f1)/" evil/index2
contradicts() { # ENTRY INDEX REGEX
    fails 1 "$3" "a base image that is not as its index says ($1) is refused" \
        "$kiln" build "$1" --source "file://$tmp/evil/$2" --no-check-signature -o bad.img
    unlike "$err" '/proc/' "$1: the message names no descriptor"
}
contradicts short index 'the index states a disk of [0-9]+ bytes, and the base image has'
contradicts other index 'the index calls the base image raw, and it is qcow2'
contradicts vhd index 'the index calls the base image raw, and it is vpc'
contradicts packed index 'is compressed with bzip2; base images are raw or qcow2'
contradicts tar index 'is a tar archive .*not a disk image'
contradicts raw index2 'the index calls the base image qcow2, and it is raw'
[ ! -e bad.img ] && pass 'and gives no output' || fail 'and gives no output'
entries() { find "$XDG_CACHE_HOME/kiln/base" -name '*.raw' | wc -l; }
is "$(entries)" 2 'nor a cache entry (only mini and trap are there)'
finish
