/*
 * A guest of a few instructions, for tests of the machine around it (tests/long/kvm-endure.t and
 * tests/unit/vmm/test_kvm_boots.c): an ELF kernel that starts by PVH
 * (xen/include/public/arch-x86/hvm/start_info.h). The first letter of its command line tells what
 * it does:
 *
 *   o   says so and switches the machine off
 *   r   resets the machine
 *   f   prints without end
 *   s   runs, and says nothing
 *   h   halts for good
 *   t   causes a triple fault
 *
 *   gcc -nostdlib -static -no-pie -Wl,-n,-Ttext-segment=0x100000,--build-id=none -o tiny tiny.S
 */
    .section .note.Xen, "a", @note
    .long 4, 4, 18                 /* PHYS32_ENTRY */
    .asciz "Xen"
    .long start

    .text
    .code32
    .globl _start
_start:
start:
    movl $0x80000, %esp
    movl 24(%ebx), %esi            /* the command line */
    movb (%esi), %bl
    cmpb $'f', %bl
    je flood
    cmpb $'s', %bl
    je silence
    movl $words, %esi
    call print
    cmpb $'r', %bl
    je reset
    cmpb $'h', %bl
    je halt
    cmpb $'t', %bl
    je fault
    movw $0x600, %dx               /* the sleep control register; \_S5 is 5 */
    movb $0x34, %al
    outb %al, %dx
halt:
    cli
    hlt
    jmp halt
reset:
    movb $0xfe, %al                /* the keyboard controller's reset line */
    outb %al, $0x64
    jmp halt
fault:
    ud2                            /* there is no table of interrupts */
flood:
    movl $line, %esi
    call print
    jmp flood
silence:
    pause
    jmp silence

print:
    movw $0x3f8, %dx
1:  lodsb
    testb %al, %al
    jz 2f
    outb %al, %dx
    jmp 1b
2:  ret

words:
    .asciz "tiny: here\r\n"
line:
    .asciz "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz\r\n"
