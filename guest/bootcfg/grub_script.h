/*
 * Reads a grub.cfg (GRUB manual, "Shell-like scripting") for the menu that it makes and for what an
 * entry of it would boot.
 *
 * Assignments, quotes, variables, if and the common tests are followed; loops and functions are
 * passed over, and commands that have no effect on what is booted do nothing. So every script ends.
 */
#pragma once

#include "guest/bootcfg/grub_env.h"

/* What scripts test about the machine. Paths are as the script has them, without a device. */
struct grub_host {
    bool (*exists)(void *context, const char *path);
    /* The text of an environment block; "" when there is none. NULL: out of memory. Caller frees.
     */
    char *(*read_env)(void *context, const char *path);
    void *context;
};

enum grub_kind {
    GRUB_ENTRY,   /* menuentry */
    GRUB_SUBMENU, /* submenu */
    GRUB_BLS,     /* blscfg: the entries of the Boot Loader Specification come here */
};

struct grub_item {
    enum grub_kind kind;
    int parent; /* index of the submenu; -1: in the main menu */
    char *title;
    char *id;   /* "" when it has none */
    char *body; /* the commands of an entry */
};

struct grub_menu {
    struct grub_item *items; /* in the order of the script */
    size_t count;
};

/* Runs the script. -E2BIG when it makes more entries or variables, or nests deeper, than scripts of
 * distributions do. */
int grub_script_run(const char *text, struct grub_env *env, const struct grub_host *host,
                    struct grub_menu *ret, struct error **err);
void grub_menu_free(struct grub_menu *menu);
#define _cleanup_grub_menu_ _cleanup_(grub_menu_free)

/* What an entry's commands load; NULL for what they do not. */
struct grub_boot {
    char *kernel;
    char *initrd;       /* the last one, where there are several */
    char *command_line; /* "" when there is none */
};

int grub_script_boot(const char *body, struct grub_env *env, const struct grub_host *host,
                     struct grub_boot *ret, struct error **err);
void grub_boot_free(struct grub_boot *boot);
#define _cleanup_grub_boot_ _cleanup_(grub_boot_free)
