/* What is in a guest, for comparing. */
#pragma once

#include <sys/stat.h>

#include "base/str.h"
#include "guest/guest.h"
#include "guest/text/place.h"
#include "tests/unit/unit.h"

/* A tree as lines "PATH CONTENT", sorted by path. */
struct snapshot {
    struct strv paths;
    struct strv contents;
};

static inline void snapshot_free(struct snapshot *snapshot)
{
    strv_free(&snapshot->paths);
    strv_free(&snapshot->contents);
}

static inline char *content_of(struct guest *guest, const char *path, const struct guest_stat *st)
{
    char *content = NULL;
    if (S_ISLNK(st->mode)) {
        _cleanup_free_ char *target = NULL;
        assert_int_equal(guest_readlink(guest, path, &target, NULL), 0);
        return str_printf(NULL, "->%s", target);
    }
    if (S_ISDIR(st->mode))
        return strdup("(directory)");
    assert_int_equal(guest_read(guest, path, 1 << 20, &content, NULL, NULL), 0);
    return content;
}

static inline void snapshot_take(struct guest *guest, const char *dir, struct snapshot *snapshot)
{
    _cleanup_strv_ struct strv names = {0};
    assert_int_equal(place_list(guest, dir, &names, NULL), 0);
    for (size_t i = 0; i < names.count; i++) {
        struct guest_stat st;
        char *path = place_join(dir, names.items[i], NULL);
        assert_int_equal(guest_stat(guest, path, false, &st, NULL), 0);
        assert_int_equal(strv_take(&snapshot->contents, content_of(guest, path, &st), NULL), 0);
        assert_int_equal(strv_take(&snapshot->paths, path, NULL), 0);
        if (S_ISDIR(st.mode))
            snapshot_take(guest, snapshot->paths.items[snapshot->paths.count - 1], snapshot);
    }
}
