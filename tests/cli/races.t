#!/bin/bash
# What another kiln does between the opening of an image and its lock: nothing is lost, and nothing
# that was sealed meanwhile is changed.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1

mkdir -p tree/{etc,usr/bin,usr/lib,root}
printf 'ID=debian\nVERSION_ID="12"\n' >tree/usr/lib/os-release
echo root:x:0:0:root:/root:/bin/sh >tree/etc/passwd
mke2fs -q -t ext4 -d tree plain.img 16M >/dev/null 2>&1
cp plain.img sealed.img
"$kiln" sysprep -q sealed.img --operations machine-id --seal || exit 1
interpose=$tmp/interpose.so
${CC:-cc} -shared -fPIC -o "$interpose" "$top/tests/fakes/interpose.c" -ldl || { fail 'a test double is compiled'; finish; }
at_lock() { env LD_PRELOAD="$interpose" FAKE_AT_LOCK="$1" "${@:2}"; }
fresh() { rm -f disk.img* other.img && cp --sparse=always plain.img disk.img && cp --sparse=always sealed.img other.img; }

for way in '' --atomic '--engine appliance'; do
    fresh
    # shellcheck disable=SC2086
    fails 1 'was replaced while it was being opened.*run the command again' "an image that is replaced meanwhile${way:+, $way}" \
        at_lock 'mv other.img disk.img' "$kiln" customize -q disk.img --hostname lost $way
    ok 'the new one stays as it is' cmp disk.img sealed.img
    fresh
    # shellcheck disable=SC2086
    fails 1 'sealed' "an image that is sealed meanwhile${way:+, $way}" \
        at_lock 'cp sealed.img.kiln.json disk.img.kiln.json' "$kiln" customize -q disk.img --hostname lost $way
    ok 'it stays as it is' cmp disk.img plain.img
done
finish
