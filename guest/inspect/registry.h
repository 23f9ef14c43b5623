/*
 * Registry hives: the files in which Windows keeps its registry (libhivex). Keys are named by their
 * paths below the root of the hive, as in "ControlSet001\Services\viostor"; case does not count.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "guest/guest.h"

struct registry;

/* The numbers are those of the format. */
enum registry_type {
    REGISTRY_SZ = 1,
    REGISTRY_EXPAND_SZ = 2, /* %VARIABLES% are expanded when it is read */
    REGISTRY_BINARY = 3,
    REGISTRY_DWORD = 4,
    REGISTRY_MULTI_SZ = 7,
};

struct registry_value {
    const char *name; /* "": the key's default value */
    enum registry_type type;
    const char *text; /* of the string types, UTF-8; the one string of a REGISTRY_MULTI_SZ */
    uint32_t number;  /* of REGISTRY_DWORD */
    const void *data; /* of REGISTRY_BINARY */
    size_t size;      /* bytes of data */
};

/* Larger hives are refused. Those of servers with much installed reach some 200 MiB. */
extern const uint64_t registry_size_max; /* bytes */

/*
 * Reads the hive at a guest path, which must be spelt as the guest has it. -EINVAL: it is no hive,
 * or a damaged one. -EUCLEAN, only if `writable`: Windows has changes in its log files that are not
 * in the hive yet, and would be lost.
 */
int registry_open(struct guest *guest, const char *path, bool writable, struct registry **ret,
                  struct error **err);

/* The same for an open file, which stays the caller's and is not changed before
 * registry_save(). `name` names it in messages. */
int registry_open_fd(int fd, const char *name, bool writable, struct registry **ret,
                     struct error **err);

bool registry_has_key(struct registry *registry, const char *key);

/* -ENOENT: there is no such key or value. -EINVAL: it is of another type, or damaged. Caller frees
 * the text, which is UTF-8. */
int registry_get_text(struct registry *registry, const char *key, const char *name, char **ret,
                      struct error **err);
int registry_get_number(struct registry *registry, const char *key, const char *name, uint32_t *ret,
                        struct error **err);

/* Makes the key, and those above it, where they are missing, and sets the values; others that it
 * has stay. */
int registry_set(struct registry *registry, const char *key, const struct registry_value *values,
                 size_t count, struct error **err);

/* Writes the changed hive into a file, which is replaced. */
int registry_save(struct registry *registry, int fd, struct error **err);

/* Writes the hive back to where registry_open() had it from, if it was changed; mode and owner
 * stay. */
int registry_commit(struct registry *registry, struct guest *guest, struct error **err);

/* Drops what was not committed. Accepts NULL. */
void registry_close(struct registry *registry);
DEFINE_CLEANUP(struct registry *, registry_close);
#define _cleanup_registry_ _cleanup_(registry_closep)
