#include "image/seal.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/fdio.h"
#include "base/outfile.h"

/* The sidecar is an object; what it says besides "seal" is left to others:
 *   {"seal": {"version": 1, "digest": "sha256:HEX", "time": "...", "operations": ["...", ...]}} */

static const size_t sidecar_max = 1 << 20;
static const char digest_prefix[] = "sha256:";

void seal_free(struct seal *seal)
{
    free(seal->digest);
    free(seal->time);
    strv_free(&seal->operations);
    *seal = (struct seal){0};
}

static void release_json(json_t **value)
{
    json_decref(*value);
}
#define _cleanup_json_ _cleanup_(release_json)

/* Beside the image itself, where `image` is a link to it: the seal is the file's, not the name's.
 * NULL: out of memory. */
static char *sidecar_path(const char *image, struct error **err)
{
    _cleanup_free_ char *real = realpath(image, NULL);
    return str_printf(err, "%s.kiln.json", real ? real : image);
}

static int damaged(const char *path, struct error **err)
{
    int r = error_set(err, EINVAL, "%s: is not a seal that kiln can read", path);
    error_hint(err, "the image beside it counts as sealed until that file is mended or removed");
    return r;
}

/* The whole sidecar, an object; *ret is NULL where there is none. */
static int load(const char *path, json_t **ret, struct error **err)
{
    _cleanup_free_ char *text = NULL;
    _cleanup_error_ struct error *cause = NULL;
    size_t size;
    *ret = NULL;
    int r = file_read(path, sidecar_max, &text, &size, &cause);
    if (r == -ENOENT || r == -ENOTDIR)
        return 0;
    if (r < 0 && r != -EFBIG)
        return error_move(err, TAKE_PTR(cause));
    _cleanup_json_ json_t *root = r < 0 ? NULL : json_loadb(text, size, 0, NULL);
    if (!json_is_object(root))
        return damaged(path, err);
    *ret = TAKE_PTR(root);
    return 0;
}

static bool is_hex(const char *text)
{
    return strlen(text) == digest_hex_length(DIGEST_SHA256) &&
           strspn(text, "0123456789abcdef") == strlen(text);
}

static int read_operations(const json_t *list, const char *path, struct strv *operations,
                           struct error **err)
{
    size_t i;
    json_t *name;
    json_array_foreach(list, i, name)
    {
        if (!json_is_string(name))
            return damaged(path, err);
        int r = strv_add(operations, json_string_value(name), err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int parse(const json_t *object, const char *path, struct seal *seal, struct error **err)
{
    const char *digest = json_string_value(json_object_get(object, "digest"));
    const char *when = json_string_value(json_object_get(object, "time"));
    const json_t *operations = json_object_get(object, "operations");
    if (json_integer_value(json_object_get(object, "version")) != 1 || !digest || !when ||
        !json_is_array(operations) || !str_starts(digest, digest_prefix) ||
        !is_hex(digest + strlen(digest_prefix)))
        return damaged(path, err);
    int r = str_replace(&seal->digest, digest + strlen(digest_prefix), err);
    if (r == 0)
        r = str_replace(&seal->time, when, err);
    return r < 0 ? r : read_operations(operations, path, &seal->operations, err);
}

/* The seal that the sidecar holds. -ENOENT: it holds none. */
static int take_seal(const json_t *root, const char *path, struct seal *ret, struct error **err)
{
    _cleanup_seal_ struct seal seal = {0};
    const json_t *object = json_object_get(root, "seal");
    if (!object)
        return error_set(err, ENOENT, "%s: holds no seal", path);
    int r = parse(object, path, &seal, err);
    if (r < 0)
        return r;
    *ret = seal;
    seal = (struct seal){0};
    return 0;
}

int seal_parse(const char *text, size_t size, const char *path, struct seal *ret,
               struct error **err)
{
    _cleanup_json_ json_t *root = json_loadb(text, size, 0, NULL);
    return json_is_object(root) ? take_seal(root, path, ret, err) : damaged(path, err);
}

int seal_read(const char *image, struct seal *ret, struct error **err)
{
    _cleanup_free_ char *path = sidecar_path(image, err);
    _cleanup_json_ json_t *root = NULL;
    struct error *cause = NULL;
    int r = path ? load(path, &root, err) : -ENOMEM;
    if (r < 0)
        return r;
    r = root ? take_seal(root, path, ret, &cause) : -ENOENT;
    if (r != -ENOENT)
        return r < 0 ? error_move(err, cause) : 0;
    error_free(cause);
    return error_set(err, ENOENT, "%s: is not sealed", image);
}

static int save(const char *path, const json_t *root, struct error **err)
{
    _cleanup_free_ char *text = json_dumps(root, JSON_INDENT(2));
    _cleanup_free_ char *whole = text ? str_printf(err, "%s\n", text) : NULL;
    if (!whole)
        return error_oom(err);
    return file_write_atomic(path, whole, strlen(whole), 0644, err);
}

static json_t *describe(const char *hex, const struct strv *operations)
{
    char when[32], digest[DIGEST_MAX_HEX + sizeof(digest_prefix)];
    time_t now = clock_build_time();
    struct tm tm;
    if (!gmtime_r(&now, &tm) || strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return NULL;
    snprintf(digest, sizeof(digest), "%s%s", digest_prefix, hex);
    json_t *names = json_array();
    for (size_t i = 0; i < operations->count; i++)
        json_array_append_new(names, json_string(operations->items[i]));
    return json_pack("{s:i, s:s, s:s, s:o}", "version", 1, "time", when, "digest", digest,
                     "operations", names);
}

int seal_store(const char *image, const char *hex, const struct strv *operations,
               struct error **err)
{
    _cleanup_free_ char *path = sidecar_path(image, err);
    _cleanup_json_ json_t *root = NULL;
    int r = path ? load(path, &root, err) : -ENOMEM;
    if (r < 0)
        return r;
    if (!root)
        root = json_object();
    if (json_object_set_new(root, "seal", describe(hex, operations)) < 0)
        return error_oom(err);
    return save(path, root, err);
}

int seal_remove(const char *image, struct error **err)
{
    _cleanup_free_ char *path = sidecar_path(image, err);
    _cleanup_json_ json_t *root = NULL;
    if (!path)
        return -ENOMEM;
    /* What cannot be read is a seal, and the caller wants it gone. */
    int r = load(path, &root, NULL);
    if (r == 0 && !root)
        return 0;
    if (root && json_object_del(root, "seal") == 0 && json_object_size(root) > 0)
        return save(path, root, err);
    if (root && json_object_size(root) > 0)
        return 0;
    _cleanup_close_ int directory = dir_open_of(path, err);
    if (directory < 0)
        return directory;
    if (unlink(path) < 0 && errno != ENOENT)
        return error_sys(err, errno, "%s: cannot remove the seal", path);
    r = dir_sync(directory, path, err);
    return r < 0 ? error_wrap(err, "the seal was removed, which a crash of this host may undo") : 0;
}

int seal_check_unsealed(const char *image, struct error **err)
{
    _cleanup_seal_ struct seal seal = {0};
    _cleanup_error_ struct error *cause = NULL;
    int r = seal_read(image, &seal, &cause);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return error_move(err, TAKE_PTR(cause));
    _cleanup_free_ char *when = str_printable(seal.time);
    r = error_set(err, EPERM, "%s: is a template, sealed since %s, that must not change", image,
                  when ? when : "?");
    error_hint(err, "work on a clone or a copy; --unseal breaks the seal");
    return r;
}
