#!/bin/bash
# kiln's own runner on a real KVM (tests/kvmbox): an image that boots to its login, and somebody at the
# console of a guest with two processors. More of it: tests/long/kvm-boot.t and kvm-endure.t.
# memory: 4G
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1
. "$top/tests/vm/kvm-guest.sh"
"$kiln" build -q mini -o mini.img

cat >inside <<END
$try
END
cat >>inside <<'END'
kiln doctor | grep ' KVM ' >out/doctor
try mini
(until grep -q '^say something' out/talk.log; do sleep 1; done 2>/dev/null; echo 'a line longer than what the FIFO holds') |
    kiln boot mini.img --engine kvm --cpus 2 --memory 256M --timeout 60m --interactive --console-log out/talk.log --kernel cloud --initrd initrd.gz \
        --append 'console=ttyS0 talk' --smbios 'type=1,serial=ds=nocloud;h=x' --smbios type=11,value=kiln-text --expect power-off >out/talk.out 2>&1
echo "talk: status $?"
ls -A "$TMPDIR" >out/left
ps >out/processes
exit 0
END
box small --timeout 1500 --memory 2048 --file mini.img:mini.img --file "$cloud:cloud" --file initrd.gz:initrd.gz
like "$(cat small/doctor)" '^ok ' 'KVM is healthy in it'
outcome mini 'login-prompt kvm kvm true' 'mini boots to its shell'
like "$(cat small/talk.log)" 'heard: a line longer than what the FIFO holds; serial ds=nocloud;h=x; texts 1' 'what is typed reaches the guest, and what SMBIOS tells'
like "$(grep -a inside: small/talk.log)" 'cpus=2 acpi=yes memory=(1[6-9]|2[0-9])[0-9]' "Debian's cloud kernel finds two processors and its memory, by ACPI"
like "$(tr "\r\n" "  " <small/talk.out)" 'heard: a line longer.*Verdict: power-off \(as expected' 'the guest switches itself off, which is shown'
is "$(cat small/left)" '' 'no temporary file is left'
unlike "$(cat small/processes)" 'kiln boot' 'and no process'
finish
