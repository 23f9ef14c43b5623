#!/bin/bash
# kiln boot as its user sees it, with a QEMU that is played (tests/fakes) except where locks are
# concerned: outcomes, what they are told as, and what is left behind.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1

real_path=$PATH
export PATH=$top/tests/fakes:$PATH KILN_KVM_DEVICE=/nonexistent TMPDIR=$tmp/overlays
mkdir "$TMPDIR"
truncate -s 1M disk.img seed.iso

fails 2 'kiln boot --help' 'a disk is needed' "$kiln" boot
fails 2 'neither bios nor uefi' 'firmware is checked' "$kiln" boot disk.img --firmware efi
fails 2 'is not a verdict.*cloud-init-done' 'the expectation is checked' "$kiln" boot disk.img --expect fine
fails 1 'nothing.img: ' 'a missing image is named' "$kiln" boot nothing.img
fails 1 'nothing.iso: ' 'so is a missing seed' "$kiln" boot disk.img --seed nothing.iso
fails 1 'directory' 'a directory is no disk' "$kiln" boot "$TMPDIR"

# No QEMU, no firmware: what to install.
mkdir none
fails 1 'install qemu-system-x86 \(Debian' 'without QEMU the package is named' env "PATH=$tmp/none" "$kiln" boot disk.img
KILN_OVMF_DIR=$tmp/none fails 1 'OVMF_CODE.fd' 'without OVMF its files are named' "$kiln" boot disk.img --firmware uefi

# A good end, told in every way.
export FAKE_QEMU=prompt
run "$kiln" boot disk.img --console-log console.log --json --junit outcome.xml
is "$status" 0 'a login prompt is a success'
is "$(jq -r '.verdict, .passed, .image_unchanged, .accelerator, .reason' <<<"$out" | paste -sd' ')" \
    'login-prompt true true tcg fake login:' 'JSON tells it'
like "$(jq -r .digest_after <<<"$out")" '^[0-9a-f]{64}$' 'a digest of the image is told'
is "$(jq -r .digest_before <<<"$out")" "$(jq -r .digest_after <<<"$out")" 'the same as before the boot'
like "$(cat outcome.xml)" '<testsuite [^>]*tests="1"[^>]*failures="0"' 'JUnit tells it'
like "$(cat console.log)" 'fake login: ' 'the console is logged'
like "$err" 'Emulating, without KVM: /nonexistent does not exist' 'why it is emulated is said'
fails 1 'panic|login-prompt' 'another verdict than the expected one fails' "$kiln" boot disk.img --expect panic
run "$kiln" boot -q disk.img
is "$status$out$err" 0 'with -q a success is silent'

# Bad ends.
FAKE_QEMU=panic run "$kiln" boot disk.img --console-log console.log --junit outcome.xml
is "$status" 1 'a panic is a failure'
like "$out" 'Verdict: panic' 'and told as such'
like "$(cat outcome.xml)" 'failures="1".*<failure type="panic"' 'JUnit tells it, too'
like "$(cat console.log)" 'told afterwards' "the log holds what followed the panic's line"
FAKE_QEMU=panic ok 'a panic can be what is expected' "$kiln" boot disk.img --expect panic
FAKE_QEMU=crash fails 1 'cannot set up guest memory' 'a QEMU that fails is quoted' "$kiln" boot disk.img
FAKE_QEMU=no-space fails 1 'set TMPDIR' 'a full disk is explained' "$kiln" boot disk.img
FAKE_QEMU=silent run "$kiln" boot disk.img --timeout 300ms
is "$status" 1 'silence is a failure'
like "$out" 'Verdict: timeout' 'and told as a timeout'
FAKE_QEMU=prompt run "$kiln" boot disk.img --seed seed.iso --timeout 300ms
like "$out" 'Verdict: timeout.*login prompt appeared.*cloud-init did not finish' 'with a seed a prompt is not enough'
FAKE_QEMU=scribble FAKE_QEMU_SCRIBBLE=disk.img run "$kiln" boot disk.img
is "$status" 1 'a changed image is a failure'
like "$out" 'Image: CHANGED' 'and told'
is "$(ls -A "$TMPDIR")" '' 'no overlay is left'

# KVM that is none, and KVM that only pretends.
KILN_KVM_DEVICE=/dev/null run "$kiln" boot disk.img
like "$err" 'without KVM: /dev/null is not a KVM device' 'a device that is not KVM is seen through'
if [ -w /dev/kvm ]; then
    KILN_KVM_DEVICE=/dev/kvm run "$kiln" boot disk.img
    is "$status" 0 '/dev/kvm, whatever it is, is judged and the boot goes on'
    like "$err" 'Running on KVM|only emulates' 'and what it is worth is said'
else
    skip '/dev/kvm is judged' 'there is none, or not for us'
fi

# A real QEMU that writes to the image keeps us out; several boots get along.
PATH=$real_path qemu-system-x86_64 -nodefaults -display none -machine q35,accel=tcg -m 32 -S \
    -drive file=disk.img,format=raw,if=virtio -pidfile qemu.pid >/dev/null 2>&1 &
qemu=$!
disown
on_exit+=('kill -9 $qemu 2>/dev/null')
for ((i = 0; i < 100; i++)); do [ -s qemu.pid ] && break; sleep 0.1; done
fails 1 'disk.img: the image is in use' 'an image that a machine writes to is refused' "$kiln" boot disk.img
kill -9 "$qemu"
for ((i = 0; i < 100; i++)); do kill -0 "$qemu" 2>/dev/null || break; sleep 0.1; done
"$kiln" boot disk.img --console-log one.log >/dev/null 2>&1 &
one=$!
run "$kiln" boot disk.img --console-log two.log
is "$status" 0 'one boot of two at once'
wait "$one"
is $? 0 'and the other'
finish
