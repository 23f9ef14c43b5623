# shellcheck shell=bash disable=SC2034
# Sourced by the TAP scripts in this folder. Gives each script a private home, cache and temporary
# directory, and a few assertions; what fails shows the command's output.
#
#   run CMD...               runs it; then $status, $out (stdout) and $err (stderr) hold the result
#   ok DESCRIPTION CMD...    passes when CMD succeeds
#   is GOT WANTED DESC       equal strings
#   like TEXT REGEX DESC     extended regular expression; unlike is the reverse
#   fails STATUS REGEX DESC CMD...   CMD must exit with STATUS and say REGEX on stderr
#   traced ARGUMENTS...      strace, also for a kiln with sanitizers
#   skip DESC REASON         counts as skipped
#   finish                   the last line of every script

set -u
shopt -s extglob

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
kiln=${KILN:-$top/kiln}
test_cache=${KILN_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kiln-test}
repo=$test_cache/repo
tmp=$(mktemp -d "${TMPDIR:-/tmp}/kiln-test.XXXXXX")
mkdir -p "$tmp"/{home,config,cache,run,scratch} && chmod 700 "$tmp/run"
export HOME=$tmp/home XDG_CONFIG_HOME=$tmp/config XDG_CONFIG_DIRS=$tmp/config XDG_CACHE_HOME=$tmp/cache
# VIRT_BUILDER_DIRS stands for /etc, whose repositories must not reach into the tests.
export VIRT_BUILDER_DIRS=$tmp/etc
export XDG_RUNTIME_DIR=$tmp/run XDG_STATE_HOME=$tmp/state TMPDIR=$tmp/scratch LC_ALL=C.UTF-8
export LIBGUESTFS_BACKEND=direct LIBGUESTFS_BACKEND_SETTINGS=force_tcg
# The appliance's files, which libguestfs makes where they are missing or old, are the same for all.
export LIBGUESTFS_CACHEDIR=$test_cache/appliance
mkdir -p "$LIBGUESTFS_CACHEDIR"
unset SOURCE_DATE_EPOCH

count=0
status=0 out='' err=''
on_exit=()

cleanup() {
    local action
    for action in "${on_exit[@]}"; do eval "$action"; done
    rm -rf -- "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

pass() { count=$((count + 1)); echo "ok $count - $1"; }
fail() {
    count=$((count + 1))
    echo "not ok $count - $1"
    shift
    local line
    for line in "$@"; do printf '%s\n' "$line" | sed 's/^/# /'; done
}
skip() { count=$((count + 1)); echo "ok $count - $1 # SKIP $2"; }
finish() { echo "1..$count"; exit 0; }

run() {
    "$@" >"$tmp/.out" 2>"$tmp/.err" </dev/null
    status=$?
    out=$(tr -d '\0' <"$tmp/.out" | head -c 200000)
    err=$(tr -d '\0' <"$tmp/.err" | head -c 200000)
    return 0
}
# strace, with the search for leaks off: LeakSanitizer traces as well, and a process has one tracer at most.
traced() { ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0" strace "$@"; }
show() { printf 'status %s\nstdout: %s\nstderr: %s' "$status" "$out" "$err"; }

ok() {
    local what=$1
    shift
    run "$@"
    if [ "$status" -eq 0 ]; then pass "$what"; else fail "$what" "$*" "$(show)"; fi
}
is() { if [ "$1" = "$2" ]; then pass "$3"; else fail "$3" "got:    $1" "wanted: $2"; fi; }
like() { if [[ $1 =~ $2 ]]; then pass "$3"; else fail "$3" "text:  $1" "regex: $2"; fi; }
unlike() { if [[ $1 =~ $2 ]]; then fail "$3" "text:  $1" "regex: $2"; else pass "$3"; fi; }
fails() {
    local wanted=$1 regex=$2 what=$3
    shift 3
    run "$@"
    if [ "$status" -eq "$wanted" ] && [[ $err =~ $regex ]]; then pass "$what"; else
        fail "$what" "$*" "wanted status $wanted and stderr like: $regex" "$(show)"
    fi
}

# The repository of base images, as the user's only one.
use_test_repo() {
    [ -f "$repo/index.asc" ] || { echo "Bail out! no base images: run 'make base-images'"; exit 1; }
    mkdir -p "$XDG_CONFIG_HOME/kiln/repos.d"
    printf '[kiln-test]\nuri=file://%s/index.asc\ngpgkey=file://%s/key.asc\n' "$repo" "$repo" \
        >"$XDG_CONFIG_HOME/kiln/repos.d/kiln-test.conf"
}

# Byte offset of partition $2 of the raw image $1.
partition_offset() { sfdisk --json "$1" | jq ".partitiontable.partitions[$(($2 - 1))].start * 512"; }
# A file of an ext4 partition on standard output: guest_cat IMAGE PARTITION PATH
guest_cat() { debugfs -R "cat $3" "$1?offset=$(partition_offset "$1" "$2")" 2>/dev/null; }
fsck_clean() { e2fsck -fn "$1?offset=$(partition_offset "$1" "$2")"; }

# eventually COMMAND...: waits until it succeeds, for five minutes at most.
eventually() {
    for _ in {1..3000}; do
        "$@" && return
        sleep 0.1
    done
    return 1
}

# hold IMAGE: a real QEMU has the raw image open for writing, until let_go. Its first process ends
# when the machine is set up, and so the image locked; the pid file would be there before.
hold() {
    qemu-system-x86_64 -nodefaults -display none -machine q35,accel=tcg -m 32 -S \
        -drive "file=$1,format=raw,if=virtio" -pidfile "$tmp/holder" -daemonize
    on_exit+=(let_go)
}
let_go() {
    local holder
    [ -s "$tmp/holder" ] || return 0
    holder=$(<"$tmp/holder")
    kill -9 "$holder" && while kill -0 "$holder" 2>/dev/null; do sleep 0.05; done
    rm -f "$tmp/holder"
}

# part IMAGE OFFSET-MIB SIZE-MIB MKE2FS-OPTION...: a file system in an image.
part() {
    local image=$1 offset=$2 size=$3
    shift 3
    rm -f part.img
    mke2fs -q -t ext4 "$@" part.img "${size}M" >/dev/null
    dd if=part.img of="$image" bs=1M seek="$offset" conv=notrunc,sparse status=none
}
# cat_at IMAGE OFFSET-MIB PATH: a file of it.
cat_at() { debugfs -R "cat $3" "$1?offset=$(($2 << 20))" 2>/dev/null; }
