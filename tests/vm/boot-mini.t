#!/bin/bash
# Verdicts of `kiln boot`, each from a real machine: mini, whole and broken in different ways.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1
"$kiln" build -q mini -o mini.img
offset=$(partition_offset mini.img 1)
before=$(sha256sum <mini.img)

run "$kiln" boot mini.img --timeout 15m --json --junit mini.xml --console-log mini.log
is "$status" 0 'mini boots'
is "$(jq -r '.verdict, .image_unchanged, .engine' <<<"$out" | paste -sd' ')" 'login-prompt true qemu' 'to a login prompt, and is unchanged'
like "$(cat mini.log)" 'Linux version' 'the console is in the log'
ok 'the JUnit file is well-formed' python3 -c 'import sys, xml.dom.minidom as m; s = m.parse("mini.xml").documentElement; sys.exit(s.getElementsByTagName("failure").length)'
is "$(sha256sum <mini.img)" "$before" 'the file is the same'

"$kiln" boot mini.img -q --timeout 15m --cpus 2 --memory 256M --console-log one.log >one.out 2>&1 &
one=$!
"$kiln" boot mini.img -q --timeout 15m --console-log two.log >two.out 2>&1 &
two=$!
wait $one; one=$?
wait $two; two=$?
is "$one$two" 00 'two boots of one image side by side'

qemu-img convert -q -O qcow2 mini.img mini.qcow2
qemu-img create -q -f qcow2 -b mini.qcow2 -F qcow2 linked.qcow2
ok 'a linked clone boots' "$kiln" boot linked.qcow2 --timeout 15m
ok 'by its own boot loader under SeaBIOS' "$kiln" boot mini.img --timeout 15m --firmware bios
fails 1 'login-prompt' 'another verdict than the expected one is a failure' "$kiln" boot mini.img --timeout 15m --expect panic --junit bad.xml
like "$(cat bad.xml)" '<failure type="login-prompt"' 'in JUnit as well'
like "$err" 'login:' 'with the last lines of the console'

verdict() { # VERDICT DESCRIPTION ARGUMENT...
    run "$kiln" boot --json --expect "$1" --console-log verdict.log "${@:3}"
    if [ "$status" -eq 0 ]; then pass "$2 is $1"; else fail "$2 is $1" "$(show)" "$(tail -n 15 verdict.log)"; fi
}
# Somebody at the console.
sit() { # once there is a shell
    eventually grep -aq 'automatic login' sat.log
    # What is typed before the shell reads may be lost.
    for _ in {1..100}; do
        printf 'cat /sys/class/dmi/id/product_serial; grep -ac kiln-text /sys/firmware/dmi/tables/DMI\n'
        sleep 2
        grep -aq '^ds=nocloud' sat.log && break
    done
    printf 'poweroff\n'
}
sit | timeout 1200 "$kiln" boot mini.img -i --timeout 15m --console-log sat.log --smbios 'type=1,serial=ds=nocloud;h=x' --smbios type=11,value=kiln-text >sat.out 2>sat.err
is $? 0 'somebody sits at the console'
like "$(tr -d '\r' <sat.out | tr '\n' ' ')" 'ds=nocloud;h=x 1 .*Verdict: login-prompt' 'and finds what the firmware tells'

broken() { cp --sparse=always mini.img broken.img; }
truncate -s 8M blank.img
verdict no-bootloader 'an empty disk' blank.img --firmware bios --timeout 15m
verdict no-bootloader 'an empty disk under UEFI' blank.img --firmware uefi --timeout 15m
broken
debugfs -R 'cat /boot/grub/grub.cfg' "mini.img?offset=$offset" 2>/dev/null | sed 's/root=[^ ]*/root=UUID=00000000-0000-0000-0000-00000000dead/' >grub.cfg
debugfs -w -R 'rm /boot/grub/grub.cfg' "broken.img?offset=$offset" >/dev/null 2>&1
debugfs -w -R 'write grub.cfg /boot/grub/grub.cfg' "broken.img?offset=$offset" >/dev/null 2>&1
verdict no-root-device 'a root that is not there' broken.img --timeout 15m
broken
debugfs -w -R 'rm /usr/sbin/init' "broken.img?offset=$offset" >/dev/null 2>&1
verdict emergency-shell 'a guest without init' broken.img --timeout 15m
broken
echo 'no program' >noise
debugfs -w -R 'rm /usr/bin/busybox' "broken.img?offset=$offset" >/dev/null 2>&1
debugfs -w -R 'write noise /usr/bin/busybox' "broken.img?offset=$offset" >/dev/null 2>&1
debugfs -w -R 'sif /usr/bin/busybox mode 0100755' "broken.img?offset=$offset" >/dev/null 2>&1
verdict panic 'a guest whose init is no program' broken.img --timeout 15m
verdict timeout 'a limit too short' mini.img --timeout 1s
start=$SECONDS
run "$kiln" boot mini.img --timeout 1s
is "$status" 1 'a timeout is a failure'
[ $((SECONDS - start)) -lt 90 ] && pass 'that comes in time' || fail 'that comes in time' "$((SECONDS - start)) s"

"$kiln" boot mini.img --timeout 15m --console-log killed.log >/dev/null 2>&1 &
pid=$!
eventually test -s killed.log
kill -KILL $pid
wait $pid 2>/dev/null
no_machine() { ! pgrep -f '^qemu-system-x86_64 .*mini.img' >/dev/null; }
ok 'no machine outlives a killed kiln' eventually no_machine
is "$(ls -A "$TMPDIR")" '' 'nothing is left in temporary places'
finish
