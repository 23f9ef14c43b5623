#include "cli/boot_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "cli/kvm.h"
#include "image/partition.h"

/* UEFI specification 2.10, table 5.7, and GNU GRUB manual, "BIOS installation". */
static const char esp_type[] = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b";
static const char bios_boot_type[] = "21686148-6449-6e6f-744e-656564454649";

static const size_t largest_kernel = 256u << 20;
static const size_t largest_initrd = 1024u << 20;

void boot_choice_free(struct boot_choice *choice)
{
    if (choice->kernel_fd >= 0)
        close(choice->kernel_fd);
    if (choice->initrd_fd >= 0)
        close(choice->initrd_fd);
    free(choice->command_line);
    free(choice->description);
    *choice = (struct boot_choice)BOOT_CHOICE_INIT;
}

static int make_memory_file(const char *name, int *ret_fd, struct error **err)
{
    *ret_fd = memfd_create(path_name(name), MFD_CLOEXEC);
    return *ret_fd < 0 ? error_sys(err, errno, "%s: memfd_create failed", name) : 0;
}

/* Adds the file's contents to those of the descriptor. */
static int extract(struct guest *guest, const char *path, size_t max, int fd, size_t *ret_size,
                   struct error **err)
{
    _cleanup_free_ char *data = NULL;
    int r = guest_read(guest, path, max, &data, ret_size, err);
    return r < 0 ? r : fd_write_full(fd, data, *ret_size, path, err);
}

static int extract_kernel(struct guest *guest, const char *path, int *ret_fd, struct error **err)
{
    size_t size;
    int r = make_memory_file(path, ret_fd, err);
    return r < 0 ? r : extract(guest, path, largest_kernel, *ret_fd, &size, err);
}

/* One after the other, each at a multiple of four bytes, as boot loaders lay them and the kernel
 * expects them (Linux documentation, early-userspace/buffer-format). */
static int extract_initrds(struct guest *guest, const struct strv *paths, int *ret_fd,
                           struct error **err)
{
    static const char zeroes[3];
    size_t total = 0;
    int r = paths->count > 0 ? make_memory_file(paths->items[0], ret_fd, err) : 0;
    for (size_t i = 0; r == 0 && i < paths->count; i++) {
        size_t size, padding = -total % 4;
        r = fd_write_full(*ret_fd, zeroes, padding, paths->items[i], err);
        if (r == 0)
            r = extract(guest, paths->items[i], largest_initrd - total - padding, *ret_fd, &size,
                        err);
        if (r == 0)
            total += padding + size;
    }
    return r;
}

/* The verdict is read from the serial console, so the kernel has to print there. */
static char *with_serial_console(const char *command_line, struct error **err)
{
    const char *serial = strstr(command_line, "console=ttyS0") ? "" : " console=ttyS0,115200";
    return str_printf(err, "%s%s", command_line, serial);
}

/* A guest for another kind of processor cannot be booted in any way: -ENOEXEC. Its programs tell,
 * where it has any. */
static int check_architecture(const char *disk, struct guest *guest, struct error **err)
{
    static const char *const ours[] = {"x86_64", "i386", "unknown"};
    _cleanup_guest_info_ struct guest_info info = {0};
    if (guest_inspect(guest, &info, NULL) < 0)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        if (strcmp(info.arch, ours[i]) == 0)
            return 0;
    error_set(err, ENOEXEC, "%s: is a guest for %s, and machines here have x86-64 processors", disk,
              info.arch);
    return error_hint(err, "boot it on a machine of its own kind, or under qemu-system-%s",
                      info.arch);
}

static int choose_kernel(const char *disk, const struct guest_open_options *options,
                         struct boot_choice *choice, struct error **err)
{
    _cleanup_guest_ struct guest *guest = NULL;
    _cleanup_guest_boot_entry_ struct guest_boot_entry entry = {0};
    int r = guest_open(disk, options, &guest, err);
    if (r == 0)
        r = check_architecture(disk, guest, err);
    if (r == 0)
        r = guest_boot_default(guest, &entry, err);
    if (r == 0)
        r = extract_kernel(guest, entry.kernel, &choice->kernel_fd, err);
    if (r == 0)
        r = extract_initrds(guest, &entry.initrds, &choice->initrd_fd, err);
    if (r < 0)
        return r;
    choice->boot = VM_BOOT_KERNEL;
    choice->command_line = with_serial_console(entry.command_line, err);
    choice->description = str_printf(err, "kernel %s of the image", entry.kernel);
    return choice->command_line && choice->description ? 0 : -ENOMEM;
}

static int choose_into(const char *disk, const struct guest_open_options *options,
                       struct boot_choice *ret, struct error **err)
{
    struct boot_choice choice = BOOT_CHOICE_INIT;
    int r = choose_kernel(disk, options, &choice, err);
    if (r < 0)
        boot_choice_free(&choice);
    else
        *ret = choice;
    return r;
}

/* In-process. */
static struct guest_open_options how_to_open(const struct boot_source *source)
{
    return (struct guest_open_options){.format = source->format,
                                       .resources.engine = GUEST_ENGINE_NATIVE,
                                       .resources.trust = source->trust,
                                       .lock = true,
                                       .reporter = source->reporter};
}

/* An image that is in use, not to be trusted or for another processor cannot be booted in any way.
 */
static bool is_final(int r)
{
    return r == -EBUSY || r == -EUNTRUSTED || r == -ENOEXEC;
}

int boot_choose_kernel(const struct boot_source *source, struct boot_choice *ret,
                       struct error **err)
{
    struct guest_open_options options = how_to_open(source);
    options.resources.engine = GUEST_ENGINE_AUTO;
    options.resources.kvm_healthy = cli_kvm_healthy();
    int r = choose_into(source->disk, &options, ret, err);
    if (r < 0 && !is_final(r))
        error_hint(err, "use --firmware bios or --firmware uefi to boot by its own boot loader");
    return r;
}

bool boot_overrides(const struct boot_override *override)
{
    return override->kernel || override->initrd || override->command_line;
}

/* Linux documentation, x86/boot: the header of a bzImage; ELF, for kernels that start by PVH. */
static int check_kernel(int fd, const char *path, struct error **err)
{
    unsigned char start[0x206] = {0};
    ssize_t n = pread(fd, start, sizeof(start), 0);
    if (n < 0)
        return error_sys(err, errno, "%s", path);
    bool linux_image =
        memcmp(start + 0x202, "HdrS", 4) == 0 && start[0x1fe] == 0x55 && start[0x1ff] == 0xaa;
    if (linux_image || memcmp(start, "\177ELF", 4) == 0)
        return 0;
    error_set(err, EINVAL, "%s: is not a kernel for x86-64: neither a bzImage nor ELF", path);
    return error_hint(err, "/boot/vmlinuz-* of a distribution is one");
}

static int open_given(const char *path, int *slot, struct error **err)
{
    struct stat st;
    _cleanup_close_ int fd = file_open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0, err);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, EINVAL, "%s: is not a regular file", path);
    if (*slot >= 0)
        close(*slot);
    *slot = TAKE_FD(fd);
    return 0;
}

/* Another kernel: of the image's entry only the command line is of use, if there is one at all. */
static int begin_given_kernel(const struct boot_source *source,
                              const struct boot_override *override, struct boot_choice *choice,
                              struct error **err)
{
    const struct guest_open_options options = how_to_open(source);
    _cleanup_error_ struct error *unreadable = NULL;
    if (!override->command_line) {
        int r = choose_into(source->disk, &options, choice, &unreadable);
        if (is_final(r) || access(source->disk, R_OK) < 0)
            return error_move(err, TAKE_PTR(unreadable));
        if (choice->initrd_fd >= 0)
            close(TAKE_FD(choice->initrd_fd));
    }
    choice->boot = VM_BOOT_KERNEL;
    free(choice->description);
    choice->description = str_printf(err, "kernel %s", override->kernel);
    return choice->description ? open_given(override->kernel, &choice->kernel_fd, err) : -ENOMEM;
}

static int override_choice(const struct boot_source *source, const struct boot_override *override,
                           struct boot_choice *choice, struct error **err)
{
    int r = override->kernel ? begin_given_kernel(source, override, choice, err)
                             : boot_choose_kernel(source, choice, err);
    if (r == 0 && override->kernel)
        r = check_kernel(choice->kernel_fd, override->kernel, err);
    if (r == 0 && override->initrd)
        r = open_given(override->initrd, &choice->initrd_fd, err);
    if (r == 0 && (override->command_line || !choice->command_line)) {
        free(choice->command_line);
        choice->command_line =
            with_serial_console(override->command_line ? override->command_line : "", err);
        r = choice->command_line ? 0 : -ENOMEM;
    }
    return r;
}

int boot_choose_override(const struct boot_source *source, const struct boot_override *override,
                         struct boot_choice *ret, struct error **err)
{
    struct boot_choice choice = BOOT_CHOICE_INIT;
    int r = override_choice(source, override, &choice, err);
    if (r < 0)
        boot_choice_free(&choice);
    else
        *ret = choice;
    return r;
}

int boot_choose_firmware(enum vm_boot firmware, struct boot_choice *ret, struct error **err)
{
    struct boot_choice choice = BOOT_CHOICE_INIT;
    choice.boot = firmware;
    choice.description = strdup(firmware == VM_BOOT_UEFI ? "UEFI" : "BIOS");
    if (!choice.description)
        return error_oom(err);
    *ret = choice;
    return 0;
}

/* What firmware would find on the disk. */
struct signs {
    bool esp;       /* an EFI system partition */
    bool bios_boot; /* GRUB's partition for its own code, which BIOS starts */
    bool active;    /* of an MBR: a partition is that is no EFI system partition */
    bool boot_code; /* the first sector has some, and its signature: BIOS starts nothing else */
    bool grub_code; /* and it is GRUB's, which needs no active partition */
};

static int read_boot_sector(struct block *block, struct signs *ret, struct error **err)
{
    enum { code_size = 440 }; /* up to the disk's signature */
    uint8_t sector[512] = {0};
    uint64_t size = block->size;
    int r = block_pread(block, sector, size < sizeof(sector) ? size : sizeof(sector), 0, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < code_size; i++)
        ret->boot_code = ret->boot_code || sector[i] != 0;
    ret->boot_code = ret->boot_code && sector[510] == 0x55 && sector[511] == 0xaa;
    ret->grub_code = ret->boot_code && memmem(sector, code_size, "GRUB", 4);
    return 0;
}

static void read_partitions(const struct partition_table *table, struct signs *ret)
{
    enum { mbr_esp_type = 0xef };
    for (size_t i = 0; i < table->count; i++) {
        const struct partition *partition = &table->items[i];
        bool esp = strcmp(partition->type_guid, esp_type) == 0 ||
                   (table->scheme == PARTITION_MBR && partition->mbr_type == mbr_esp_type);
        ret->esp = ret->esp || esp;
        ret->bios_boot = ret->bios_boot || strcmp(partition->type_guid, bios_boot_type) == 0;
        ret->active = ret->active || (partition->active && !esp);
    }
}

/* A disk that both kinds can start, as far as can be seen, starts by BIOS. Partitioning programs
 * write a boot sector into every MBR, which starts nothing without an active partition. */
static int wants_uefi(const struct boot_source *source, bool *ret, struct error **err)
{
    const struct image_open_options options = {
        .format = source->format, .lock = true, .trust = source->trust};
    _cleanup_block_ struct block *block = NULL;
    _cleanup_partition_table_ struct partition_table table = {0};
    struct signs signs = {0};
    int r = image_open(source->disk, &options, &block, err);
    if (r == 0)
        r = partition_table_read(block, &table, err);
    if (r == 0)
        r = read_boot_sector(block, &signs, err);
    if (r < 0)
        return r;
    read_partitions(&table, &signs);
    bool bios = signs.boot_code &&
                (table.scheme == PARTITION_GPT ? signs.bios_boot : signs.active || signs.grub_code);
    *ret = signs.esp && !bios;
    return 0;
}

int boot_choose_auto(const struct boot_source *source, struct boot_choice *ret, struct error **err)
{
    const struct guest_open_options options = how_to_open(source);
    _cleanup_error_ struct error *unreadable = NULL;
    int r = choose_into(source->disk, &options, ret, &unreadable);
    if (r == 0)
        return 0;
    if (is_final(r) || access(source->disk, R_OK) < 0)
        return error_move(err, TAKE_PTR(unreadable));
    report(source->reporter, REPORT_INFO, "Booting by firmware: %s", error_message(unreadable));
    bool uefi = false;
    r = wants_uefi(source, &uefi, err);
    if (r == 0)
        r = boot_choose_firmware(uefi ? VM_BOOT_UEFI : VM_BOOT_BIOS, ret, err);
    return r;
}
