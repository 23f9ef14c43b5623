/* How to boot an image: by its own kernel, taken out of it, or by firmware. */
#pragma once

#include "guest/inspect/inspect.h"
#include "vmm/runner.h"

struct boot_choice {
    enum vm_boot boot;
    int kernel_fd; /* memory files with the guest's kernel and initrd; -1: none */
    int initrd_fd;
    char *command_line; /* as the guest's boot loader has it, with a serial console */
    char *description;  /* "kernel /boot/vmlinuz-6.1 of the image", "BIOS" */
};

#define BOOT_CHOICE_INIT                                                                           \
    {                                                                                              \
        .kernel_fd = -1, .initrd_fd = -1                                                           \
    }

/* What replaces the image's own; NULL: it is kept. */
struct boot_override {
    const char *kernel; /* a file of the host */
    const char *initrd;
    const char *command_line;
};

bool boot_overrides(const struct boot_override *override);

/* The image. */
struct boot_source {
    const char *disk;
    enum image_format format;
    const struct image_trust *trust;
    struct reporter *reporter;
};

/* By the kernel given, without the image's initrd; else by the image's own. The command line is the
 * one given, else the image's where it can be read out in-process, with a serial console. */
int boot_choose_override(const struct boot_source *source, const struct boot_override *override,
                         struct boot_choice *ret, struct error **err);

/* By the image's own kernel; the appliance is started where nothing else reads the guest. */
int boot_choose_kernel(const struct boot_source *source, struct boot_choice *ret,
                       struct error **err);

/* By the kernel where kiln reads the guest in its own process and finds a boot entry; else by the
 * firmware that the partition table asks for: BIOS unless there is only an EFI system partition. */
int boot_choose_auto(const struct boot_source *source, struct boot_choice *ret, struct error **err);

int boot_choose_firmware(enum vm_boot firmware, struct boot_choice *ret, struct error **err);
void boot_choice_free(struct boot_choice *choice);
