/* Operations composed of an engine's own ones. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/engine.h"

/* Directories deeper than this are not expected in a guest's file system. */
#define DEPTH_MAX 1000

static int ensure_dir(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    struct guest_stat st;
    _cleanup_error_ struct error *absent = NULL;
    int r = guest_stat(guest, path, true, &st, &absent);
    if (r == -ENOENT)
        return guest_mkdir(guest, path, mode, err);
    if (r < 0)
        return error_move(err, TAKE_PTR(absent));
    if (!S_ISDIR(st.mode))
        return error_set(err, ENOTDIR, "%s in the guest: is not a directory", path);
    return 0;
}

int guest_mkdir_p(struct guest *guest, const char *path, mode_t mode, struct error **err)
{
    int r = guest_path_check(path, err);
    if (r < 0)
        return r;
    if (guest_is_dir(guest, path))
        return 0;
    _cleanup_free_ char *copy = strdup(path);
    if (!copy)
        return error_oom(err);
    for (char *end = copy; *end;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char kept = *end;
        *end = '\0';
        r = ensure_dir(guest, copy, mode, err);
        if (r < 0)
            return r;
        *end = kept;
    }
    return 0;
}

/* Each name begins with the letter of what it is: to be removed at once, or looked at first. */
enum { letter_file = 'f', letter_unknown = '?' };

struct collect {
    struct strv names;
    struct error **err;
};

static int collect(void *context, const char *name, mode_t type)
{
    struct collect *collected = context;
    int letter = type && !S_ISDIR(type) ? letter_file : letter_unknown;
    return strv_addf(&collected->names, collected->err, "%c%s", letter, name);
}

static int remove_at(struct guest *guest, const char *path, unsigned depth, struct error **err);

static int remove_entries(struct guest *guest, const char *path, unsigned depth, struct error **err)
{
    if (depth >= DEPTH_MAX)
        return error_set(err, ELOOP, "%s in the guest: is nested too deeply", path);
    /* Listed as a whole first: removal while listing is not defined for every engine. */
    struct collect found = {.err = err};
    int r = guest_list(guest, path, collect, &found, err);
    for (size_t i = 0; r == 0 && i < found.names.count; i++) {
        const char *item = found.names.items[i];
        _cleanup_free_ char *child = str_printf(err, "%s/%s", path, item + 1);
        if (!child)
            r = -ENOMEM;
        else if (item[0] == letter_file)
            r = guest_unlink(guest, child, err);
        else
            r = remove_at(guest, child, depth + 1, err);
    }
    strv_free(&found.names);
    return r;
}

static int remove_at(struct guest *guest, const char *path, unsigned depth, struct error **err)
{
    struct guest_stat st;
    _cleanup_error_ struct error *absent = NULL;
    int r = guest_stat(guest, path, false, &st, &absent);
    if (r == -ENOENT || r == -ENOTDIR)
        return 0;
    if (r < 0)
        return error_move(err, TAKE_PTR(absent));
    if (!S_ISDIR(st.mode))
        return guest_unlink(guest, path, err);
    r = remove_entries(guest, path, depth, err);
    return r < 0 ? r : guest_rmdir(guest, path, err);
}

int guest_remove(struct guest *guest, const char *path, struct error **err)
{
    int r = guest_path_check(path, err);
    if (r < 0)
        return r;
    /* A trailing slash would follow a link. */
    _cleanup_free_ char *copy = strdup(path);
    if (!copy)
        return error_oom(err);
    for (size_t end = strlen(copy); end > 1 && copy[end - 1] == '/'; end--)
        copy[end - 1] = '\0';
    if (strcmp(copy, "/") == 0)
        return error_set(err, EBUSY, "the root directory of the guest cannot be removed");
    return remove_at(guest, copy, 0, err);
}

int guest_replace(struct guest *guest, const char *path, const void *data, size_t size,
                  struct error **err)
{
    struct guest_stat st;
    int r = guest_stat(guest, path, true, &st, err);
    if (r < 0)
        return r;
    struct guest_file_attr attr = {.mode = st.mode & 07777, .uid = st.uid, .gid = st.gid};
    return guest_write(guest, path, data, size, &attr, err);
}
