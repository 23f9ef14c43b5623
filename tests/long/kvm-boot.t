#!/bin/bash
# kiln's own runner on a real KVM (tests/kvmbox): the guests that it is for, with one and two processors.
# memory: 7G
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1
. "$top/tests/vm/kvm-guest.sh"
head -c 300000 initrd.gz >cut.gz
"$kiln" build -q mini -o mini.img

cat >inside <<END
$try
END
cat >>inside <<'END'
try mini2 --cpus 2 --memory 768M
for kernel in cloud stock; do
    try $kernel --kernel $kernel --initrd initrd.gz --append console=ttyS0 --cpus 2 --wait-for '^inside: ' --memory 256M
done
try cut --kernel cloud --initrd cut.gz --append 'console=ttyS0 panic=-1'
try large --kernel cloud --initrd initrd.gz --append console=ttyS0 --memory 3584M --wait-for '^inside: '
ls -A "$TMPDIR" >out/left
ps >out/processes
exit 0
END
box small --timeout 2400 --memory 5120 --file mini.img:mini.img --file "$cloud:cloud" --file "$stock:stock" \
    --file initrd.gz:initrd.gz --file cut.gz:cut.gz
outcome mini2 'login-prompt kvm kvm true' 'mini boots with two processors'
outcome cloud 'line-seen kvm kvm true' "Debian's cloud kernel boots"
outcome stock 'line-seen kvm kvm true' 'and its ordinary one'
for kernel in cloud stock; do
    like "$(grep -a inside: small/$kernel.log)" 'cpus=2 acpi=yes memory=(1[6-9]|2[0-9])[0-9]' "$kernel: finds two processors and its memory, by ACPI"
done
is "$(jq -r .passed small/cut.json)" false 'an initrd that is cut off is no success'
like "$(jq -r .verdict small/cut.json)" '^(panic|no-root-device)$' 'but a verdict'
like "$(grep -a inside: small/large.log)" 'memory=3[345][0-9][0-9]' 'memory on both sides of the PCI hole is found'
is "$(cat small/left)" '' 'no temporary file is left'
unlike "$(cat small/processes)" 'kiln boot' 'and no process'

# A whole Debian, which takes minutes where the processor is emulated.
"$kiln" build -q debian-12 -o web.img --hostname web1
printf '#cloud-config\nruncmd:\n  - [sh, -c, "echo left by runcmd >/root/proof"]\n' >user-data
"$kiln" seed -q -o seed.iso --user-data user-data --hostname web1
run "$kvmbox" --timeout 2700 --reruns 1 --memory 2560 --out large --file web.img:web.img --file seed.iso:seed.iso -- \
    kiln boot web.img --engine kvm --seed seed.iso --cpus 2 --memory 1G --timeout 3h --json \
    --run 'cat /root/proof; nproc' --console-log out/console.log
grep '^kvmbox: ' <<<"$err" | sed 's/^/# /'
is "$status" 0 'debian-12 boots'
[ "$status" -eq 0 ] || { show; tail -n 20 large/console.log; } | sed 's/^/# /'
is "$(jq -r '.verdict, .engine, .image_unchanged' <<<"$out" | paste -sd' ')" 'cloud-init-done kvm true' 'to the end of cloud-init'
is "$(jq -r .run.stdout <<<"$out")" $'left by runcmd\n2' 'as told from inside'
finish
