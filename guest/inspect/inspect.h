/* Which operating system a guest is. Facts come from the guest's own files, never from names. */
#pragma once

#include "guest/guest.h"
#include "guest/inspect/windows.h"

struct guest_info {
    char *type;         /* "linux", "windows", "freebsd", "netbsd", "openbsd" */
    char *distro;       /* os-release ID, as libguestfs spells it: "debian", "fedora", ... */
    char *product_name; /* os-release PRETTY_NAME */
    char *version;      /* VERSION_ID, "" when there is none */
    char *codename;     /* VERSION_CODENAME, "" when there is none */
    char *variant;      /* os-release VARIANT_ID; of Windows "Client", "Server", ...; "" for none */
    char *osinfo;       /* libosinfo's short ID: "debian12"; "unknown" for none */
    char *arch;         /* "x86_64", "aarch64", ... from an ELF file of the guest; "unknown" */
    char *hostname;     /* /etc/hostname, "" when there is none */
    char *package_format;  /* "deb", "rpm", "apk", "pacman", "xbps", "ebuild", "pisi",
                              "unknown" */
    char *package_manager; /* "apt", "dnf", "yum", "zypper", "apk", "pacman", "xbps", "portage",
                              "urpmi", "pisi", "up2date", "unknown" */
    bool package_manager_missing; /* its program was not found: `package_manager` is what the
                                     distribution has */
    char *init;                   /* "systemd", "busybox", "openrc", "sysvinit", "unknown" */
    bool selinux;                 /* /etc/selinux/config is there and does not disable it */
    bool cloud_init;              /* cloud-init is installed */
    uint64_t root_size;           /* bytes of the root file system; 0: not known */
    uint64_t root_free;
    char *root_device;             /* "/dev/sda3" in virt-builder's naming */
    char *root_fs;                 /* "ext4", "xfs", ... */
    char *root_uuid;               /* "" when there is none */
    struct guest_windows *windows; /* NULL: the guest is no Windows */
};

int guest_inspect(struct guest *guest, struct guest_info *ret, struct error **err);
void guest_info_free(struct guest_info *info);
#define _cleanup_guest_info_ _cleanup_(guest_info_free)

/*
 * The boot entry that the guest's own boot loader would take: GRUB's grub.cfg or Boot Loader
 * Specification entries (https://uapi-group.org/specifications/specs/boot_loader_specification/).
 */
struct guest_boot_entry {
    char *title;
    char *kernel;        /* guest path */
    struct strv initrds; /* guest paths; the kernel gets their contents one after the other */
    char *command_line;  /* without kernel name; GRUB variables expanded */
};

/* -ENOENT: the guest has no entry that can be read, or the default one boots no Linux. -EOPNOTSUPP,
 * -E2BIG, -EFBIG: it cannot be told which entry that is or what it boots; the message says why. */
int guest_boot_default(struct guest *guest, struct guest_boot_entry *ret, struct error **err);
void guest_boot_entry_free(struct guest_boot_entry *entry);
#define _cleanup_guest_boot_entry_ _cleanup_(guest_boot_entry_free)
