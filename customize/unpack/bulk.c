#include "customize/unpack/bulk.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"

/* Larger ones are worth a call of their own. */
static const uint64_t file_max = 1 << 20;
static const size_t bytes_max = 8 << 20;
enum { files_max = 512 };

bool bulk_takes(const struct bulk *bulk, const struct unpack_entry *entry)
{
    struct stat st = {.st_mode = S_IFREG};
    if (!S_ISREG(entry->mode) || entry->hard_link || !guest_creates_in_bulk(bulk->guest))
        return false;
    if (entry->fd < 0)
        return entry->size <= file_max;
    return fstat(entry->fd, &st) == 0 && S_ISREG(st.st_mode) && (uint64_t)st.st_size <= file_max;
}

static void drop_files(struct bulk *bulk)
{
    for (size_t i = 0; i < bulk->count; i++) {
        free((char *)bulk->files[i].path);
        free((void *)bulk->files[i].data);
    }
    bulk->count = bulk->bytes = 0;
}

int bulk_flush(struct bulk *bulk, struct error **err)
{
    if (bulk->count == 0)
        return 0;
    int r = guest_create_files(bulk->guest, bulk->files, bulk->count, err);
    drop_files(bulk);
    return r;
}

/* A copy of the entry's contents; caller frees. */
static int read_contents(const struct unpack_entry *entry, char **ret, size_t *ret_size,
                         struct error **err)
{
    /* It may have grown since it was asked for its size, but not that much. */
    if (entry->fd >= 0)
        return fd_read_all(entry->fd, bytes_max, "a file", ret, ret_size, err);
    *ret = malloc(entry->size + 1);
    if (!*ret)
        return error_oom(err);
    if (entry->size > 0)
        memcpy(*ret, entry->data, entry->size);
    *ret_size = entry->size;
    return 0;
}

int bulk_add(struct bulk *bulk, const char *path, const struct unpack_entry *entry, int64_t mtime,
             struct error **err)
{
    _cleanup_free_ char *data = NULL;
    size_t size;
    int r = read_contents(entry, &data, &size, err);
    if (r == 0 && (bulk->count == files_max || bulk->bytes + size > bytes_max))
        r = bulk_flush(bulk, err);
    if (r < 0)
        return r;
    if (!bulk->files)
        bulk->files = calloc(files_max, sizeof(*bulk->files));
    _cleanup_free_ char *name = strdup(path);
    if (!bulk->files || !name)
        return error_oom(err);
    bulk->files[bulk->count++] = (struct guest_new_file){
        .path = TAKE_PTR(name),
        .data = TAKE_PTR(data),
        .size = size,
        .attr = {.mode = entry->mode & 07777, .uid = entry->uid, .gid = entry->gid, .force = true},
        .mtime = mtime,
    };
    bulk->bytes += size;
    return 0;
}

void bulk_forget(struct bulk *bulk)
{
    free(bulk->directory);
    place_entries_free(&bulk->names);
    bulk->directory = NULL;
    bulk->listed = false;
}

/* Whether the path is in the directory that was asked about last; else it is from now on. */
static bool same_directory(struct bulk *bulk, const char *path)
{
    size_t length = (size_t)(path_name(path) - path);
    if (bulk->directory && strlen(bulk->directory) == length &&
        memcmp(bulk->directory, path, length) == 0)
        return true;
    bulk_forget(bulk);
    bulk->directory = strndup(path, length);
    return false;
}

static int compare_name(const void *name, const void *entry)
{
    return strcmp(name, ((const struct place_entry *)entry)->name);
}

bool bulk_knows_absent(struct bulk *bulk, const char *path)
{
    bool same = same_directory(bulk, path);
    if (!bulk->directory || !same)
        return false;
    if (!bulk->listed && place_entries(bulk->guest, bulk->directory, &bulk->names, NULL) < 0)
        return false;
    bulk->listed = true;
    return bulk->names.count == 0 || !bsearch(path_name(path), bulk->names.items, bulk->names.count,
                                              sizeof(*bulk->names.items), compare_name);
}

void bulk_release(struct bulk *bulk)
{
    drop_files(bulk);
    free(bulk->files);
    bulk_forget(bulk);
}
