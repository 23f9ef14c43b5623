#!/bin/bash
# tests/run: what it counts, what it fails, in which order and how many at a time it runs programs.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
export KILN_TEST_CACHE=$tmp/times

program() { # NAME: from standard input
    { echo '#!/bin/bash'; cat; } >"$1"
    chmod +x "$1"
}
program good.t <<<'echo "ok 1 - one"; echo "ok 2 - two # SKIP no such thing"; echo 1..2'
program bad.t <<<'echo "not ok 1 - wrong"; echo "# because"; echo 1..1'
program dies.t <<<'echo "ok 1"; echo 1..2; echo "last words" >&2; exit 3'
program killed.t <<<'echo "ok 1"; echo 1..1; kill -KILL $$'
# As cmocka says it.
program unit <<'END'
echo 1..2
echo 'ok 1 - first'
echo '# SKIP: there is no device'
echo 'not ok 2 # SKIP second'
END
program nothing <<<'echo "1..0 # SKIP no guest"'

ok 'programs that pass' "$top/tests/run" ./good.t ./unit ./nothing
is "$(tail -n 1 <<<"$out")" '2 passed, 0 failed, 3 skipped' 'are counted'
like "$out" 'skipped: \./good\.t: test 2 \(two\): no such thing' 'a skipped test is named with its reason'
like "$out" 'skipped: \./unit: test 2 \(second\): there is no device' "so is cmocka's"
like "$out" 'skipped: \./nothing: all of it: no guest' 'and a whole program'
run "$top/tests/run" ./good.t ./bad.t ./dies.t ./killed.t
is "$status" 1 'a failure is one'
is "$(tail -n 1 <<<"$out")" '3 passed, 3 failed, 1 skipped' 'whether of a test or of its program'
like "$out" 'not ok 1 - wrong.*# because' 'what failed is shown, with its comments'
like "$out" 'exit status 3.*last words' 'so is what was said on standard error'
like "$out" 'signal 9' 'and a signal'

program file.t <<<'touch "$TMPDIR/left"; echo "ok 1"; echo 1..1'
program process.t <<<'TMPDIR=/ setsid sleep 1000 >/dev/null 2>&1 & echo $! >pid; echo "ok 1"; echo 1..1'
run "$top/tests/run" ./file.t
like "$out" 'left behind: file left' 'a file that stays behind is a failure'
is "$(ls -A "$TMPDIR")" '' 'and is removed'
run "$top/tests/run" ./process.t
like "$out" 'left behind: process [0-9]+: sleep 1000' 'so is a process'
is "$(tail -n 1 <<<"$out")" '1 passed, 1 failed, 0 skipped' 'though its tests passed'
ok 'and it is ended' eventually bash -c '! kill -0 "$(cat pid)" 2>/dev/null'

# The slow one of the last run is started first; two that do not fit into memory run one after the other.
program quick.t <<<'echo quick >>order; echo "ok 1"; echo 1..1'
program slow.t <<<'echo slow >>order; sleep 1; echo "ok 1"; echo 1..1'
for _ in 1 2; do
    rm -f order
    "$top/tests/run" --jobs 1 ./quick.t ./slow.t >first.out
done
is "$(paste -sd' ' order)" 'slow quick' 'what took longest is started first'
like "$(cat first.out)" 'The slowest, .* 1 at a time:.*\./slow\.t.*\./quick\.t' 'and is told at the end'
for name in one two; do
    program "$name.t" <<'END'
# memory: 3G
mkdir busy || echo collision
sleep 1
rmdir busy
echo "ok 1"; echo 1..1
END
done
"$top/tests/run" --jobs 2 --memory 5000 ./one.t ./two.t >memory.out
is "$(tail -n 1 memory.out)" '2 passed, 0 failed, 0 skipped' 'what does not fit beside another waits'
is "$(cat times/logs/{one,two}.t.log)" $'ok 1\n1..1\nok 1\n1..1' 'until that is over'

program waits.t <<<'echo $$ >pid; sleep 1000; echo "ok 1"; echo 1..1'
"$top/tests/run" ./waits.t >stopped.out 2>&1 &
runner=$!
rm -f pid
eventually test -s pid
kill -TERM $runner
wait $runner
is $? 130 'a signal stops it'
ok 'with what it started' bash -c '! kill -0 "$(cat pid)" 2>/dev/null'
is "$(ls -A "$TMPDIR")" '' 'and nothing stays behind'
fails 2 'usage:' 'without a program it tells its usage' "$top/tests/run"
finish
