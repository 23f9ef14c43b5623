#include "guest/inspect/registry.h"

#include <errno.h>
#include <hivex.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/fdio.h"
#include "base/str.h"
#include "base/utf16.h"

const uint64_t registry_size_max = (uint64_t)512 << 20;

enum {
    text_max = 16 << 10,    /* bytes of a text value; real ones have some hundreds */
    key_name_max = 255,     /* characters, of a key (learn.microsoft.com, "Registry Element Size
                               Limits") */
    hive_block_size = 4096, /* of the base block, and what bins are multiples of */
    hive_size_min = 2 * hive_block_size,
};

struct registry {
    hive_h *hive;
    char *path; /* as given to registry_open(), or NULL */
    char *name; /* for messages */
    bool changed;
};

/* The begin of a hive's first block. Facts: "Windows registry file format specification" of
 * Maxim Suhanov, Base block. */
struct base_block {
    char magic[4]; /* "regf" */
    le32_t primary_sequence, secondary_sequence;
    le64_t written;
    le32_t major, minor, type, format, root, bins_size;
};
_Static_assert(sizeof(struct base_block) == 44, "as the format has it");

static int damaged(const struct registry *registry, const char *what, struct error **err)
{
    int errnum = errno;
    if (errnum == ENOMEM)
        return error_oom(err);
    return error_set(err, EINVAL, "%s: %s (%s)", registry->name, what, strerror(errnum));
}

/* Checks the signature of a hive, and that the file is complete. */
static int check_base_block(int fd, const struct registry *registry, bool writable,
                            struct error **err)
{
    struct stat st;
    struct base_block block;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s", registry->name);
    uint64_t size = (uint64_t)st.st_size;
    if (size > registry_size_max)
        return error_set(err, EFBIG, "%s: a registry hive of %ju bytes is too large",
                         registry->name, (uintmax_t)size);
    if (size < hive_size_min)
        return error_set(err, EINVAL, "%s: is too short for a registry hive", registry->name);
    int r = fd_pread_full(fd, &block, sizeof(block), 0, registry->name, err);
    if (r < 0)
        return r;
    if (memcmp(block.magic, "regf", sizeof(block.magic)) != 0)
        return error_set(err, EINVAL, "%s: is no registry hive", registry->name);
    /* The library would allocate all of it. */
    if (le32_get(block.bins_size) > size - hive_block_size)
        return error_set(err, EINVAL, "%s: this registry hive is damaged (it ends too early)",
                         registry->name);
    if (le32_get(block.primary_sequence) == le32_get(block.secondary_sequence) || !writable)
        return 0;
    error_set(err, EUCLEAN, "%s: Windows has not written this registry hive to its end",
              registry->name);
    return error_hint(err, "what is missing is in log files, which an edit would invalidate: "
                           "boot the guest, then shut it down by: shutdown /s /t 0");
}

int registry_open_fd(int fd, const char *name, bool writable, struct registry **ret,
                     struct error **err)
{
    _cleanup_registry_ struct registry *registry = calloc(1, sizeof(*registry));
    if (!registry)
        return error_oom(err);
    registry->name = str_printable(name);
    if (!registry->name)
        return error_oom(err);
    int r = check_base_block(fd, registry, writable, err);
    if (r < 0)
        return r;
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    registry->hive = hivex_open(path, writable ? HIVEX_OPEN_WRITE : 0);
    if (!registry->hive)
        return damaged(registry, "this registry hive is damaged", err);
    *ret = TAKE_PTR(registry);
    return 0;
}

int registry_open(struct guest *guest, const char *path, bool writable, struct registry **ret,
                  struct error **err)
{
    struct guest_stat st;
    int r = guest_stat(guest, path, true, &st, err);
    if (r < 0)
        return r;
    if (st.size > registry_size_max)
        return error_set(err, EFBIG, "%s in the guest: a registry hive of %ju bytes is too large",
                         path, (uintmax_t)st.size);
    _cleanup_close_ int fd = memfd_create("hive", MFD_CLOEXEC);
    if (fd < 0)
        return error_sys(err, errno, "cannot create a temporary file");
    r = guest_download(guest, path, fd, err);
    /* Where the file ends with a hole, that was left out. */
    if (r == 0 && ftruncate(fd, (off_t)st.size) < 0)
        r = error_sys(err, errno, "cannot create a temporary file");
    _cleanup_registry_ struct registry *registry = NULL;
    if (r == 0)
        r = registry_open_fd(fd, path, writable, &registry, err);
    if (r == 0)
        r = str_replace(&registry->path, path, err);
    if (r == 0)
        *ret = TAKE_PTR(registry);
    return r;
}

void registry_close(struct registry *registry)
{
    if (!registry)
        return;
    if (registry->hive)
        hivex_close(registry->hive);
    free(registry->path);
    free(registry->name);
    free(registry);
}

/* Keys. */

/* The next part of a path; false at its end. -ENAMETOOLONG through *r. */
static bool next_key(const char **path, char name[static key_name_max + 1], int *r)
{
    size_t length = strcspn(*path, "\\");
    if (length == 0)
        return false;
    if (length > key_name_max) {
        *r = -ENAMETOOLONG;
        return false;
    }
    memcpy(name, *path, length);
    name[length] = '\0';
    *path += length + ((*path)[length] == '\\');
    return true;
}

/* A key's node. 0 and errno: it could not be read, or (errno 0) is not there. With `create`, it is
 * made then. */
static hive_node_h find_key(struct registry *registry, const char *path, bool create)
{
    char name[key_name_max + 1];
    int r = 0;
    errno = 0;
    hive_node_h node = hivex_root(registry->hive);
    while (node && next_key(&path, name, &r)) {
        errno = 0;
        hive_node_h child = hivex_node_get_child(registry->hive, node, name);
        if (!child && errno == 0 && create) {
            registry->changed = true;
            child = hivex_node_add_child(registry->hive, node, name);
        }
        node = child;
    }
    if (r < 0) {
        errno = -r;
        return 0;
    }
    return node;
}

bool registry_has_key(struct registry *registry, const char *key)
{
    return find_key(registry, key, false) != 0;
}

/* Values. */

/* The value's bytes, which the caller frees. */
static int get_value(struct registry *registry, const char *key, const char *name, hive_type *type,
                     char **ret, size_t *ret_size, struct error **err)
{
    hive_node_h node = find_key(registry, key, false);
    if (!node && errno == 0)
        return error_set(err, ENOENT, "%s: has no key %s", registry->name, key);
    errno = 0;
    hive_value_h value = node ? hivex_node_get_value(registry->hive, node, name) : 0;
    if (node && !value && errno == 0)
        return error_set(err, ENOENT, "%s: %s has no value %s", registry->name, key, name);
    char *data = value ? hivex_value_value(registry->hive, value, type, ret_size) : NULL;
    if (!data)
        return damaged(registry, "this registry hive is damaged", err);
    *ret = data;
    return 0;
}

static int wrong_type(const struct registry *registry, const char *key, const char *name,
                      struct error **err)
{
    return error_set(err, EINVAL, "%s: the value %s of %s is of an unexpected kind", registry->name,
                     name, key);
}

int registry_get_number(struct registry *registry, const char *key, const char *name, uint32_t *ret,
                        struct error **err)
{
    _cleanup_free_ char *data = NULL;
    hive_type type;
    size_t size;
    le32_t number;
    int r = get_value(registry, key, name, &type, &data, &size, err);
    if (r < 0)
        return r;
    if (type != hive_t_REG_DWORD || size != sizeof(number))
        return wrong_type(registry, key, name, err);
    memcpy(&number, data, sizeof(number));
    *ret = le32_get(number);
    return 0;
}

int registry_get_text(struct registry *registry, const char *key, const char *name, char **ret,
                      struct error **err)
{
    _cleanup_free_ char *data = NULL;
    hive_type type;
    size_t size;
    int r = get_value(registry, key, name, &type, &data, &size, err);
    if (r < 0)
        return r;
    if ((type != hive_t_REG_SZ && type != hive_t_REG_EXPAND_SZ) || size > text_max)
        return wrong_type(registry, key, name, err);
    *ret = utf16_decode(data, size, err);
    return *ret ? 0 : -ENOMEM;
}

/* Whether the key has just this value already. */
static bool has_value(struct registry *registry, hive_node_h node, const hive_set_value *wanted)
{
    hive_type type;
    size_t size;
    hive_value_h value = hivex_node_get_value(registry->hive, node, wanted->key);
    _cleanup_free_ char *data =
        value ? hivex_value_value(registry->hive, value, &type, &size) : NULL;
    return data && type == wanted->t && size == wanted->len &&
           memcmp(data, wanted->value, size) == 0;
}

static int set_value(struct registry *registry, hive_node_h node,
                     const struct registry_value *value, struct error **err)
{
    _cleanup_free_ char *text = NULL;
    le32_t number = le32_put(value->number);
    _Static_assert(REGISTRY_MULTI_SZ == (int)hive_t_REG_MULTI_SZ, "the numbers of the format");
    hive_set_value raw = {.key = (char *)value->name, .t = (hive_type)value->type};
    int r = 0;
    if (value->type == REGISTRY_DWORD) {
        raw.value = (char *)&number;
        raw.len = sizeof(number);
    } else if (value->type == REGISTRY_BINARY) {
        raw.value = (char *)value->data;
        raw.len = value->size;
    } else {
        unsigned nuls = value->type == REGISTRY_MULTI_SZ ? 2 : 1;
        r = utf16_encode(value->text, nuls, &text, &raw.len, err);
        raw.value = text;
    }
    if (r < 0 || has_value(registry, node, &raw))
        return r;
    registry->changed = true;
    errno = 0;
    if (hivex_node_set_value(registry->hive, node, &raw, 0) < 0)
        return damaged(registry, "this registry hive cannot be edited", err);
    return 0;
}

int registry_set(struct registry *registry, const char *key, const struct registry_value *values,
                 size_t count, struct error **err)
{
    hive_node_h node = find_key(registry, key, true);
    if (!node)
        return damaged(registry, "this registry hive cannot be edited", err);
    int r = 0;
    for (size_t i = 0; r == 0 && i < count; i++)
        r = set_value(registry, node, &values[i], err);
    return r;
}

int registry_save(struct registry *registry, int fd, struct error **err)
{
    char path[32];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    errno = 0;
    if (hivex_commit(registry->hive, path, 0) < 0)
        return error_sys(err, errno > 0 ? errno : EIO, "%s: the edited hive cannot be stored",
                         registry->name);
    return 0;
}

int registry_commit(struct registry *registry, struct guest *guest, struct error **err)
{
    struct guest_stat st;
    if (!registry->changed)
        return 0;
    _cleanup_close_ int fd = memfd_create("hive", MFD_CLOEXEC);
    if (fd < 0)
        return error_sys(err, errno, "cannot create a temporary file");
    int r = registry_save(registry, fd, err);
    if (r == 0)
        r = guest_stat(guest, registry->path, true, &st, err);
    if (r < 0)
        return r;
    const struct guest_file_attr attr = {.mode = st.mode & 07777, .uid = st.uid, .gid = st.gid};
    return guest_upload(guest, fd, registry->path, &attr, err);
}
