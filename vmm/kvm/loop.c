#include "vmm/kvm/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"

enum { loop_count = 66666, code_address = 0x1000, page_size = 4096 };

/* Real mode: adds up loop_count .. 1 in ebx. Two instructions before the loop, three in it and one
 * behind it make kvm_loop_instructions. */
static const uint8_t loop_code[] = {
    0x66,
    0x31,
    0xdb, /* xor %ebx, %ebx */
    0x66,
    0xb9,
    loop_count & 0xff,
    (loop_count >> 8) & 0xff, /* mov $loop_count, %ecx */
    (loop_count >> 16) & 0xff,
    (loop_count >> 24) & 0xff, /* */
    0x66,
    0x01,
    0xcb, /* add %ecx, %ebx */
    0x66,
    0x49, /* dec %ecx */
    0x75,
    0xf9, /* jnz to the add */
    0xf4, /* hlt */
};
_Static_assert(2 + 3 * loop_count + 1 == kvm_loop_instructions, "as the messages say");

/* One message for each step, sent before the step, and one at the end. */
struct message {
    enum kvm_step step;
    int errnum;
    bool last;
    uint64_t elapsed_us;
    uint64_t cpu_us;
};

static uint64_t cpu_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void tell(int fd, struct message *message)
{
    if (write(fd, message, sizeof(*message)) != sizeof(*message))
        _exit(1);
}

static void begin_step(int fd, struct message *message, enum kvm_step step)
{
    message->step = step;
    tell(fd, message);
}

/* One run of the loop, from its beginning; keeps the better figures. */
static int run_loop(int vcpu, const struct kvm_run *run, struct message *message)
{
    const uint32_t sum = (uint32_t)((uint64_t)loop_count * (loop_count + 1) / 2);
    struct kvm_regs regs = {.rip = code_address, .rflags = 2};
    if (ioctl(vcpu, KVM_SET_REGS, &regs) < 0)
        return -errno;
    uint64_t clock_before = clock_now_ns(), cpu_before = cpu_now_us();
    int r;
    do
        r = ioctl(vcpu, KVM_RUN, 0);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return -errno;
    uint64_t elapsed = (clock_now_ns() - clock_before) / 1000, cpu = cpu_now_us() - cpu_before;
    if (run->exit_reason != KVM_EXIT_HLT || ioctl(vcpu, KVM_GET_REGS, &regs) < 0 ||
        (uint32_t)regs.rbx != sum || (uint32_t)regs.rcx != 0)
        return -EPROTO;
    if (message->elapsed_us == 0 || cpu < message->cpu_us) {
        message->elapsed_us = elapsed;
        message->cpu_us = cpu;
    }
    return 0;
}

/* Everything from the version check to the loop; the step under way is in *message. Returns 0 or a
 * negative errno; -EPROTO for an answer that no KVM would give. */
static int run_machine(int device, int report, struct message *message)
{
    begin_step(report, message, KVM_STEP_VERSION);
    int version = ioctl(device, KVM_GET_API_VERSION, 0);
    if (version != KVM_API_VERSION)
        return version < 0 ? -errno : -EPROTO;
    int run_size = ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (run_size < (int)sizeof(struct kvm_run))
        return run_size < 0 ? -errno : -EPROTO;

    begin_step(report, message, KVM_STEP_CREATE_VM);
    int vm = ioctl(device, KVM_CREATE_VM, 0);
    if (vm < 0)
        return -errno;
    /* Intel processors without "unrestricted guest" need this for real mode; AMD ignores it. */
    (void)ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000ul);

    begin_step(report, message, KVM_STEP_MEMORY);
    void *page = mmap(NULL, page_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -errno;
    memcpy(page, loop_code, sizeof(loop_code));
    struct kvm_userspace_memory_region region = {
        .guest_phys_addr = code_address,
        .memory_size = page_size,
        .userspace_addr = (uintptr_t)page,
    };
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) < 0)
        return -errno;

    begin_step(report, message, KVM_STEP_CREATE_VCPU);
    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    if (vcpu < 0)
        return -errno;
    struct kvm_run *run = mmap(NULL, (size_t)run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (run == MAP_FAILED)
        return -errno;

    begin_step(report, message, KVM_STEP_REGISTERS);
    struct kvm_sregs sregs;
    if (ioctl(vcpu, KVM_GET_SREGS, &sregs) < 0)
        return -errno;
    sregs.cs.base = 0;
    sregs.cs.selector = 0;
    if (ioctl(vcpu, KVM_SET_SREGS, &sregs) < 0)
        return -errno;

    begin_step(report, message, KVM_STEP_RUN);
    int r = run_loop(vcpu, run, message);
    if (r == 0)
        r = run_loop(vcpu, run, message);
    if (r < 0)
        return r;
    message->step = KVM_STEP_DONE;
    return 0;
}

/* A child without exec: what must not hang us is a system call on this very descriptor. Only
 * system calls follow the fork. */
static void child_main(int device, int report, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    struct message message = {0};
    int r = run_machine(device, report, &message);
    message.errnum = -r;
    message.last = true;
    tell(report, &message);
    _exit(0);
}

/* Reads messages until the last one, or until time is over. */
static void listen_to(int report, uint64_t setup_ms, uint64_t run_ms,
                      struct kvm_loop_result *result)
{
    uint64_t deadline = deadline_after(setup_ms);
    while (!result->finished) {
        struct pollfd poller = {.fd = report, .events = POLLIN};
        int n = poll(&poller, 1, deadline_left(deadline));
        if (n < 0 && errno == EINTR)
            continue;
        struct message message;
        if (n <= 0 || read(report, &message, sizeof(message)) != sizeof(message))
            return;
        result->step = message.step;
        result->errnum = message.errnum;
        result->finished = message.last;
        result->elapsed_us = message.elapsed_us;
        result->cpu_us = message.cpu_us;
        if (message.step == KVM_STEP_RUN)
            deadline = deadline_after(run_ms);
    }
}

/* Kills the child. One that is not reaped at once, because a system call blocks SIGKILL, is left to
 * init. */
static void reap(pid_t pid, struct kvm_loop_result *result)
{
    kill(pid, SIGKILL);
    for (int i = 0; i < 40; i++) {
        struct rusage usage;
        pid_t done = wait4(pid, NULL, WNOHANG, &usage);
        if (done == pid && !result->finished)
            result->cpu_us = (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
                             (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
        if (done == pid || (done < 0 && errno != EINTR))
            return;
        usleep(1000);
    }
}

int kvm_loop_run(int device, uint64_t setup_ms, uint64_t run_ms, struct kvm_loop_result *ret,
                 struct error **err)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0)
        return error_sys(err, errno, "cannot create a pipe");
    _cleanup_close_ int report_in = report[0];
    _cleanup_close_ int report_out = report[1];
    pid_t parent = getpid();
    uint64_t before = clock_now_ns();
    pid_t pid = fork();
    if (pid < 0)
        return error_sys(err, errno, "cannot start the test of KVM");
    if (pid == 0)
        child_main(device, report_out, parent);
    close(TAKE_FD(report_out));
    struct kvm_loop_result result = {0};
    listen_to(report_in, setup_ms, run_ms, &result);
    if (!result.finished)
        result.elapsed_us = (clock_now_ns() - before) / 1000;
    reap(pid, &result);
    *ret = result;
    return 0;
}
