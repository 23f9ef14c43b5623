/*
 * A guest in memory, behind the engines' vtable: for tests of what operations do with a guest, and
 * of what they do when it fails them. Test programs include fake_guest.c.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "guest/engine.h"

struct fake_node;

struct fake_guest {
    struct guest guest; /* first: engines embed it so */
    struct fake_node *root;
    uint64_t next_inode;
    unsigned changes; /* operations that changed something */
    /* Fault injection: the vtable operation of this name fails with fault_errno once it has been
     * called fault_after times. NULL: none. */
    const char *fault;
    unsigned fault_after;
    int fault_errno;
};

struct fake_guest *fake_guest_new(void);
void fake_guest_free(struct fake_guest *fake);

/* Directories on the way are made (0755, root). */
void fake_add_file(struct fake_guest *fake, const char *path, mode_t mode, uid_t uid, gid_t gid,
                   const char *content);
void fake_add_bytes(struct fake_guest *fake, const char *path, const void *data, size_t size);
void fake_add_dir(struct fake_guest *fake, const char *path);
void fake_add_link(struct fake_guest *fake, const char *path, const char *target);

/* The content of a regular file (follows links), NULL when there is none. Owned by the fake. */
const char *fake_content(struct fake_guest *fake, const char *path);
/* Mode with type, of the path itself; 0: it does not exist. */
mode_t fake_mode(struct fake_guest *fake, const char *path);
