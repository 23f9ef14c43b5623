#!/bin/bash
# Images that kiln must refuse or survive: in use, looping, absurd, damaged, of other formats.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1
"$kiln" build -q mini -o mini.img

# In use by a running QEMU.
hold mini.img
fails 1 'mini\.img.*(in use|used by)' 'inspect refuses an image that a machine writes to' "$kiln" inspect mini.img
fails 1 'mini\.img.*(in use|used by)' 'boot refuses it' "$kiln" boot mini.img --timeout 20s
let_go
ok 'afterwards it is read' "$kiln" inspect mini.img

# qcow2.
qemu-img convert -q -O qcow2 mini.img mini.qcow2
run "$kiln" inspect --json mini.qcow2
is "$(jq -r '.image.format, .os.distro, .engine' <<<"$out" | paste -sd' ')" 'qcow2 debian native' 'qcow2 is read in-process'
qemu-img convert -q -c -O qcow2 mini.img packed.qcow2
ok 'so is a compressed one' "$kiln" inspect packed.qcow2
qemu-img create -q -f qcow2 -b mini.qcow2 -F qcow2 over.qcow2
run "$kiln" inspect --json over.qcow2
is "$(jq -r '.image.backing_file, .os.hostname' <<<"$out" | paste -sd' ')" 'mini.qcow2 mini' 'and one with a backing file'
qemu-img create -q -f qcow2 a.qcow2 64M
qemu-img create -q -f qcow2 -b a.qcow2 -F qcow2 b.qcow2
qemu-img rebase -u -f qcow2 -b b.qcow2 -F qcow2 a.qcow2
fails 1 'leads back' 'a loop in the backing chain is refused' timeout 300 "$kiln" inspect a.qcow2
qemu-img create -q -f qcow2 -u -b gone.qcow2 -F qcow2 orphan.qcow2 64M
fails 1 'gone\.qcow2' 'a backing file that is not there is named' "$kiln" inspect orphan.qcow2
absurd() { # OFFSET BYTES DESCRIPTION
    cp mini.qcow2 absurd.qcow2
    printf "$2" | dd of=absurd.qcow2 bs=1 seek="$1" conv=notrunc status=none
    fails 1 'absurd\.qcow2' "$3 is refused" timeout 300 "$kiln" inspect absurd.qcow2
}
absurd 4 '\0\0\0\x63' 'qcow2 version 99'
absurd 20 '\0\0\0\x3f' 'a cluster size of 2^63'
absurd 20 '\0\0\0\x01' 'a cluster size of 2'
absurd 24 '\xff\xff\xff\xff\xff\xff\xff\xff' 'a size of 2^64-1'
absurd 36 '\xff\xff\xff\xff' 'an L1 table of 32 GiB'
absurd 40 '\x7f\xff\xff\xff\xff\xff\xff\x01' 'an L1 table beyond the end'
absurd 32 '\0\0\0\1' 'encryption'
absurd 72 '\x80\0\0\0\0\0\0\0' 'an unknown incompatible feature'

# Other formats come through qemu-nbd.
qemu-img convert -q -O vmdk mini.img mini.vmdk
run "$kiln" inspect --json mini.vmdk
is "$(jq -r '.image.format, .os.distro' <<<"$out" | paste -sd' ')" 'vmdk debian' 'vmdk is read'
# A PATH without qemu-nbd: only what the command needs to be told about it.
mkdir bin
fails 1 'qemu-nbd' 'without qemu-nbd the package to install is named' env PATH="$tmp/bin" "$kiln" inspect mini.vmdk
like "$err" 'install .*qemu-utils|[Ii]nstall qemu-utils' 'with its name'
fails 1 'qemu' 'boot without qemu says what to install' env PATH="$tmp/bin" "$kiln" boot mini.img
like "$err" '[Ii]nstall.*qemu-system-x86' 'by its name'

# No image at all.
fails 1 'no-such\.img' 'an absent image is named' "$kiln" inspect no-such.img
fails 1 'no-such\.img' 'also by boot' "$kiln" boot no-such.img
mkdir folder.img
fails 1 'folder\.img' 'a directory is refused' "$kiln" inspect folder.img
: >empty.img
fails 1 'empty\.img' 'an empty file is refused' "$kiln" inspect empty.img
head -c 1000000 /dev/urandom >noise.img
fails 1 'noise\.img' 'noise holds no operating system' "$kiln" inspect --engine native noise.img
truncate -s 64M zero.img
fails 1 'zero\.img' 'nor does an empty disk' "$kiln" inspect --engine native zero.img

# A damaged file system: an error or an answer, never a crash or a hang.
wrong=''
RANDOM=11
for i in $(seq 40); do
    cp --sparse=always mini.img hurt.img
    for _ in $(seq 60); do
        printf '\xff' | dd of=hurt.img bs=1 seek=$((1048576 + (RANDOM * 32768 + RANDOM) % 3000000)) conv=notrunc status=none
    done
    timeout 300 "$kiln" inspect --engine native hurt.img >/dev/null 2>&1
    status=$?
    [ $status -le 1 ] || wrong+="seed $i: status $status"$'\n'
done
is "$wrong" '' 'damaged file systems are survived'

# KVM that is absent, no KVM, or lying: doctor says which.
for device in /dev/null "$tmp/absent"; do
    run env KILN_KVM_DEVICE="$device" "$kiln" doctor
    like "$out" "note +KVM " "doctor tells about a KVM device like $(basename "$device")"
done

# What is no disk image is named, with the way on.
foreign() { # FILE REGEX
    fails 1 "$1: is $2, not a disk image.*$3" "$1 is named" "$kiln" inspect "$1"
}
head -c 100000 /dev/urandom >junk
xz -k junk && gzip -k junk && bzip2 -k junk && zstd -q junk
tar -cf junk.tar junk && cp junk.tar junk.ova
(cd "$tmp" && python3 -c 'import zipfile; zipfile.ZipFile("junk.zip", "w").write("junk")')
foreign junk.xz 'compressed with xz' 'xz -dk'
foreign junk.gz 'compressed with gzip' 'gzip -dk'
foreign junk.bz2 'compressed with bzip2' 'bzip2 -dk'
foreign junk.zst 'compressed with zstd' 'zstd -d'
foreign junk.ova 'a tar archive \(an OVA is one too\)' 'tar -xf'
foreign junk.zip 'a zip archive' 'unzip'
qemu-img create -q -f qed junk.qed 1M 2>/dev/null && foreign junk.qed 'a QED disk image' 'qemu-img convert'
fails 1 'compressed with xz' 'by other commands as well' "$kiln" customize -a junk.xz --hostname x
finish
