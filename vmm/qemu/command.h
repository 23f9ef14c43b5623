/* QEMU's command line, with the descriptors and locks that go with it. Private to vmm/. */
#pragma once

#include "base/proc.h"
#include "base/str.h"
#include "image/check.h"

enum {
    QEMU_MAX_FDS = 16,  /* as many as proc_spawn() hands down */
    QEMU_MAX_DISKS = 8, /* the system disk, seeds, and what else a guest may need */
};

/* Zero-initialise. */
struct qemu_command {
    struct strv argv;
    struct proc_fd fds[QEMU_MAX_FDS];
    bool owned[QEMU_MAX_FDS]; /* closed with the command */
    size_t fd_count;
    struct block *images[QEMU_MAX_DISKS];      /* held for their locks */
    struct image_chain chains[QEMU_MAX_DISKS]; /* held for QEMU, which opens their files */
    size_t image_count;
};

/* Hands fd down; *ret is its number in the child. `owned`: closes it with the command, or at once
 * where this fails. */
int qemu_command_add_fd(struct qemu_command *command, int fd, bool owned, int *ret,
                        struct error **err);

/* The same for files that QEMU opens by name: *ret_path is that name; caller frees. */
int qemu_command_add_file(struct qemu_command *command, int fd, bool owned, char **ret_path,
                          struct error **err);

/* Adds "-OPTION" and its formatted value. */
int qemu_command_add(struct qemu_command *command, struct error **err, const char *option,
                     const char *fmt, ...) _printf_(4, 5);

/* Doubles the commas of a value, as QEMU wants it. Caller frees; NULL: out of memory. */
char *qemu_escape(const char *value, struct error **err);

void qemu_command_free(struct qemu_command *command);
#define _cleanup_qemu_command_ _cleanup_(qemu_command_free)
