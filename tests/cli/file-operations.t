#!/bin/bash
# Operations on files, on a real ext4 guest: archives as the usual programs make them, a full guest
# file system, scrubbing, files of commands.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1
"$kiln" build -q mini -o guest.img || { echo 'Bail out! no guest'; exit 1; }
part=$(sfdisk --json guest.img | jq '[.partitiontable.partitions[].type == "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"] | index(true) // 0 | . + 1')
change() { "$kiln" customize -q --engine native -a guest.img "$@"; }
debug() { debugfs -R "$1" "guest.img?offset=$(partition_offset guest.img "$part")" 2>/dev/null; }
clean() { ok "$1: e2fsck finds nothing" fsck_clean guest.img "$part"; }

# Archives.
mkdir -p tree/sub
echo small >tree/small
head -c 3000000 /dev/urandom >tree/large
truncate -s 5M tree/sparse && printf end | dd of=tree/sparse bs=1 seek=4000000 conv=notrunc status=none
long=$(printf 'n%.0s' {1..200})
echo long >"tree/$long"
echo bytes >"tree/$(printf '\xff\xe4')"
echo umlaut >'tree/ä€'
ln tree/small tree/sub/hard && ln -s ../small tree/sub/link
chmod 2750 tree/sub
ok 'make directories' change --mkdir /t
for format in gnu pax; do
    tar --format=$format --sparse -C tree -cf $format.tar .
done
tar --format=ustar -C tree --exclude="$long" -cf ustar.tar .
for kind in gzip bzip2 xz zstd; do tar -C tree -I $kind -cf packed.$kind .; done
want=$(cd tree && find . -type f ! -name "$long" -exec sha256sum {} + | sort)
for archive in gnu.tar pax.tar ustar.tar packed.*; do
    ok "$archive is unpacked" change --delete /t --mkdir /t --tar-in "$archive:/t"
    rm -rf got && mkdir got && debug 'rdump /t got' >/dev/null
    got=$(cd got/t && find . -type f ! -name "$long" -exec sha256sum {} + | sort)
    is "$got" "$want" "$archive: the contents are the same"
done
is "$(debug "cat /t/$long")" long 'long names arrive'
clean archives
ok 'a tree is copied in' change --delete /t --mkdir /t --copy-in tree:/t
rm -rf got && mkdir got && debug 'rdump /t/tree got' >/dev/null
is "$(cd got/tree && find . -type f ! -name "$long" -exec sha256sum {} + | sort)" "$want" 'the same contents as the tree'
like "$(debug 'stat /t/tree/sub')" 'Mode: +02750' 'directories keep their modes'
like "$(debug 'stat /t/tree/small')" 'Links: 2' 'hard links stay hard links'
clean 'the tree'

# What would leave the directory, and what does not fit.
tar -P -C tree --transform 's,^small$,../up,' -cf dots.tar small
fails 1 "up: the name holds '\.\.'" 'names with .. are refused' change --tar-in dots.tar:/t
fails 1 'tar archive' 'what is no archive is refused at once' change --tar-in tree/small:/t
head -c 1000 pax.tar | gzip >cut.tar.gz
fails 1 'cut.tar.gz: cannot be read' 'a cut archive is an error' change --tar-in cut.tar.gz:/t
size=$(stat -c %s guest.img)
truncate -s "$size" zeroes && head -c "$size" /dev/zero | tr '\0' x >zeroes && tar -cf toolarge.tar zeroes
fails 1 'zeroes.*(only .* left|[Ss]pace)' 'a full guest is an error' change --tar-in toolarge.tar:/t
rm -f zeroes toolarge.tar
clean 'a full guest'

# Scrubbing.
ok 'a secret is written' change --write '/t/secret:kiln-scrubs-this-secret'
ok 'it is in the image' grep -qa kiln-scrubs-this-secret guest.img
ok 'the secret is scrubbed' change --scrub /t/secret
run grep -qa kiln-scrubs-this-secret guest.img
is "$status" 1 'it is in the image no more'

# Files of commands.
seq -f '# line %.0f' 2000000 >commands
printf 'write /t/from-file:one\\\ntwo\nedit /t/from-file:s/two/2/\n' >>commands
ok 'a file of two million lines' change --commands-from-file commands
is "$(debug 'cat /t/from-file')" $'one\n2' 'its commands are done'
printf 'mkdir /t/x\nmkdir x\n' >commands
fails 2 'commands:2: .*not absolute' 'a faulty line is named' change --commands-from-file commands
run debug 'stat /t/x'
unlike "$out" 'Inode:' 'nothing was done before the fault was seen'
ok 'standard input' bash -c 'echo "touch /t/stdin" | "$1" customize -q --engine native -a guest.img --commands-from-file -' - "$kiln"
like "$(debug 'stat /t/stdin')" 'Inode:' 'its command is done'
clean 'the end'
finish
