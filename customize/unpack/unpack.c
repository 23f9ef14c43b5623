#include "customize/unpack/unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "customize/unpack/bulk.h"
#include "customize/unpack/inode_set.h"
#include "guest/text/place.h"

/* Archives with more links that are absolute or have ".." are refused. */
enum { wild_links_max = 1 << 20 };

/* What file systems can hold: from 1901 to 2446, as ext4. */
static const int64_t time_min = -0x80000000LL;
static const int64_t time_max = 0x37fffffffLL;

/* A directory whose contents are being put: each new one changes its times. */
struct open_directory {
    char *path;
    int64_t mtime;
};

struct unpack {
    struct guest *guest;
    char *directory; /* without a slash at its end: "" is the root */
    /* The open directories, each within the one before. */
    struct open_directory *open;
    size_t open_count, open_room;
    /* Of the links put here that are absolute or have "..". A number that was given to another
     * object since stays: at worst, a name through that one is refused. */
    struct inode_set wild;
    char *ready; /* a directory that is known to exist; NULL: none */
    struct bulk bulk;
    time_t now;
};

int unpack_new(struct guest *guest, const char *directory, struct unpack **ret, struct error **err)
{
    struct guest_stat st;
    int r = guest_stat(guest, directory, true, &st, err);
    if (r < 0)
        return r;
    if (!S_ISDIR(st.mode))
        return error_set(err, ENOTDIR, "%s is not a directory in the guest", directory);
    _cleanup_unpack_ struct unpack *unpack = calloc(1, sizeof(*unpack));
    if (!unpack)
        return error_oom(err);
    unpack->guest = unpack->bulk.guest = guest;
    unpack->now = clock_build_time();
    r = guest_resolve(guest, directory, true, &unpack->directory, err);
    if (r < 0)
        return r;
    if (strcmp(unpack->directory, "/") == 0)
        unpack->directory[0] = '\0';
    *ret = TAKE_PTR(unpack);
    return 0;
}

void unpack_free(struct unpack *unpack)
{
    if (!unpack)
        return;
    for (size_t i = 0; i < unpack->open_count; i++)
        free(unpack->open[i].path);
    free(unpack->open);
    bulk_release(&unpack->bulk);
    inode_set_free(&unpack->wild);
    free(unpack->ready);
    free(unpack->directory);
    free(unpack);
}

static bool lies_below(const char *path, const char *directory)
{
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && path[length] == '/';
}

static int64_t possible_time(int64_t time)
{
    return time < time_min ? time_min : time > time_max ? time_max : time;
}

static int set_times(struct unpack *unpack, const char *path, int64_t mtime, struct error **err)
{
    const struct guest_times times = {.atime = unpack->now, .mtime = possible_time(mtime)};
    return guest_set_times(unpack->guest, path, &times, err);
}

static int close_directory(struct unpack *unpack, struct error **err)
{
    struct open_directory *last = &unpack->open[--unpack->open_count];
    int r = bulk_flush(&unpack->bulk, err);
    if (r == 0)
        r = set_times(unpack, *last->path ? last->path : "/", last->mtime, err);
    free(last->path);
    return r;
}

/* Closes the directories that `path` is not in. */
static int leave_directories(struct unpack *unpack, const char *path, struct error **err)
{
    while (unpack->open_count > 0 && !lies_below(path, unpack->open[unpack->open_count - 1].path)) {
        int r = close_directory(unpack, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int open_directory(struct unpack *unpack, const char *path, int64_t mtime,
                          struct error **err)
{
    if (unpack->open_count == unpack->open_room) {
        size_t room = unpack->open_room ? 2 * unpack->open_room : 16;
        struct open_directory *open = reallocarray(unpack->open, room, sizeof(*open));
        if (!open)
            return error_oom(err);
        unpack->open = open;
        unpack->open_room = room;
    }
    char *copy = strdup(path);
    if (!copy)
        return error_oom(err);
    unpack->open[unpack->open_count++] = (struct open_directory){.path = copy, .mtime = mtime};
    return 0;
}

/* The entry's path in the guest, "" for its root directory. Caller frees. */
static int entry_path(const struct unpack *unpack, const char *name, char **ret, struct error **err)
{
    _cleanup_str_ struct str path = {0};
    str_append(&path, unpack->directory);
    for (const char *at = name + strspn(name, "/"); *at; at += strspn(at, "/")) {
        size_t length = strcspn(at, "/");
        if (length == 2 && memcmp(at, "..", 2) == 0)
            return error_set(err, EINVAL, "the name holds '..'");
        if (length != 1 || *at != '.') {
            str_append(&path, "/");
            str_append_n(&path, at, length);
        }
        at += length;
    }
    *ret = str_take(&path, err);
    return *ret ? 0 : -ENOMEM;
}

static bool is_wild(const char *target)
{
    bool wild = *target == '/';
    for (const char *at = target; !wild && *at; at += strspn(at, "/")) {
        size_t length = strcspn(at, "/");
        wild = length == 2 && memcmp(at, "..", 2) == 0;
        at += length;
    }
    return wild;
}

static int note_wild_link(struct unpack *unpack, const char *path, struct error **err)
{
    struct guest_stat st;
    int r = guest_stat(unpack->guest, path, false, &st, err);
    if (r == 0)
        r = inode_set_add(&unpack->wild, st.inode, wild_links_max, err);
    return r == -E2BIG ? error_wrap(err, "links that are absolute or have '..'") : r;
}

/* That no directory on the way to `path` is a wild link. */
static int check_way(struct unpack *unpack, const char *path, struct error **err)
{
    if (unpack->wild.count == 0)
        return 0;
    _cleanup_free_ char *part = strdup(path);
    if (!part)
        return error_oom(err);
    for (char *slash = strchr(part + strlen(unpack->directory) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        struct guest_stat st;
        int r = place_look(unpack->guest, part, &st, err);
        if (r < 0)
            return r;
        if (r > 0 && S_ISLNK(st.mode) && inode_set_has(&unpack->wild, st.inode))
            return error_set(err, ELOOP, "the name leads through the link %s, which came with it",
                             part);
        if (r == 0)
            return 0;
        *slash = '/';
    }
    return 0;
}

static int make_way(struct unpack *unpack, const char *path, struct error **err)
{
    size_t length = (size_t)(strrchr(path, '/') - path);
    if (length <= strlen(unpack->directory))
        return 0;
    if (unpack->ready && strncmp(unpack->ready, path, length) == 0 && !unpack->ready[length])
        return 0;
    int r = check_way(unpack, path, err);
    if (r < 0)
        return r;
    char *parent = strndup(path, length);
    if (!parent)
        return error_oom(err);
    free(unpack->ready);
    unpack->ready = parent;
    r = bulk_flush(&unpack->bulk, err);
    if (r == 0)
        r = guest_mkdir_p(unpack->guest, parent, 0755, err);
    if (r < 0) {
        free(unpack->ready);
        unpack->ready = NULL;
    }
    return r;
}

/* What was known about directories need not be true any more. */
static void forget_way(struct unpack *unpack)
{
    free(unpack->ready);
    unpack->ready = NULL;
}

/* Removes what is in the entry's way. An empty directory gives way as well. */
static int clear_place(struct unpack *unpack, const char *path, struct error **err)
{
    struct guest_stat st;
    if (bulk_knows_absent(&unpack->bulk, path))
        return 0;
    int r = place_look(unpack->guest, path, &st, err);
    if (r <= 0)
        return r;
    forget_way(unpack);
    bulk_forget(&unpack->bulk);
    return S_ISDIR(st.mode) ? guest_rmdir(unpack->guest, path, err)
                            : guest_unlink(unpack->guest, path, err);
}

/* Whether the guest's own link there leads to a directory. */
static bool is_directory_link(struct unpack *unpack, const char *path, const struct guest_stat *st)
{
    return S_ISLNK(st->mode) && !inode_set_has(&unpack->wild, st->inode) &&
           guest_is_dir(unpack->guest, path);
}

static int put_directory(struct unpack *unpack, const char *path, const struct unpack_entry *entry,
                         struct error **err)
{
    const char *place = *path ? path : "/";
    mode_t mode = entry->mode & 07777;
    struct guest_stat st;
    int r = place_look(unpack->guest, place, &st, err);
    if (r > 0 && is_directory_link(unpack, place, &st))
        return 0;
    if (r == 0 || (r > 0 && !S_ISDIR(st.mode))) {
        r = r > 0 ? clear_place(unpack, path, err) : 0;
        if (r == 0)
            r = guest_mkdir(unpack->guest, place, mode, err);
    }
    if (r < 0)
        return r;
    /* The owner first: a new one takes set-id bits away. */
    r = guest_lchown(unpack->guest, place, entry->uid, entry->gid, err);
    if (r == 0)
        r = guest_chmod(unpack->guest, place, mode, err);
    return r < 0 ? r : open_directory(unpack, path, entry->mtime, err);
}

static int put_file(struct unpack *unpack, const char *path, const struct unpack_entry *entry,
                    struct error **err)
{
    const struct guest_file_attr attr = {
        .mode = entry->mode & 07777,
        .uid = entry->uid,
        .gid = entry->gid,
        .force = true,
    };
    if (bulk_takes(&unpack->bulk, entry))
        return bulk_add(&unpack->bulk, path, entry, possible_time(entry->mtime), err);
    int r = entry->fd >= 0 ? guest_upload(unpack->guest, entry->fd, path, &attr, err)
                           : guest_write(unpack->guest, path, entry->data ? entry->data : "",
                                         entry->size, &attr, err);
    return r < 0 ? r : set_times(unpack, path, entry->mtime, err);
}

static int put_symlink(struct unpack *unpack, const char *path, const struct unpack_entry *entry,
                       struct error **err)
{
    int r = guest_symlink(unpack->guest, entry->link, path, err);
    if (r == 0)
        r = guest_lchown(unpack->guest, path, entry->uid, entry->gid, err);
    if (r == 0)
        r = set_times(unpack, path, entry->mtime, err);
    return r == 0 && is_wild(entry->link) ? note_wild_link(unpack, path, err) : r;
}

static int put_hard_link(struct unpack *unpack, const char *path, const struct unpack_entry *entry,
                         struct error **err)
{
    _cleanup_free_ char *existing = NULL;
    int r = entry_path(unpack, entry->link, &existing, err);
    if (r == 0)
        r = check_way(unpack, existing, err);
    if (r < 0)
        return error_wrap(err, "the file it is a link to");
    if (strcmp(existing, path) == 0)
        return 0;
    r = clear_place(unpack, path, err);
    if (r == 0)
        r = guest_link(unpack->guest, *existing ? existing : "/", path, err);
    return r < 0 ? error_wrap(err, "cannot be a link to %s", entry->link) : 0;
}

static int put_special(struct unpack *unpack, const char *path, const struct unpack_entry *entry,
                       struct error **err)
{
    int r = guest_mknod(unpack->guest, path, entry->mode, entry->device, err);
    if (r == 0)
        r = guest_chown(unpack->guest, path, entry->uid, entry->gid, err);
    if (r == 0)
        r = guest_chmod(unpack->guest, path, entry->mode & 07777, err);
    return r < 0 ? r : set_times(unpack, path, entry->mtime, err);
}

static int put_entry(struct unpack *unpack, const char *path, const struct unpack_entry *entry,
                     struct error **err)
{
    bool itself = strcmp(path, unpack->directory) == 0;
    bool directory = S_ISDIR(entry->mode) && !entry->hard_link;
    if (itself && !directory)
        return error_set(err, EINVAL, "only a directory can have that name");
    int r = itself ? 0 : make_way(unpack, path, err);
    if (r < 0)
        return r;
    if (directory)
        return put_directory(unpack, path, entry, err);
    if (entry->hard_link)
        return put_hard_link(unpack, path, entry, err);
    r = clear_place(unpack, path, err);
    if (r < 0)
        return r;
    if (S_ISREG(entry->mode))
        return put_file(unpack, path, entry, err);
    if (S_ISLNK(entry->mode))
        return put_symlink(unpack, path, entry, err);
    return put_special(unpack, path, entry, err);
}

int unpack_add(struct unpack *unpack, const struct unpack_entry *entry, struct error **err)
{
    _cleanup_free_ char *path = NULL;
    int r = entry_path(unpack, entry->name, &path, err);
    /* Others may need to find what was gathered, or replace it. */
    if (r == 0 && !bulk_takes(&unpack->bulk, entry)) {
        r = bulk_flush(&unpack->bulk, err);
        bulk_forget(&unpack->bulk);
    }
    if (r == 0)
        r = leave_directories(unpack, path, err);
    if (r == 0)
        r = put_entry(unpack, path, entry, err);
    if (r < 0) {
        _cleanup_free_ char *shown = str_printable(entry->name);
        error_wrap(err, "%s", shown ? shown : "an entry");
    }
    return r;
}

int unpack_finish(struct unpack *unpack, struct error **err)
{
    int r = bulk_flush(&unpack->bulk, err);
    while (r == 0 && unpack->open_count > 0)
        r = close_directory(unpack, err);
    return r;
}
