# shellcheck shell=bash disable=SC2034
# Sourced by the benchmarks from the repository's root. Gives each one $kiln, $repo and a private
# directory $work that vanishes at the end, the peers' environment, and the measuring functions.

kiln=$PWD/kiln
cache=${XDG_CACHE_HOME:-$HOME/.cache}/kiln-test
repo=$cache/repo
work=$(mktemp -d "${TMPDIR:-/var/tmp}/kiln-bench.XXXXXX")
trap 'rm -rf -- "$work"' EXIT

export XDG_CONFIG_HOME=$cache/config XDG_CONFIG_DIRS=$cache/config XDG_CACHE_HOME=$work/cache HOME=$work
# Keeps virt-builder from its built-in repositories, which are not reachable everywhere.
export VIRT_BUILDER_DIRS=/nonexistent
export LIBGUESTFS_BACKEND=direct
mkdir -p "$XDG_CACHE_HOME"
"$kiln" doctor | grep -q '^ok  *KVM' || export LIBGUESTFS_BACKEND_SETTINGS=force_tcg
ssh-keygen -q -t ed25519 -N '' -f "$work/key"

# seconds COMMAND...: wall-clock seconds of one run; peak memory in $work/rss (KiB).
seconds() {
    local started=$EPOCHREALTIME
    /usr/bin/time -o "$work/time" -f '%M' "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }'
    cp "$work/time" "$work/rss"
}
best_of() {
    local n=$1 i
    shift
    for ((i = 0; i < n; i++)); do seconds "$@"; done | sort -n | head -n 1
}
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# system_calls COMMAND...: how many it makes, with its children.
system_calls() {
    strace -f -c -o "$work/strace" "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    awk '$NF == "total" { print $4 }' "$work/strace"
}
