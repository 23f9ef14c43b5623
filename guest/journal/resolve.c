/* Two paths to one file must give one entry of the journal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/journal/record.h"

enum { links_max = 40 };

struct walk {
    struct guest *guest;
    char *rest;      /* what is still to be walked */
    struct str done; /* "" is the root */
    unsigned links;
};

static void walk_free(struct walk *walk)
{
    free(walk->rest);
    str_free(&walk->done);
}

static void cut_to(struct str *str, size_t length)
{
    str->length = length;
    if (str->data)
        str->data[length] = '\0';
}

static void climb(struct str *done)
{
    size_t length = done->length;
    while (length > 0 && done->data[length - 1] != '/')
        length--;
    cut_to(done, length > 0 ? length - 1 : 0);
}

/* Puts the target of the link that was just walked to in front of the rest. */
static int follow_link(struct walk *walk, size_t before, const char *rest, struct error **err)
{
    _cleanup_free_ char *target = NULL;
    int r = walk->guest->ops->readlink(walk->guest, walk->done.data, &target, err);
    if (r < 0)
        return r;
    if (++walk->links > links_max)
        return error_set(err, ELOOP, "too many levels of symbolic links");
    char *joined = str_printf(err, "%s/%s", target, rest);
    if (!joined)
        return -ENOMEM;
    free(walk->rest);
    walk->rest = joined;
    cut_to(&walk->done, *target == '/' ? 0 : before);
    return 0;
}

/* Walks one component. *ret_absent: nothing is there. */
static int take_step(struct walk *walk, const char *name, size_t length, bool follow,
                     bool *ret_absent, struct error **err)
{
    struct guest_stat st;
    const char *rest = name + length + strspn(name + length, "/");
    size_t before = walk->done.length;
    bool is_link = false;
    if (length == 2 && memcmp(name, "..", 2) == 0) {
        climb(&walk->done);
    } else if (length != 1 || *name != '.') {
        str_append(&walk->done, "/");
        str_append_n(&walk->done, name, length);
        if (walk->done.failed)
            return error_oom(err);
        if (!*ret_absent) {
            *ret_absent =
                walk->guest->ops->stat(walk->guest, walk->done.data, false, &st, NULL) < 0;
            is_link = !*ret_absent && S_ISLNK(st.mode);
        }
    }
    if (is_link && (*rest || follow))
        return follow_link(walk, before, rest, err);
    memmove(walk->rest, rest, strlen(rest) + 1);
    return 0;
}

int journal_resolve(struct guest *guest, const char *path, bool follow, char **ret,
                    struct error **err)
{
    _cleanup_(walk_free) struct walk walk = {.guest = guest};
    bool absent = false;
    size_t length = strlen(path);
    follow = follow || (length > 0 && path[length - 1] == '/');
    walk.rest = strdup(path + strspn(path, "/"));
    if (!walk.rest)
        return error_oom(err);
    while (*walk.rest) {
        int r = take_step(&walk, walk.rest, strcspn(walk.rest, "/"), follow, &absent, err);
        if (r < 0)
            return r;
        size_t slashes = strspn(walk.rest, "/");
        if (slashes > 0)
            memmove(walk.rest, walk.rest + slashes, strlen(walk.rest + slashes) + 1);
    }
    *ret = walk.done.length > 0 ? str_take(&walk.done, err) : str_printf(err, "/");
    return *ret ? 0 : -ENOMEM;
}
