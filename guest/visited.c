#include "guest/visited.h"

#include <errno.h>
#include <stdlib.h>

struct directory {
    uint64_t fs, inode;
};

static uint64_t code_of(const struct guest_stat *st)
{
    return hash_number(st->inode ^ hash_number(st->fs));
}

static bool is_same(const void *item, const void *key)
{
    const struct directory *directory = item;
    const struct guest_stat *st = key;
    return directory->fs == st->fs && directory->inode == st->inode;
}

int visited_enter(struct visited *visited, const struct guest_stat *st, const char *path,
                  struct error **err)
{
    if (hash_find(&visited->directories, code_of(st), is_same, st)) {
        error_set(err, EUCLEAN,
                  "%s in the guest: the directory has another name as well, so that "
                  "the file system is damaged",
                  path);
        return error_hint(err, "repair the file system with e2fsck or the tool of its kind");
    }
    struct directory *directory = malloc(sizeof(*directory));
    if (!directory)
        return error_oom(err);
    *directory = (struct directory){.fs = st->fs, .inode = st->inode};
    int r = hash_add(&visited->directories, code_of(st), directory, err);
    if (r < 0)
        free(directory);
    return r;
}

void visited_free(struct visited *visited)
{
    size_t position = 0;
    void *item;
    while ((item = hash_next(&visited->directories, &position)))
        free(item);
    hash_free(&visited->directories);
}
