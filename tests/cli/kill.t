#!/bin/bash
# SIGKILL at random moments of 100 builds: no partial output or cache entry under a final name, and a
# normal build succeeds afterwards.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1

"$kiln" build -q mini -o reference.img --size 300M --hostname ref
base=$(sha256sum <"$(echo "$XDG_CACHE_HOME"/kiln/base/*.raw)")
start=$(date +%s%N)
"$kiln" build -q mini -o reference.img --cache "$tmp/timed" --size 300M --hostname ref
length_us=$((($(date +%s%N) - start) / 1000))

wrong='' killed=0 finished=0
RANDOM=7
for ((i = 0; i < 100; i++)); do
    # Every third time the cache is empty, so that fetching and expanding are hit as well.
    [ $((i % 3)) -eq 0 ] && rm -rf "$tmp/kill-cache"
    rm -f victim.img
    "$kiln" build -q mini --cache "$tmp/kill-cache" -o victim.img --size 300M --hostname victim &
    pid=$!
    delay=$(((RANDOM * 32768 + RANDOM) % length_us))
    sleep "$(printf '%d.%06d' $((delay / 1000000)) $((delay % 1000000)))"
    kill -KILL $pid 2>/dev/null
    # The time that a build takes changes with what else the machine does: the delays follow it, so
    # that a third of the builds finish and the others are killed anywhere.
    if wait $pid 2>/dev/null; then
        finished=$((finished + 1)) length_us=$((length_us * 9 / 10))
    else
        killed=$((killed + 1)) length_us=$((length_us * 21 / 20))
    fi
    if [ -e victim.img ]; then
        fsck_clean victim.img 1 >/dev/null 2>&1 || wrong+="build $i left a partial output"$'\n'
        [ "$(stat -c %s victim.img)" -eq $((300 << 20)) ] || wrong+="build $i left a short output"$'\n'
    fi
    for entry in "$tmp"/kill-cache/base/*.raw; do
        [ -e "$entry" ] || continue
        [ "$(sha256sum <"$entry")" = "$base" ] || wrong+="build $i left a partial cache entry"$'\n'
    done
done
is "$wrong" '' 'nothing partial is ever visible'
[ $killed -gt 30 ] && pass "the kills hit ($killed killed, $finished finished)" || fail "the kills hit ($killed killed, $finished finished)"
ok 'a normal build succeeds afterwards' "$kiln" build -q mini --cache "$tmp/kill-cache" -o victim.img --size 300M
ok 'and its file system is clean' fsck_clean victim.img 1
is "$(ls -A | grep -c '\.tmp$')" 0 'no temporary file is left beside the output'
finish
