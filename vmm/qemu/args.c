#include "vmm/qemu/args.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#include "base/fdio.h"
#include "vmm/qemu/disk.h"
#include "vmm/qemu/firmware.h"
#include "vmm/results.h"

const char qemu_program[] = "qemu-system-x86_64";

static const size_t max_vars_size = 16 << 20;

/* What is the same for every machine. */
static const char *const fixed_args[] = {
    "-nodefaults",
    "-no-user-config",
    "-display",
    "none",
    /* The guest is not trusted, so neither is a QEMU that runs it. */
    "-sandbox",
    "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
    "-boot",
    "strict=on",
    "-object",
    "rng-builtin,id=rng",
    "-device",
    "virtio-rng-pci,rng=rng",
};

static int add_processor(struct qemu_command *command, const struct vm_config *config, bool kvm,
                         struct error **err)
{
    int r = qemu_command_add(command, err, "-accel", "%s",
                             kvm ? "kvm" : "tcg,thread=multi,tb-size=256");
    if (r == 0)
        r = qemu_command_add(command, err, "-cpu", "%s", kvm ? "host" : "max");
    return r < 0 ? r : qemu_command_add(command, err, "-smp", "%u", config->cpus);
}

/* graphics=off makes SeaBIOS print on the serial port. */
static int add_machine(struct qemu_command *command, const struct vm_config *config,
                       struct error **err)
{
    return qemu_command_add(command, err, "-machine", "q35,graphics=off%s",
                            config->boot == VM_BOOT_UEFI ? ",pflash0=code,pflash1=vars" : "");
}

/* Firmware writes its variables into a copy in memory. */
static int copy_vars(const char *path, struct error **err)
{
    _cleanup_free_ char *data = NULL;
    size_t size;
    int r = file_read(path, max_vars_size, &data, &size, err);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = memfd_create("uefi-variables", MFD_CLOEXEC);
    if (fd < 0)
        return error_sys(err, errno, "cannot make a file in memory");
    r = fd_write_full(fd, data, size, "UEFI variables", err);
    return r < 0 ? r : TAKE_FD(fd);
}

static int add_firmware(struct qemu_command *command, struct error **err)
{
    _cleanup_firmware_ struct firmware firmware = {0};
    _cleanup_free_ char *code = NULL, *vars = NULL;
    int r = firmware_find(&firmware, err);
    if (r < 0)
        return r;
    int fd = copy_vars(firmware.vars, err);
    if (fd < 0)
        return fd;
    r = qemu_command_add_file(command, fd, true, &vars, err);
    if (r < 0)
        return r;
    code = qemu_escape(firmware.code, err);
    if (!code)
        return -ENOMEM;
    r = qemu_command_add(command, err, "-blockdev",
                         "driver=raw,node-name=code,read-only=on,file.driver=file,"
                         "file.filename=%s",
                         code);
    return r < 0 ? r
                 : qemu_command_add(command, err, "-blockdev",
                                    "driver=raw,node-name=vars,file.driver=file,file.filename=%s",
                                    vars);
}

static int add_kernel(struct qemu_command *command, const struct vm_config *config,
                      struct error **err)
{
    int kernel = -1, initrd = -1;
    int r = qemu_command_add_fd(command, config->kernel_fd, false, &kernel, err);
    if (r == 0)
        r = qemu_command_add(command, err, "-kernel", "/proc/self/fd/%d", kernel);
    if (r == 0 && config->initrd_fd >= 0)
        r = qemu_command_add_fd(command, config->initrd_fd, false, &initrd, err);
    if (r == 0 && config->initrd_fd >= 0)
        r = qemu_command_add(command, err, "-initrd", "/proc/self/fd/%d", initrd);
    return r < 0 || !config->command_line
               ? r
               : qemu_command_add(command, err, "-append", "%s", config->command_line);
}

static int add_channel(struct qemu_command *command, const char *name, int fd, struct error **err)
{
    int theirs = -1;
    int r = qemu_command_add_fd(command, fd, false, &theirs, err);
    return r < 0 ? r
                 : qemu_command_add(command, err, "-chardev", "socket,id=%s,fd=%d", name, theirs);
}

static int add_channels(struct qemu_command *command, const struct qemu_channels *channels,
                        struct error **err)
{
    int r = add_channel(command, "console", channels->console, err);
    if (r == 0)
        r = qemu_command_add(command, err, "-serial", "chardev:console");
    if (r == 0)
        r = add_channel(command, "monitor", channels->monitor, err);
    if (r == 0)
        r = qemu_command_add(command, err, "-mon", "chardev=monitor,mode=control");
    if (r < 0 || channels->results < 0)
        return r;
    r = add_channel(command, "results", channels->results, err);
    if (r == 0)
        r = qemu_command_add(command, err, "-device", "virtio-serial-pci");
    return r < 0 ? r
                 : qemu_command_add(command, err, "-device",
                                    "virtserialport,chardev=results,name=" RESULTS_PORT);
}

/* Without the option ROM, by which firmware would try to boot from the network. */
static int add_network(struct qemu_command *command, const struct vm_config *config,
                       struct error **err)
{
    _cleanup_str_ struct str forwards = {0};
    for (size_t i = 0; i < config->forward_count; i++)
        str_appendf(&forwards, ",hostfwd=tcp:127.0.0.1:%u-:%u", config->forwards[i].host_port,
                    config->forwards[i].guest_port);
    _cleanup_free_ char *text = str_take(&forwards, err);
    if (!text)
        return -ENOMEM;
    int r = qemu_command_add(command, err, "-netdev", "user,id=net%s", text);
    return r < 0 ? r
                 : qemu_command_add(command, err, "-device", "virtio-net-pci,netdev=net,romfile=");
}

static int add_text(struct qemu_command *command, const char *key, const char *text,
                    struct error **err)
{
    _cleanup_free_ char *escaped = qemu_escape(text, err);
    return escaped ? qemu_command_add(command, err, "-smbios", "%s=%s", key, escaped) : -ENOMEM;
}

static int add_identity(struct qemu_command *command, const struct vm_identity *identity,
                        struct error **err)
{
    int r =
        str_empty(identity->serial) ? 0 : add_text(command, "type=1,serial", identity->serial, err);
    for (size_t i = 0; i < identity->string_count && r == 0; i++)
        r = add_text(command, "type=11,value", identity->strings[i], err);
    return r;
}

static int add_memory(struct qemu_command *command, const struct vm_config *config,
                      struct error **err)
{
    unsigned long long size = config->memory / 1024;
    int r = qemu_command_add(command, err, "-m", "%lluK", size);
    if (r < 0 || !config->hugepages)
        return r;
    r = qemu_command_add(command, err, "-object",
                         "memory-backend-memfd,id=memory,size=%lluK,hugetlb=on,hugetlbsize=2M",
                         size);
    return r < 0 ? r : qemu_command_add(command, err, "-machine", "memory-backend=memory");
}

int qemu_args_build(const struct vm_config *config, bool kvm, const struct qemu_channels *channels,
                    struct qemu_command *ret, struct error **err)
{
    _cleanup_qemu_command_ struct qemu_command command = {0};
    int r = strv_add(&command.argv, qemu_program, err);
    for (size_t i = 0; i < ARRAY_SIZE(fixed_args) && r == 0; i++)
        r = strv_add(&command.argv, fixed_args[i], err);
    if (r == 0)
        r = add_machine(&command, config, err);
    if (r == 0)
        r = add_processor(&command, config, kvm, err);
    if (r == 0)
        r = add_memory(&command, config, err);
    if (r == 0)
        r = add_identity(&command, &config->identity, err);
    if (r == 0 && config->boot == VM_BOOT_UEFI)
        r = add_firmware(&command, err);
    if (r == 0 && config->boot == VM_BOOT_KERNEL)
        r = add_kernel(&command, config, err);
    for (size_t i = 0; i < config->disk_count && r == 0; i++)
        r = qemu_disk_add(&command, &config->disks[i],
                          &(struct qemu_disk_options){
                              .bootable = i == 0 && config->boot != VM_BOOT_KERNEL,
                              .persist = i == 0 && config->persist,
                              .trust = config->trust,
                          },
                          err);
    if (r == 0 && config->network)
        r = add_network(&command, config, err);
    if (r == 0)
        r = add_channels(&command, channels, err);
    if (r < 0)
        return r;
    *ret = command;
    command = (struct qemu_command){0};
    return 0;
}
