#!/bin/bash
# Images that name other files or hosts, in all the ways that their formats have (tests/hostile-images),
# through every command that opens an image, under strace: the file and the host that they name are never
# opened or connected to, nothing is written outside the test's folder, and for an image that is refused
# nothing but kiln itself runs.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
# New ones join here.
engines='native appliance'
runners='auto qemu'

mkdir "$tmp"/{images,secret,logs,good}
head -c 1048576 /dev/urandom >"$tmp/secret/disk"
secret=$(sha256sum <"$tmp/secret/disk")
"$kiln" build -q mini -o "$tmp/good/image"
good=$(sha256sum <"$tmp/good/image")

# Says its port, and then a line for each connection.
python3 -u -c '
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1])
while True:
    server.accept()[0].close()
    print("connected")
' >"$tmp/listener" &
listener=$!
on_exit+=("kill $listener")
eventually test -s "$tmp/listener"
"$top/tests/hostile-images" "$tmp/images" "$tmp/secret/disk" "$(head -n 1 "$tmp/listener")" >"$tmp/list"
# A seed is a raw disk whatever it begins with, and the machine that it is for starts.
seeds=$(grep -E ' (qcow2-(absolute|json-raw|nbd|link)|data-absolute|vmdk-(absolute|embedded)) ' "$tmp/list")
while read -r _ folder _; do
    cp -a "$tmp/images/$folder" "$tmp/images/seed-$folder"
    echo "seed seed-$folder auto"
done <<<"$seeds" >>"$tmp/list"

# Each command is a line: its words. IMAGE stands for the image.
commands() { # CLASS FORMAT
    [ "$1" = seed ] && { echo "boot --timeout 3s $tmp/good/image --seed IMAGE"; return; }
    local engine runner change="--write /etc/motd:x" format=''
    [ "$2" = auto ] || format="--format $2"
    for engine in $engines; do
        # An appliance would start for what is no hostile image, and not tell more.
        [ "$1/$engine" = harmless/appliance ] && continue
        echo "inspect --engine $engine $format IMAGE"
        echo "customize --engine $engine $format -a IMAGE $change"
        echo "customize --engine $engine $format -a IMAGE --atomic $change"
        echo "customize --engine $engine $format -a IMAGE -n $change"
        echo "sysprep --engine $engine $format -a IMAGE"
        echo "sysprep --engine $engine $format -a IMAGE -n"
    done
    [ "$1" = refused ] || { echo "boot --timeout 3s $format IMAGE"; return; }
    for runner in $runners; do
        echo "boot --engine $runner --timeout 5s $format IMAGE"
        echo "boot --engine $runner --timeout 5s $format --persist IMAGE"
    done
    echo "boot --timeout 5s $format --direct-kernel IMAGE"
    [ "$2" = auto ] || return
    echo "build hostile --source index --no-check-signature -o out.img"
    echo "customize -a $tmp/good/image --attach IMAGE --run-command true"
    echo "customize -a IMAGE --run-command true"
}

# The image as the base image of a repository.
make_index() {
    printf '[hostile]\nname=x\narch=x86_64\nfile=image\nsize=1048576\nexpand=/dev/sda1\nchecksum[sha512]=%s\n' \
        "$(sha512sum <image | cut -d' ' -f1)" >index
}

# In the image's folder; the commands' outcomes go to the log.
run_commands() { # CLASS FORMAT LOG
    local line status
    while read -r line; do
        # shellcheck disable=SC2086
        timeout -k 5 60 "$kiln" ${line//IMAGE/image} >"$3.out" 2>&1 </dev/null
        status=$?
        printf '%s %s\n' "$status" "$line"
        [ "$1/$status" != refused/1 ] && sed 's/^/    /' "$3.out"
    done < <(commands "$1" "$2") >"$3.status"
}

# What the log of strace tells of files, hosts and programs that were reached.
judge() { # CLASS LOG
    grep -E " = [0-9]+<$tmp/secret(/[^>]*)?>" "$2" | sed 's/^/opened: /'
    grep -E 'connect\(.*sa_family=AF_INET' "$2" | sed 's/^/connected: /'
    grep -E 'O_(WRONLY|RDWR|CREAT|TRUNC).* = [0-9]+<' "$2" |
        grep -vE " = [0-9]+<($tmp|/dev|/proc|/memfd:)[^>]*>" | sed 's/^/written: /'
    [ "$1" = refused ] || return
    grep -E 'execve\(.*\) += 0$' "$2" | grep -vE "execve\(\"($kiln|[^\"]*/(bash|timeout|sed))\"" | sed 's/^/ran: /'
    grep -vE '^1 |^ ' "$2.status" | sed 's/^/not refused: /'
}

try() { # CLASS FOLDER FORMAT
    local log=$tmp/logs/$2
    cd "$tmp/images/$2" || return
    make_index
    find . -type f -exec sha256sum {} + | sort >"$log.before"
    traced -f --seccomp-bpf -qq -y -s 300 -e 'signal=!all' -o "$log" \
        -e trace=open,openat,openat2,creat,connect,execve,execveat \
        bash -c 'run_commands "$@"' bash "$1" "$3" "$log"
    {
        judge "$1" "$log"
        [ -s "$log.status" ] || echo 'no command was run'
        find . -type f -exec sha256sum {} + | sort | diff "$log.before" - | sed 's/^/changed: /'
    } >"$log.faults"
    rm -f "$log"
}
export kiln tmp engines runners
export -f traced commands make_index run_commands judge try
# shellcheck disable=SC2016
xargs -P "$(nproc)" -L 1 bash -c 'try "$@"' bash <"$tmp/list"
while read -r class folder _; do
    is "$(head -n 12 "$tmp/logs/$folder.faults" 2>&1)" '' "$folder ($class)"
done <"$tmp/list"
if [ "$(wc -l <"$tmp/list")" -ge 60 ]; then pass 'there are at least 60 images'; else fail 'there are at least 60 images'; fi
is "$(sha256sum <"$tmp/secret/disk")" "$secret" 'the file that they name is as it was'
is "$(sha256sum <"$tmp/good/image")" "$good" 'so is the image that they were attached to'
is "$(tail -n +2 "$tmp/listener")" '' 'nobody has connected to the host that they name'
finish
