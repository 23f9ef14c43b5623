#!/bin/bash
# Limits of the process: no core dumps, and a file size limit that is told, with nothing half-written.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1

"$kiln" build -q mini -o base.img || exit 1
limited() { (ulimit -f 2000 && exec "$@"); } # of 1024 bytes

fails 1 'ulimit -f' 'kiln build under a file size limit' limited "$kiln" build mini -o out.img --hostname x
is "$(ls out.img* .out.img* 2>/dev/null)" '' 'leaves no output, whole or in part'
cp --sparse=always base.img disk.img
before=$(sha256sum <disk.img)
fails 1 'ulimit -f' 'kiln customize in place' limited "$kiln" customize -q disk.img --hostname x
is "$(sha256sum <disk.img) $(ls disk.img*)" "$before disk.img" 'leaves the image as it was'
fails 1 'ulimit -f' 'kiln customize --atomic' limited "$kiln" customize -q --atomic disk.img --hostname x
is "$(sha256sum <disk.img) $(ls disk.img*)" "$before disk.img" 'too'
printf '#cloud-config\nhostname: x\n' >user-data
fails 1 'ulimit -f' 'kiln seed' bash -c 'ulimit -f 100 && exec "$1" seed -o seed.iso --user-data user-data' sh "$kiln"
is "$(ls seed.iso* 2>/dev/null)" '' 'leaves no seed'

# The limits of a kiln that waits for its input.
mkfifo fifo
"$kiln" seed -o later.iso --user-data - <fifo >/dev/null 2>&1 &
pid=$!
exec 9>fifo
is_limited() { [ "$(awk '/^Max core file size/ {print $5, $6}' "/proc/$pid/limits")" = '1 1' ]; }
ok 'no core dump can be made, piped or not' eventually is_limited
echo '#cloud-config' >&9
exec 9>&-
wait $pid
finish
