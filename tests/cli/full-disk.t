#!/bin/bash
# A full disk at every stage of a build: an error that names the file, and nothing left behind.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1

# on_small_disk SIZE_KIB DIRECTORY COMMAND...: with a tmpfs of that size over the directory, in a mount
# namespace of its own. What is left in it is listed in $tmp/left.
on_small_disk() {
    local namespace=(unshare --mount)
    [ "$(id -u)" -eq 0 ] || namespace=(unshare --user --map-root-user --mount)
    "${namespace[@]}" bash -c '
        size=$1 dir=$2 left=$3
        shift 3
        mount -t tmpfs -o "size=${size}k,mode=700" tmpfs "$dir" || exit 99
        "$@"
        status=$?
        find "$dir" -type f >"$left"
        if [ $status -eq 0 ] && [ -f "$dir/out.img" ]; then
            start=$(sfdisk --json "$dir/out.img" | jq ".partitiontable.partitions[0].start * 512")
            e2fsck -fn "$dir/out.img?offset=$start" >/dev/null 2>&1 || exit 98
        fi
        exit $status' small-disk "$1" "$2" "$tmp/left" "${@:3}"
}

mkdir out
run on_small_disk 1000 out true
if [ "$status" -eq 99 ]; then
    skip 'full disk' 'no mount namespaces for this user'
    finish
fi

# The cache: expansion into it fails.
mkdir cache-dir
for size in 64 1000 20000; do
    fails 1 'space' "a cache of $size KiB" on_small_disk $size cache-dir \
        "$kiln" build mini --cache "$PWD/cache-dir" -o x.img
    unlike "$(cat left)" '\.raw' "leaves no entry ($size KiB)"
    [ ! -e x.img ] && pass "and no output ($size KiB)" || fail "and no output ($size KiB)"
done

# The output: copy, growth, edits and the fsync at the end each get their turn as the disk gets larger.
"$kiln" build -q mini -o probe.img --size 400M
enough=$(($(du -k probe.img | cut -f1) + 200))
head -c 3000000 /dev/urandom >payload
failures=0 successes=0 wrong=''
for ((size = 200; size < enough + 8000; size += (enough + 8000) / 24)); do
    run on_small_disk $size out "$kiln" build mini -o "$PWD/out/out.img" --size 400M \
        --upload "$PWD/payload:/root/payload" --hostname full
    case $status in
    0) successes=$((successes + 1)) ;;
    1)
        failures=$((failures + 1))
        [[ $err =~ [Ss]pace ]] || wrong+="at $size KiB the message is: $err"$'\n'
        [ ! -s left ] || wrong+="at $size KiB something was left: $(cat left)"$'\n'
        ;;
    *) wrong+="at $size KiB status $status: $err"$'\n' ;;
    esac
done
is "$wrong" '' 'every full disk is one clear error and leaves nothing'
[ $failures -gt 5 ] && pass "small disks fail ($failures)" || fail "small disks fail ($failures)"
[ $successes -gt 0 ] && pass "the large ones succeed ($successes)" || fail "the large ones succeed ($successes)"

fails 1 'space' 'a disk too small for the converted qcow2' on_small_disk $((enough + 1000)) out \
    "$kiln" build mini -o "$PWD/out/out.qcow2" --format qcow2 --size 400M
is "$(cat left)" '' 'leaves nothing'

# The guest's own file system is full: the image is refused as a whole.
head -c 200000000 /dev/zero | tr '\0' x >large
fails 1 'but .* has only .* left' 'an upload larger than the guest' "$kiln" build mini -o guest-full.img --upload "$PWD/large:/root/large"
[ ! -e guest-full.img ] && pass 'gives no output' || fail 'gives no output'

# Standard output that does not take everything.
"$kiln" build -q mini -o - >/dev/full 2>err.txt
is "$?" 1 'a full standard output is an error'
like "$(cat err.txt)" 'space' 'and says so'
finish
