#!/bin/bash
# kiln's own runner on a real KVM (tests/kvmbox): the guests that it is for, with one and two processors.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1
kvmbox=$top/tests/kvmbox

newest() { find /boot -name "vmlinuz-*$1" ! -name "$2" | sort -V | tail -n 1; }
cloud=$(newest -cloud-amd64 '')
stock=$(newest -amd64 '*-cloud-amd64')
[ -n "$cloud" ] && [ -n "$stock" ] || { echo 'Bail out! no kernels: linux-image-amd64 and linux-image-cloud-amd64'; exit 1; }

# A guest of the kernel alone, which says what it finds.
mkdir -p root/{bin,dev,proc,sys}
cp -L "$(type -P busybox)" root/bin/busybox
cat >root/init <<'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
if grep -q talk /proc/cmdline; then
    echo 'say something'
    read -r line
    echo "heard: $line; serial $(cat /sys/class/dmi/id/product_serial); texts $(grep -ac kiln-text /sys/firmware/dmi/tables/DMI)"
    poweroff -f
fi
echo "inside: cpus=$(grep -c ^processor /proc/cpuinfo) acpi=$([ -d /sys/firmware/acpi/tables ] && echo yes) memory=$(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo)"
poweroff -f
END
chmod 755 root/init
(cd root && find . | cpio -o -H newc --quiet | gzip -9) >initrd.gz
head -c 300000 initrd.gz >cut.gz
"$kiln" build -q mini -o mini.img

cat >inside <<'END'
try() { # NAME ARGUMENT...
    name=$1
    shift
    kiln boot mini.img --engine kvm --timeout 10m --json --console-log "out/$name.log" "$@" >"out/$name.json" 2>"out/$name.err"
    echo "$name: status $?"
}
kiln doctor | grep ' KVM ' >out/doctor
try mini
try mini2 --cpus 2 --memory 768M
for kernel in cloud stock; do
    try $kernel --kernel $kernel --initrd initrd.gz --append console=ttyS0 --cpus 2 --wait-for '^inside: ' --memory 256M
done
try cut --kernel cloud --initrd cut.gz --append 'console=ttyS0 panic=-1'
try large --kernel cloud --initrd initrd.gz --append console=ttyS0 --memory 3584M --wait-for '^inside: '
(until grep -q '^say something' out/talk.log; do sleep 1; done 2>/dev/null; echo 'a line longer than what the FIFO holds') |
    kiln boot mini.img --engine kvm --timeout 5m --interactive --console-log out/talk.log --kernel cloud --initrd initrd.gz \
        --append 'console=ttyS0 talk' --smbios 'type=1,serial=ds=nocloud;h=x' --smbios type=11,value=kiln-text --expect power-off >out/talk.out 2>&1
echo "talk: status $?"
ls -A "$TMPDIR" >out/left
ps >out/processes
exit 0
END
run "$kvmbox" --timeout 1500 --memory 5120 --out small --file mini.img:mini.img --file "$cloud:cloud" --file "$stock:stock" \
    --file initrd.gz:initrd.gz --file cut.gz:cut.gz --file inside:inside -- sh ./inside
is "$status" 0 'the box runs'
[ "$status" -eq 0 ] || show | sed 's/^/# /'
grep '^kvmbox: ' <<<"$err" | sed 's/^/# /'
explain() { [ "$1" = "$2" ] || { cat "small/$3.err"; tail -n 15 "small/$3.log"; } 2>/dev/null | sed 's/^/# /'; }
outcome() { # NAME WANTED DESCRIPTION
    local got
    got=$(jq -r '.verdict, .engine, .accelerator, .image_unchanged' "small/$1.json" 2>/dev/null | paste -sd' ')
    is "$got" "$2" "$3"
    explain "$got" "$2" "$1"
}
like "$(cat small/doctor)" '^ok ' 'KVM is healthy in it'
outcome mini 'login-prompt kvm kvm true' 'mini boots to its shell'
outcome mini2 'login-prompt kvm kvm true' 'and with two processors'
outcome cloud 'line-seen kvm kvm true' "Debian's cloud kernel boots"
outcome stock 'line-seen kvm kvm true' 'and its ordinary one'
for kernel in cloud stock; do
    like "$(grep -a inside: small/$kernel.log)" 'cpus=2 acpi=yes memory=(1[6-9]|2[0-9])[0-9]' "$kernel: finds two processors and its memory, by ACPI"
done
is "$(jq -r .passed small/cut.json)" false 'an initrd that is cut off is no success'
like "$(jq -r .verdict small/cut.json)" '^(panic|no-root-device)$' 'but a verdict'
like "$(grep -a inside: small/large.log)" 'memory=3[345][0-9][0-9]' 'memory on both sides of the PCI hole is found'
like "$(cat small/talk.log)" 'heard: a line longer than what the FIFO holds; serial ds=nocloud;h=x; texts 1' 'what is typed reaches the guest, and what SMBIOS tells'
like "$(tr "\r\n" "  " <small/talk.out)" 'heard: a line longer.*Verdict: power-off \(as expected' 'which is shown'
is "$(cat small/left)" '' 'no temporary file is left'
unlike "$(cat small/processes)" 'kiln boot' 'and no process'

# A whole Debian, which takes minutes where the processor is emulated.
"$kiln" build -q debian-12 -o web.img --hostname web1
printf '#cloud-config\nruncmd:\n  - [sh, -c, "echo left by runcmd >/root/proof"]\n' >user-data
"$kiln" seed -q -o seed.iso --user-data user-data --hostname web1
run "$kvmbox" --timeout 2700 --reruns 1 --memory 2560 --out large --file web.img:web.img --file seed.iso:seed.iso -- \
    kiln boot web.img --engine kvm --seed seed.iso --cpus 2 --memory 1G --timeout 40m --json \
    --run 'cat /root/proof; nproc' --console-log out/console.log
grep '^kvmbox: ' <<<"$err" | sed 's/^/# /'
is "$status" 0 'debian-12 boots'
[ "$status" -eq 0 ] || { show; tail -n 20 large/console.log; } | sed 's/^/# /'
is "$(jq -r '.verdict, .engine, .image_unchanged' <<<"$out" | paste -sd' ')" 'cloud-init-done kvm true' 'to the end of cloud-init'
is "$(jq -r .run.stdout <<<"$out")" $'left by runcmd\n2' 'as told from inside'
finish
