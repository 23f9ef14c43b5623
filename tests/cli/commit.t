#!/bin/bash
# The native engine's commit into an image in place: all changes, or none, wherever it is cut short.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1

mkdir -p tree/{etc,usr/bin,usr/lib,var/log,root}
printf 'ID=debian\nVERSION_ID="12"\n' >tree/usr/lib/os-release
echo root:x:0:0:root:/root:/bin/sh >tree/etc/passwd
echo 'root:*:19000:0:99999:7:::' >tree/etc/shadow
head -c 300000 /dev/urandom >tree/var/log/old
mke2fs -q -t ext4 -b 4096 -d tree plain.img 16M >/dev/null 2>&1
head -c 200000 /dev/urandom >payload
edit=(--hostname later --upload payload:/root/payload --delete /var/log/old)

interpose=$tmp/interpose.so
${CC:-cc} -shared -fPIC -o "$interpose" "$top/tests/fakes/interpose.c" -ldl || { fail 'a test double is compiled'; finish; }
faked() { env LD_PRELOAD="$interpose" "$@"; }

content() { qemu-img convert -O raw "$1" content.raw && sha256sum <content.raw; }
old=$(content plain.img)

image=disk.raw
fresh() { rm -f disk.raw* && cp --sparse=always plain.img disk.raw; }
wrong='' undone=0
for ((n = 1; n < 40; n++)); do
    fresh
    FAKE_FILE=$image FAKE_KILL=$n faked "$kiln" customize -q "$image" "${edit[@]}" >/dev/null 2>&1
    status=$?
    [ $status -eq 0 ] && break
    [ $status -eq 137 ] || wrong+="$n: status $status"$'\n'
    if [ -e "$image.kiln-undo" ]; then
        # Seen by others: as it was, or marked as not clean.
        [ "$(content "$image")" = "$old" ] || ! dumpe2fs -h "$image" 2>/dev/null | grep -q 'state: *clean' ||
            wrong+="$n: half-written and marked clean"$'\n'
        cp "$image" half.img && cp "$image.kiln-undo" half.undo
        undone=$((undone + 1))
    fi
    "$kiln" inspect "$image" >/dev/null 2>&1 || wrong+="$n: inspect fails"$'\n'
    [ -e "$image.kiln-undo" ] && wrong+="$n: the journal stays"$'\n'
    [ "$(content "$image")" = "$old" ] || wrong+="$n: is not as it was"$'\n'
    e2fsck -fn "$image" >/dev/null 2>&1 || wrong+="$n: is damaged"$'\n'
done
is "$wrong" '' "SIGKILL at each write of the commit: nothing is changed after the next use"
[ $undone -gt 3 ] && pass "it was hit in $undone places" || fail "it was hit in $undone places"

wrong='' failures=0
for ((n = 1; n < 40; n++)); do
    fresh
    FAKE_FILE=$image FAKE_FULL=$n faked "$kiln" customize -q "$image" "${edit[@]}" >out 2>err
    status=$?
    [ $status -eq 0 ] && break
    failures=$((failures + 1))
    grep -qi 'no space' err || wrong+="$n: $(cat err)"$'\n'
    grep -q 'is unchanged' err || wrong+="$n: $(cat err)"$'\n'
    [ -e "$image.kiln-undo" ] && wrong+="$n: the journal stays"$'\n'
    [ "$(content "$image")" = "$old" ] || wrong+="$n: is not as it was"$'\n'
done
is "$wrong" '' "no space at each write of the commit: it is taken back, and said to be unchanged"
[ $failures -gt 3 ] && pass "it was hit in $failures places" || fail "it was hit in $failures places"

# The disk is full for the undoing as well.
fresh
FAKE_FILE=disk.raw FAKE_FULL=2 FAKE_ROOM=1000 faked "$kiln" customize -q disk.raw "${edit[@]}" >out 2>err
is "$?" 1 'no space for taking it back'
like "$(cat err)" 'taking them back failed' 'is said'
unlike "$(cat err)" 'is unchanged' 'and the image not called unchanged'
like "$(cat err)" 'disk.raw.kiln-undo' 'the journal is named'
ok 'the next run' "$kiln" customize -q -n disk.raw --hostname x
is "$(content disk.raw)" "$old" 'takes it back'

# A file system that is really full: a small tmpfs, whose files have holes.
namespace=(unshare --mount)
[ "$(id -u)" -eq 0 ] || namespace=(unshare --user --map-root-user --mount)
mkdir small
on_small_disk() {
    "${namespace[@]}" bash -c 'mount -t tmpfs -o "size=$1k,mode=700" tmpfs small && cd small || exit 99
        cp --sparse=always ../plain.img disk.img || exit 98
        "${@:2}" disk.img
        status=$?
        ls -A >../left
        cp --sparse=always disk.img ../result.img
        exit $status' small-disk "$@"
}
head -c 3000000 /dev/urandom >large
used=$(du -k disk.raw | cut -f1) wrong='' failures=0 successes=0
run on_small_disk 20000 true
if [ "$status" -eq 99 ]; then
    skip 'a full file system' 'no mount namespaces for this user'
else
    for ((size = used + 20; size < used + 7000; size += 400)); do
        run on_small_disk $size "$kiln" customize -q --upload ../large:/root/large --delete /var/log/old --hostname later
        case $status in
        0) successes=$((successes + 1)) ;;
        1)
            failures=$((failures + 1))
            [[ $err =~ 'is unchanged'.*[Ss]pace ]] || wrong+="$size KiB: $err"$'\n'
            [ "$(content result.img)" = "$old" ] || wrong+="$size KiB: is not as it was"$'\n'
            ;;
        *) wrong+="$size KiB: status $status: $err"$'\n' ;;
        esac
        [ "$(cat left)" = disk.img ] || wrong+="$size KiB: left: $(cat left)"$'\n'
        e2fsck -fn result.img >/dev/null 2>&1 || wrong+="$size KiB: is damaged"$'\n'
    done
    is "$wrong" '' 'on a full file system nothing is changed'
    [ $failures -gt 3 ] && [ $successes -gt 0 ] && pass "($failures failures, $successes successes)" ||
        fail "($failures failures, $successes successes)"
fi

# What lies beside another image, or beside one that was changed since, is not used.
cp half.img disk.raw && cp half.undo disk.raw.kiln-undo
fails 1 'not the file that was being changed' 'a journal beside another file' "$kiln" customize disk.raw --hostname x
fresh
FAKE_FILE=disk.raw FAKE_KILL=6 faked "$kiln" customize -q disk.raw "${edit[@]}" >/dev/null 2>&1
[ -e disk.raw.kiln-undo ] && pass 'a half-written image' || fail 'a half-written image'
cp disk.raw.kiln-undo kept.undo
e2fsck -fy disk.raw >/dev/null 2>&1
sum=$(sha256sum <disk.raw)
fails 1 'changed by another program since' 'that was repaired since' "$kiln" customize disk.raw --hostname x
like "$err" 'remove .*disk.raw.kiln-undo' 'with the remedy'
is "$(sha256sum <disk.raw)" "$sum" 'is left alone'
for damage in 'truncate -s 30' 'truncate -s 100' 'truncate -s 5000' 'dd if=/dev/urandom bs=1 count=40 seek=56 conv=notrunc status=none of='; do
    cp kept.undo disk.raw.kiln-undo
    case $damage in *=) $damage"disk.raw.kiln-undo" ;; *) $damage disk.raw.kiln-undo ;; esac
    fails 1 'interrupted.*cannot be undone' "a damaged journal (${damage%% *})" "$kiln" customize disk.raw --hostname x
    is "$(sha256sum <disk.raw)" "$sum" 'changes nothing'
done
rm disk.raw.kiln-undo
ok 'without the journal it is taken as it is' "$kiln" customize -q disk.raw --hostname x

# An overlay whose base is half-written.
fresh
qemu-img create -q -f qcow2 -b disk.raw -F raw over.qcow2
FAKE_FILE=disk.raw FAKE_KILL=6 faked "$kiln" customize -q disk.raw "${edit[@]}" >/dev/null 2>&1
fails 1 'interrupted' 'is refused' "$kiln" customize over.qcow2 --hostname x
ok 'its base can be inspected' "$kiln" inspect disk.raw
ok 'and then the overlay changed' "$kiln" customize -q over.qcow2 --hostname x

# Other formats, which qemu-nbd writes.
for format in qcow2 vdi; do
    qemu-img convert -O $format plain.img disk.$format
    FAKE_KEEP=.kiln-undo faked "$kiln" customize -q disk.$format "${edit[@]}" >/dev/null 2>&1
    is "$?" 137 "$format: SIGKILL at the end of the commit"
    eventually qemu-img info disk.$format >/dev/null 2>&1
    ok 'the next run' "$kiln" inspect disk.$format
    is "$(content disk.$format)" "$old" 'takes it back'
    ok 'and the edit' "$kiln" customize -q disk.$format "${edit[@]}"
    [ "$(content disk.$format)" != "$old" ] && pass 'can be made' || fail 'can be made'
done

# A directory in which no file can be made: the guard alone.
if [ "$(id -u)" -ne 0 ]; then
    mkdir closed && cp plain.img closed/ && chmod 555 closed
    ok 'an image in a directory that is not writable' "$kiln" customize -q closed/plain.img --hostname x
    chmod 755 closed
fi
ok 'nothing is left behind' test -z "$(find . -name '*.kiln-undo')"
finish
