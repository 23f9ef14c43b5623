/*
 * Libraries that only some commands need are loaded when one of their functions is first called:
 * together they and what they need are some sixty shared objects, and loading those took longer than
 * most edits of an image. Each function gets a stub that jumps through a slot; lazy_load() fills the
 * slots of a whole library at once. lazy_list.h is made when kiln is linked (see lazy-list): a
 * LAZY_LIBRARY for each library, each followed by a LAZY_FUNCTION for each function that kiln calls.
 *
 * System V AMD64 ABI: a stub may not change any register that passes arguments, %al among them,
 * which counts the vector registers of a variadic call.
 */

        .section .note.GNU-stack, "", @progbits

/* The names, for lazy_load(). */
        .section .rodata.lazy, "a", @progbits
        .globl  lazy_names
        .hidden lazy_names
lazy_names:
#define LAZY_LIBRARY(soname)    .asciz "", soname;
#define LAZY_FUNCTION(symbol) .asciz #symbol;
#include "lazy_list.h"
        .asciz  "", ""
#undef LAZY_LIBRARY
#undef LAZY_FUNCTION

/* The slots, in the same order. */
        .section .data.rel.local.lazy, "aw", @progbits
        .balign 8
        .globl  lazy_slots
        .hidden lazy_slots
lazy_slots:
#define LAZY_LIBRARY(soname)
#define LAZY_FUNCTION(symbol) lazy_slot_##symbol: .quad lazy_first_##symbol;
#include "lazy_list.h"
#undef LAZY_LIBRARY
#undef LAZY_FUNCTION

        .text
#define LAZY_LIBRARY(soname)
#define LAZY_FUNCTION(symbol)                   \
        .globl  symbol;                         \
        .hidden symbol;                         \
        .type   symbol, @function;              \
symbol:                                         \
        endbr64;                                \
        jmp     *lazy_slot_##symbol(%rip);      \
        .size   symbol, . - symbol;             \
lazy_first_##symbol:                            \
        endbr64;                                \
        leaq    lazy_slot_##symbol(%rip), %r11; \
        jmp     lazy_first;
#include "lazy_list.h"

/* %r11: the slot of the function that was called. */
lazy_first:
        pushq   %rbp
        movq    %rsp, %rbp
        andq    $-16, %rsp
        subq    $208, %rsp
        movq    %rdi, 0(%rsp)
        movq    %rsi, 8(%rsp)
        movq    %rdx, 16(%rsp)
        movq    %rcx, 24(%rsp)
        movq    %r8, 32(%rsp)
        movq    %r9, 40(%rsp)
        movq    %rax, 48(%rsp)
        movq    %r10, 56(%rsp)
        movq    %r11, 64(%rsp)
        movaps  %xmm0, 80(%rsp)
        movaps  %xmm1, 96(%rsp)
        movaps  %xmm2, 112(%rsp)
        movaps  %xmm3, 128(%rsp)
        movaps  %xmm4, 144(%rsp)
        movaps  %xmm5, 160(%rsp)
        movaps  %xmm6, 176(%rsp)
        movaps  %xmm7, 192(%rsp)
        movq    %r11, %rdi
        call    lazy_load
        movq    0(%rsp), %rdi
        movq    8(%rsp), %rsi
        movq    16(%rsp), %rdx
        movq    24(%rsp), %rcx
        movq    32(%rsp), %r8
        movq    40(%rsp), %r9
        movq    48(%rsp), %rax
        movq    56(%rsp), %r10
        movq    64(%rsp), %r11
        movaps  80(%rsp), %xmm0
        movaps  96(%rsp), %xmm1
        movaps  112(%rsp), %xmm2
        movaps  128(%rsp), %xmm3
        movaps  144(%rsp), %xmm4
        movaps  160(%rsp), %xmm5
        movaps  176(%rsp), %xmm6
        movaps  192(%rsp), %xmm7
        leave
        jmp     *(%r11)
