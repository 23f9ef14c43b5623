#!/bin/bash
# kiln boot where KVM is absent, forbidden, none, or only pretends: --engine kvm refuses with the reason
# and the remedy, --engine auto takes QEMU at once and says so. The QEMU is played (tests/fakes).
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1

real_path=$PATH
export PATH=$top/tests/fakes:$PATH FAKE_QEMU=prompt
truncate -s 1M disk.img
# A boot header: enough of a kernel where nothing gets as far as to run it.
truncate -s 4096 kernel
printf '\x55\xaaxxHdrS' | dd of=kernel bs=1 seek=510 conv=notrunc status=none
boot=("$kiln" boot disk.img --kernel kernel --append quiet)

KILN_KVM_DEVICE=/nonexistent fails 1 '/nonexistent does not exist.*load kvm_intel or kvm_amd' 'without KVM, --engine kvm refuses and says what to do' \
    "${boot[@]}" --engine kvm
KILN_KVM_DEVICE=/dev/null fails 1 '/dev/null is not a KVM device' 'a device that is something else is refused' "${boot[@]}" --engine kvm
KILN_KVM_DEVICE=/nonexistent fails 1 'boots kernels directly.*--engine qemu' 'the built-in runner has no firmware' "$kiln" boot disk.img --firmware bios --engine kvm

# Without permission: a device that only root may open, for somebody else.
touch device && chmod 000 device
chmod 755 "$tmp"
mkdir -m 777 other
as_other=(env HOME="$tmp/other" XDG_RUNTIME_DIR="$tmp/other" XDG_STATE_HOME="$tmp/other" XDG_CACHE_HOME="$tmp/other" TMPDIR="$tmp/other")
[ "$(id -u)" -ne 0 ] || as_other=(setpriv --reuid 65534 --regid 65534 --clear-groups "${as_other[@]}")
if "${as_other[@]}" "$kiln" --version >/dev/null 2>&1 && "${as_other[@]}" test -r "$tmp/disk.img"; then
    KILN_KVM_DEVICE=$tmp/device fails 1 'device may not be opened by this user.*group.*adduser USER kvm' \
        'without permission the group is named' "${as_other[@]}" "${boot[@]}" --engine kvm
    KILN_KVM_DEVICE=$tmp/device run "${as_other[@]}" "${boot[@]}"
    is "$status" 0 'and QEMU is taken'
    like "$err" 'Emulating, without KVM: .*device may not be opened' 'which is said'
else
    skip 'without permission the group is named' 'another user cannot reach kiln here'
    skip 'and QEMU is taken' 'another user cannot reach kiln here'
    skip 'which is said' 'another user cannot reach kiln here'
fi

# This host's own device, whatever it is worth. The first answer may come from the self-test itself.
started=$EPOCHREALTIME
run "${boot[@]}" --json
took=$(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%d", (b - a) * 1000 }')
if [ "$(jq -r .engine <<<"$out")" = qemu ]; then
    is "$(jq -r '.verdict, .accelerator' <<<"$out" | paste -sd' ')" 'login-prompt tcg' 'auto takes QEMU where KVM is not healthy'
    like "$err" 'Emulating, without KVM: ' 'and says so, with the reason'
    [ "$took" -lt 5000 ] && pass 'in time' || fail 'in time' "$took ms"
    fails 1 'kvm' '--engine kvm refuses here' "${boot[@]}" --engine kvm
else
    skip 'auto takes QEMU where KVM is not healthy' 'KVM is healthy'
    skip 'and says so, with the reason' 'KVM is healthy'
    skip 'in time' 'KVM is healthy'
    skip '--engine kvm refuses here' 'KVM is healthy'
fi

# More memory than there is, with a real QEMU.
export KILN_KVM_DEVICE=/nonexistent PATH=$real_path
fails 2 'between 32M and 1T' 'two tebibytes are too many for any machine' "${boot[@]}" --memory 2T
if [ "$(cat /proc/sys/vm/overcommit_memory)" = 1 ]; then
    skip 'one is too many for this host' 'it promises any amount of memory'
else
    fails 1 '[Mm]emory' 'one is too many for this host' "${boot[@]}" --memory 1T --timeout 20s
fi
finish
