#include "guest/keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fdio.h"
#include "base/secret.h"
#include "base/str.h"

void guest_keys_free(struct guest_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->items[i].device);
        secret_free(keys->items[i].passphrase);
    }
    free(keys->items);
    *keys = (struct guest_keys){0};
}

/* Bytes of a key, in a file whose further lines do not count. */
static const size_t key_max = 8191;

/* The first line of the file, "-" being standard input. */
static int read_file(const char *path, char **ret, struct error **err)
{
    bool standard_input = strcmp(path, "-") == 0;
    _cleanup_close_ int own = standard_input ? -1 : file_open_data(path, err);
    _cleanup_secret_ char *line = NULL;
    _cleanup_error_ struct error *cause = NULL;
    int fd = standard_input ? STDIN_FILENO : own;
    if (fd < 0)
        return error_wrap(err, "the key");
    int r = secret_read_line(fd, path, key_max, &line, &cause);
    if (r == 0 && str_empty(line))
        return error_set(err, EINVAL, "%s: holds no key in its first line", path);
    if (r == -EILSEQ)
        return error_set(err, EINVAL, "%s: holds a NUL byte, which no passphrase can", path);
    if (r < 0) {
        error_move(err, TAKE_PTR(cause));
        return error_wrap(err, "the key");
    }
    *ret = TAKE_PTR(line);
    return 0;
}

static int read_value(const char *form, size_t length, const char *value, char **ret,
                      struct error **err)
{
    if (length == 4 && memcmp(form, "file", 4) == 0 && *value)
        return read_file(value, ret, err);
    *ret = strdup(value);
    return *ret ? 0 : error_oom(err);
}

/* -EINVAL for what is neither of the forms that can be used. */
static int check_form(const char *device, size_t length, const char *form, struct error **err)
{
    int named = (int)(length < 100 ? length : 100);
    if (strcmp(form, "clevis") == 0) {
        error_set(err, EOPNOTSUPP, "the key of %.*s: kiln does not support clevis", named, device);
        return error_hint(err, "name a passphrase of the device: %.*s:file:FILENAME", named,
                          device);
    }
    bool known = str_starts(form, "key:") || str_starts(form, "file:");
    if (length > 0 && known && strchr(form, ':')[1])
        return 0;
    error_set(err, EINVAL,
              "the key of '%.*s' is neither DEVICE:key:PASSPHRASE nor "
              "DEVICE:file:FILENAME",
              named, device);
    return error_hint(err, "DEVICE is a name as /dev/sda2, the UUID of the encrypted device, or "
                           "'all'");
}

int guest_keys_add(struct guest_keys *keys, const char *selector, struct error **err)
{
    size_t length = strcspn(selector, ":");
    const char *form = selector + length + (selector[length] == ':');
    int r = check_form(selector, length, form, err);
    if (r < 0)
        return r;
    struct guest_key *items = reallocarray(keys->items, keys->count + 1, sizeof(*items));
    if (!items)
        return error_oom(err);
    keys->items = items;
    struct guest_key key = {.device = strndup(selector, length)};
    if (!key.device)
        return error_oom(err);
    size_t kind = strcspn(form, ":");
    r = read_value(form, kind, form + kind + 1, &key.passphrase, err);
    if (r < 0) {
        free(key.device);
        return r;
    }
    items[keys->count++] = key;
    return 0;
}

/* "vg-root" against "/dev/vg/root": device mapper writes a hyphen within a name as two. */
static bool is_mapped(const char *mapped, const char *device)
{
    if (!str_starts(device, "/dev/"))
        return false;
    for (device += strlen("/dev/"); *device; device++) {
        char wanted = *device == '/' ? '-' : *device;
        if (*mapped++ != wanted || (*device == '-' && *mapped++ != '-'))
            return false;
    }
    return !*mapped;
}

bool guest_same_device(const char *name, const char *device)
{
    static const char mapper[] = "/dev/mapper/";
    return strcmp(name, device) == 0 ||
           (str_starts(name, mapper) && is_mapped(name + strlen(mapper), device));
}

bool guest_key_fits(const struct guest_key *key, const char *device, const char *uuid)
{
    if (strcmp(key->device, "all") == 0 || (uuid && *uuid && strcasecmp(key->device, uuid) == 0))
        return true;
    return guest_same_device(key->device, device);
}
