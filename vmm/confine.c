#include "vmm/confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* What any thread needs, including the C library itself and sanitizers. */
static const int common_calls[] = {
    SYS_futex,           SYS_read,           SYS_write,           SYS_pread64,
    SYS_pwrite64,        SYS_readv,          SYS_writev,          SYS_preadv,
    SYS_pwritev,         SYS_poll,           SYS_ppoll,           SYS_close,
    SYS_clock_gettime,   SYS_gettimeofday,   SYS_clock_nanosleep, SYS_nanosleep,
    SYS_restart_syscall, SYS_sched_yield,    SYS_getpid,          SYS_gettid,
    SYS_rt_sigreturn,    SYS_rt_sigprocmask, SYS_sigaltstack,     SYS_brk,
    SYS_munmap,          SYS_mremap,         SYS_madvise,         SYS_exit,
    SYS_exit_group,      SYS_getrandom,      SYS_fstat,           SYS_lseek,
};

/* Allowed as long as they make nothing executable. */
static const int mapping_calls[] = {SYS_mmap, SYS_mprotect};

enum { max_calls = 128, mapping_count = ARRAY_SIZE(mapping_calls), overhead = 9 };

/* Each call is one comparison. One that matches jumps to the last instruction, which allows, or,
 * for mapping calls, to the look at their third argument. */
int confine_thread(const int *calls, size_t count, struct error **err)
{
    struct sock_filter program[max_calls + mapping_count + overhead];
    size_t length = 0, total = ARRAY_SIZE(common_calls) + count;
    if (total > max_calls)
        return error_set(err, EINVAL, "a thread's seccomp filter has too many system calls");
#define ADD(...) program[length++] = (struct sock_filter)__VA_ARGS__
    /* Numbers mean other calls in the 32-bit and x32 interfaces. */
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
    ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
    ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
    for (size_t i = 0; i < total; i++) {
        int call = i < count ? calls[i] : common_calls[i - count];
        size_t to_allow = total - 1 - i + mapping_count + 4;
        ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)call, (uint8_t)to_allow, 0));
    }
    for (size_t i = 0; i < mapping_count; i++)
        ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)mapping_calls[i],
                     (uint8_t)(mapping_count - i), 0));
    ADD(BPF_STMT(BPF_JMP | BPF_JA, 2)); /* to the refusal */
    ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])));
    ADD(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
    ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
    ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
#undef ADD
    const struct sock_fprog filter = {.len = (unsigned short)length, .filter = program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
        return error_sys(err, errno, "cannot install a seccomp filter for a thread");
    return 0;
}
