#!/bin/bash
# The appliance's commit: all changes, or none, when it is killed and when the disk is full; and none
# where the appliance's kernel finds errors.
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1

mkdir -p tree/{etc,usr/bin,usr/lib,root}
printf 'ID=debian\nVERSION_ID="12"\n' >tree/usr/lib/os-release
echo root:x:0:0:root:/root:/bin/sh >tree/etc/passwd
head -c 3000000 /dev/urandom >payload
mke2fs -q -t ext4 -b 4096 -d tree plain.img 32M >/dev/null 2>&1
edit=(--engine appliance --hostname later --upload payload:/root/payload)

interpose=$tmp/interpose.so
${CC:-cc} -shared -fPIC -o "$interpose" "$top/tests/fakes/interpose.c" -ldl || { fail 'a test double is compiled'; finish; }
faked() { env LD_PRELOAD="$interpose" "$@"; }
fresh() { rm -f disk.img* && cp --sparse=always plain.img disk.img; }
old=$(sha256sum <plain.img)

fresh
FAKE_FILE=disk.img FAKE_KILL=5 faked "$kiln" customize -q disk.img "${edit[@]}" >/dev/null 2>&1
is "$?" 137 "SIGKILL during the commit"
unlike "$(dumpe2fs -h disk.img 2>/dev/null)" 'state: *clean' 'leaves a file system that is not marked as clean'
ok 'the next use' "$kiln" inspect disk.img
is "$(sha256sum <disk.img)" "$old" 'takes the changes back'

fresh
FAKE_FILE=disk.img FAKE_FULL=4 faked "$kiln" customize -q disk.img "${edit[@]}" >out 2>err
is "$?" 1 'a disk that gets full'
like "$(cat err)" 'No space.*|is unchanged' 'is told'
like "$(cat err)" 'is unchanged' 'and that nothing was changed'
is "$(sha256sum <disk.img) $(ls disk.img*)" "$old disk.img" 'which is true'

# Linux finds that blocks which it gives back with a file are free already.
head -c 400000 /dev/urandom >tree/root/victim
mke2fs -q -t ext4 -b 1024 -O ^metadata_csum,^uninit_bg -d tree lying.img 32M >/dev/null 2>&1
block=$(debugfs -R 'blocks /root/victim' lying.img 2>/dev/null | awk '{ print $100 }')
debugfs -w -R "freeb $block 100" lying.img >/dev/null 2>&1
sum=$(sha256sum <lying.img)
fails 1 'is unchanged: .*found errors' 'errors that Linux finds' "$kiln" customize lying.img --engine appliance --delete /root/victim
like "$err" 'e2fsck' 'are told with the remedy'
is "$(sha256sum <lying.img)" "$sum" 'and leave the image as it was'

fresh
ok 'an edit that is not disturbed' "$kiln" customize -q disk.img "${edit[@]}"
ok 'is whole' e2fsck -fn disk.img
debugfs -R 'dump /root/payload got' disk.img 2>/dev/null
ok 'with what was uploaded' cmp got payload
finish
