#!/bin/bash
# By which way kiln boot starts an image, with a QEMU that is played: the kernel of the image's own
# boot entry, firmware of the right kind, or not at all.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
export PATH=$top/tests/fakes:$PATH KILN_KVM_DEVICE=/nonexistent FAKE_QEMU=prompt

# Firmware, by all that is on the disk.
code() { printf '\xfa\xeb\xfe%s' "$1" | dd of=disk.img conv=notrunc status=none; }
disk() { # SFDISK-SCRIPT
    rm -f disk.img
    truncate -s 64M disk.img
    printf '%b' "$1" | sfdisk -q disk.img
}
starts_by() { # KIND DESCRIPTION
    run "$kiln" boot disk.img
    like "$err" "Booting disk.img by $1" "$2"
}
gpt='label: gpt\nsize=32M, type=uefi\n'
disk "$gpt"
starts_by UEFI 'GPT with an EFI system partition'
code x
starts_by UEFI 'and with a boot sector that has nothing to load'
disk "${gpt}size=1M, type=21686148-6449-6E6F-744E-656564454649\n"
starts_by UEFI 'with the partition of GRUB for BIOS, whose boot sector was never written'
code GRUB
starts_by BIOS 'with both'
disk 'label: dos\nsize=32M, type=ef\n'
starts_by UEFI 'MBR with an EFI system partition and an empty boot sector'
code x
starts_by UEFI 'with the boot sector of a partitioning program, and no active partition'
code GRUB
starts_by BIOS 'with that of GRUB'
disk 'label: dos\nsize=32M, type=ef\nsize=16M, type=83, bootable\n'
code x
starts_by BIOS 'with one that starts an active partition'
disk 'label: dos\nsize=32M, type=ef, bootable\n'
code x
starts_by UEFI 'which the EFI system partition itself is not'
disk 'label: dos\nsize=32M, type=83, bootable\n'
starts_by BIOS 'MBR without one'
like "$err" 'Booting by firmware: ' 'the reason for firmware is told'

# The boot entry.
"$top/tests/grub/make-image" "$top/tests/grub/cases/issue-xen.case" xen.img
run "$kiln" boot xen.img
like "$err" 'Booting by firmware: .*Xen hypervisor, is no Linux: it runs "multiboot2' 'an entry that is no Linux is told, and GRUB starts it'
like "$err" 'Booting xen.img by BIOS' 'by firmware'
fails 1 'is no Linux' 'and not directly' "$kiln" boot xen.img --direct-kernel
"$top/tests/grub/make-image" "$top/tests/grub/cases/arch.case" arch.img
FAKE_QEMU_INITRD=$tmp/initrd run "$kiln" boot --engine qemu arch.img
like "$err" 'by kernel /boot/vmlinuz-linux of the image' 'an entry is booted'
pad() { printf '%s\n' "$1" | dd bs=4 conv=sync status=none; }
is "$(od -c initrd)" "$({ pad /boot/intel-ucode.img; pad /boot/amd-ucode.img; echo /boot/initramfs-linux.img; } | od -c)" \
    'with all its initrds, each at a multiple of four bytes'

# Another processor.
{ printf '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\xb7\0\x01\0\0\0'; head -c 40 /dev/zero; } >ls
printf 'cd /bin\nwrite ls ls\n' | debugfs -w arch.img >/dev/null 2>&1
fails 1 'arch.img: is a guest for aarch64, and machines here have x86-64' 'a guest for another processor is refused' "$kiln" boot arch.img
like "$err" 'qemu-system-aarch64' 'with the remedy'
fails 1 'is a guest for aarch64' 'with another kernel, too' "$kiln" boot arch.img --kernel ls
finish
