/*
 * A guest in memory, behind the engines' vtable: for tests of what operations do with a guest, and
 * of what they do when it fails them. Test programs include fake_guest.c.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "guest/engine.h"

struct fake_node;

/* What `run` answers to a script. */
struct fake_answer {
    const char *part; /* of the script; "" fits them all */
    int status;
    const char *output;
    int errnum; /* not 0: the engine itself fails with it */
};

struct fake_guest {
    struct guest guest; /* first: engines embed it so */
    /* Its own: tests may take capabilities away. It begins with all of them. */
    struct guest_ops ops;
    struct fake_node *root;
    uint64_t next_inode;
    unsigned changes; /* operations that changed something */
    int64_t now;      /* what new objects and contents get for times; starts at FAKE_NOW */
    /* Fault injection: the vtable operation of this name fails with fault_errno once it has been
     * called fault_after times. NULL: none. */
    const char *fault;
    unsigned fault_after;
    int fault_errno;
    /* The first one that fits a script is its answer; ends with a NULL part. With none, status 0
     * and no output. */
    const struct fake_answer *answers;
    struct strv ran; /* the scripts, in order */
    unsigned renewed[GUEST_LVM_UUIDS + 1];
    unsigned trimmed;
    uint64_t trim_freed; /* what trim tells */
};

#define FAKE_NOW 1600000000

struct fake_guest *fake_guest_new(void);
void fake_guest_free(struct fake_guest *fake);

/* Directories on the way are made (0755, root). */
void fake_add_file(struct fake_guest *fake, const char *path, mode_t mode, uid_t uid, gid_t gid,
                   const char *content);
void fake_add_bytes(struct fake_guest *fake, const char *path, const void *data, size_t size);
void fake_add_dir(struct fake_guest *fake, const char *path);
void fake_add_link(struct fake_guest *fake, const char *path, const char *target);
/* mode with type; see mknod(2). */
void fake_add_special(struct fake_guest *fake, const char *path, mode_t mode, dev_t device);
/* Of what exists (not followed). */
void fake_add_xattr(struct fake_guest *fake, const char *path, const char *name, const char *value);
void fake_set_times(struct fake_guest *fake, const char *path, int64_t atime, int64_t mtime);

/* The content of a regular file (follows links), NULL when there is none. Owned by the fake. */
const char *fake_content(struct fake_guest *fake, const char *path);
/* Mode with type, of the path itself; 0: it does not exist. */
mode_t fake_mode(struct fake_guest *fake, const char *path);
/* The value of an attribute of the path itself, NUL-terminated; NULL when there is none. Owned by
 * the fake. */
const char *fake_xattr(struct fake_guest *fake, const char *path, const char *name);
/* How often the file's data was overwritten where it lay. */
unsigned fake_overwritten(struct fake_guest *fake, const char *path);
