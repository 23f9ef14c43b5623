#include "vmm/kvm/cpu.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "base/endian.h"
#include "base/str.h"
#include "vmm/pc/machine_layout.h"

enum {
    /* Intel SDM volume 4. */
    msr_misc_enable = 0x1a0,
    misc_fast_strings = 1,
    msr_mtrr_default = 0x2ff,
    mtrr_enabled_write_back = 0x806,

    cr0_protected = 1 << 0,
    cr0_extension_type = 1 << 4,
    cr4_pae = 1 << 5,
    efer_long_mode = 1 << 8 | 1 << 10,
    flags_fixed = 1 << 1,
    flags_interrupts = 1 << 9,

    /* The selectors that Linux expects; PVH leaves them to us. */
    selector_code = 0x10,
    selector_data = 0x18,
    selector_task = 0x20,
    segment_code = 0xb, /* execute, read, accessed */
    segment_data = 0x3,
    segment_task = 0xb, /* 32-bit, busy */
};
#define CR0_PAGING UINT64_C(0x80000000)

static int map_run(struct kvm_cpu *cpu, int device, struct error **err)
{
    int size = ioctl(device, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (size < (int)sizeof(*cpu->run))
        return error_set(err, EPROTO, "KVM_GET_VCPU_MMAP_SIZE failed");
    void *run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, cpu->fd, 0);
    if (run == MAP_FAILED)
        return error_sys(err, errno, "cannot map a processor's kvm_run area");
    cpu->run = run;
    cpu->run_size = (size_t)size;
    return 0;
}

static int set_msrs(struct kvm_cpu *cpu, struct error **err)
{
    static const struct kvm_msr_entry entries[] = {
        {.index = msr_misc_enable, .data = misc_fast_strings},
        {.index = msr_mtrr_default, .data = mtrr_enabled_write_back},
    };
    struct kvm_msrs *msrs = calloc(1, sizeof(*msrs) + sizeof(entries));
    if (!msrs)
        return error_oom(err);
    msrs->nmsrs = ARRAY_SIZE(entries);
    memcpy(msrs->entries, entries, sizeof(entries));
    int taken = ioctl(cpu->fd, KVM_SET_MSRS, msrs);
    free(msrs);
    return taken == ARRAY_SIZE(entries)
               ? 0
               : error_set(err, EIO, "processor %u: KVM_SET_MSRS failed", cpu->index);
}

/*
 * KVM reports the size of the extended state by the last XCR0 that it saw. Where virtualization is
 * emulated, KVM may miss the guest's own writes: Linux then finds CPUID to be inconsistent and
 * prints a warning of fifty lines. So every component that the guest may enable is set from the
 * beginning; this has no effect on a guest that enables fewer. The call fails on a host without
 * extended state, where nothing has to be set.
 */
static void set_extended_state(const struct kvm_cpu *cpu, const struct kvm_cpuid2 *supported)
{
    struct kvm_xcrs registers = {.nr_xcrs = 1};
    registers.xcrs[0].value = kvm_cpuid_extended_state(supported);
    if (registers.xcrs[0].value != 0)
        (void)ioctl(cpu->fd, KVM_SET_XCRS, &registers);
}

static int set_cpuid(struct kvm_cpu *cpu, const struct kvm_cpuid2 *supported,
                     const struct kvm_cpuid_place *place, struct error **err)
{
    struct kvm_cpuid2 *cpuid = kvm_cpuid_make(supported, place);
    if (!cpuid)
        return error_oom(err);
    int r = ioctl(cpu->fd, KVM_SET_CPUID2, cpuid) < 0
                ? error_sys(err, errno, "processor %u: KVM_SET_CPUID2 failed", cpu->index)
                : 0;
    free(cpuid);
    return r;
}

int kvm_cpu_create(struct kvm_cpu *cpu, struct kvm_vm *vm, const struct kvm_cpuid2 *supported,
                   const struct kvm_cpuid_place *place, struct error **err)
{
    *cpu = (struct kvm_cpu){.fd = ioctl(vm->fd, KVM_CREATE_VCPU, place->cpu), .index = place->cpu};
    if (cpu->fd < 0)
        return error_sys(err, errno, "KVM_CREATE_VCPU failed for processor %u", place->cpu);
    int r = map_run(cpu, vm->device, err);
    if (r == 0)
        r = set_cpuid(cpu, supported, place, err);
    if (r == 0)
        r = set_msrs(cpu, err);
    if (r == 0)
        set_extended_state(cpu, supported);
    if (r < 0)
        kvm_cpu_destroy(cpu);
    return r;
}

void kvm_cpu_destroy(struct kvm_cpu *cpu)
{
    if (cpu->run)
        munmap(cpu->run, cpu->run_size);
    if (cpu->fd >= 0)
        close(cpu->fd);
    *cpu = (struct kvm_cpu){.fd = -1};
}

/* Intel SDM volume 3A, §3.4.5: as the descriptor table has it. */
static le64_t descriptor(const struct kvm_segment *segment)
{
    uint64_t limit = segment->g ? segment->limit >> 12 : segment->limit;
    uint64_t attributes = (uint64_t)segment->type | (uint64_t)segment->s << 4 |
                          (uint64_t)segment->present << 7 | (uint64_t)segment->l << 13 |
                          (uint64_t)segment->db << 14 | (uint64_t)segment->g << 15;
    return le64_put((limit & 0xffff) | attributes << 40 | (limit >> 16 & 0xf) << 48);
}

static int set_segments(struct kvm_sregs *sregs, const struct guest_memory *memory, bool long_mode,
                        struct error **err)
{
    struct kvm_segment code = {.limit = UINT32_MAX,
                               .selector = selector_code,
                               .type = segment_code,
                               .present = 1,
                               .s = 1,
                               .g = 1,
                               .l = long_mode,
                               .db = !long_mode};
    struct kvm_segment data = code, task = {.limit = 0x67,
                                            .selector = selector_task,
                                            .type = segment_task,
                                            .present = 1};
    data.selector = selector_data;
    data.type = segment_data;
    data.l = 0;
    data.db = 1;
    le64_t *table = guest_memory_at(memory, LAYOUT_GDT, 5 * sizeof(*table));
    if (!table)
        return error_set(err, ENOSPC, "the descriptor tables do not fit into the machine's memory");
    table[selector_code / 8] = descriptor(&code);
    table[selector_data / 8] = descriptor(&data);
    table[selector_task / 8] = descriptor(&task);
    sregs->cs = code;
    sregs->ds = sregs->es = sregs->fs = sregs->gs = sregs->ss = data;
    sregs->tr = task;
    sregs->gdt = (struct kvm_dtable){.base = LAYOUT_GDT, .limit = 5 * sizeof(*table) - 1};
    sregs->idt = (struct kvm_dtable){0};
    return 0;
}

int kvm_cpu_set_entry(struct kvm_cpu *cpu, const struct guest_memory *memory,
                      const struct boot_entry *entry, struct error **err)
{
    struct kvm_sregs sregs;
    struct kvm_regs regs = {.rflags = flags_fixed, .rip = entry->address};
    if (ioctl(cpu->fd, KVM_GET_SREGS, &sregs) < 0)
        return error_sys(err, errno, "processor %u: KVM_GET_SREGS failed", cpu->index);
    int r = set_segments(&sregs, memory, entry->long_mode, err);
    if (r < 0)
        return r;
    sregs.cr0 = cr0_protected | cr0_extension_type;
    sregs.cr4 = 0;
    sregs.efer = 0;
    if (entry->long_mode) {
        sregs.cr0 |= CR0_PAGING;
        sregs.cr3 = LAYOUT_PAGE_TABLES;
        sregs.cr4 = cr4_pae;
        sregs.efer = efer_long_mode;
        regs.rsi = entry->argument;
    } else {
        regs.rbx = entry->argument;
    }
    if (ioctl(cpu->fd, KVM_SET_SREGS, &sregs) < 0 || ioctl(cpu->fd, KVM_SET_REGS, &regs) < 0)
        return error_sys(err, errno, "processor %u: KVM_SET_SREGS or KVM_SET_REGS failed",
                         cpu->index);
    return 0;
}

bool kvm_cpu_is_dead(const struct kvm_cpu *cpu)
{
    struct kvm_mp_state state;
    struct kvm_regs regs;
    if (ioctl(cpu->fd, KVM_GET_MP_STATE, &state) < 0 || ioctl(cpu->fd, KVM_GET_REGS, &regs) < 0)
        return false;
    if (state.mp_state == KVM_MP_STATE_UNINITIALIZED ||
        state.mp_state == KVM_MP_STATE_INIT_RECEIVED)
        return true;
    return state.mp_state == KVM_MP_STATE_HALTED && !(regs.rflags & flags_interrupts);
}

bool kvm_cpu_was_reset(const struct kvm_cpu *cpu)
{
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    return ioctl(cpu->fd, KVM_GET_REGS, &regs) == 0 && ioctl(cpu->fd, KVM_GET_SREGS, &sregs) == 0 &&
           regs.rip == 0xfff0 && sregs.cs.selector == 0xf000;
}

char *kvm_cpu_registers(const struct kvm_cpu *cpu)
{
    struct kvm_regs regs;
    struct kvm_sregs sregs;
    if (ioctl(cpu->fd, KVM_GET_REGS, &regs) < 0 || ioctl(cpu->fd, KVM_GET_SREGS, &sregs) < 0)
        return strdup("KVM_GET_REGS or KVM_GET_SREGS failed");
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"rip", regs.rip},  {"rsp", regs.rsp},  {"rflags", regs.rflags}, {"rax", regs.rax},
        {"rbx", regs.rbx},  {"rcx", regs.rcx},  {"rdx", regs.rdx},       {"rsi", regs.rsi},
        {"rdi", regs.rdi},  {"rbp", regs.rbp},  {"r8", regs.r8},         {"r9", regs.r9},
        {"r10", regs.r10},  {"r11", regs.r11},  {"r12", regs.r12},       {"r13", regs.r13},
        {"r14", regs.r14},  {"r15", regs.r15},  {"cr0", sregs.cr0},      {"cr2", sregs.cr2},
        {"cr3", sregs.cr3}, {"cr4", sregs.cr4}, {"efer", sregs.efer},    {"cs", sregs.cs.selector},
    };
    _cleanup_str_ struct str text = {0};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        str_appendf(&text, "%s%s=0x%llx", i ? " " : "", rows[i].name,
                    (unsigned long long)rows[i].value);
    return str_take(&text, NULL);
}
