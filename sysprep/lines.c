#include "sysprep/lines.h"

#include <string.h>
#include <sys/stat.h>

#include "guest/text/glob.h"

bool line_starts_with(const void *prefixes, const struct line *line)
{
    for (const char *const *prefix = prefixes; *prefix; prefix++) {
        size_t length = strlen(*prefix);
        if (line->length >= length && memcmp(line->start, *prefix, length) == 0)
            return true;
    }
    return false;
}

int lines_remove(struct guest *guest, const char *path, line_fn *drop, const void *context,
                 struct error **err)
{
    _cleanup_text_ struct text text = {0};
    int r = text_read(guest, path, &text, NULL, err);
    if (r < 0)
        return r;
    /* What stays is moved to the front. */
    struct line line;
    size_t kept = 0;
    for (size_t offset = 0; text_next_line(&text, &offset, &line);) {
        if (drop(context, &line))
            continue;
        memmove(text.data + kept, line.start, line.full);
        kept += line.full;
    }
    return kept == text.size ? 0 : guest_replace(guest, path, text.data, kept, err);
}

int lines_remove_all(struct guest *guest, const char *pattern, line_fn *drop, const void *context,
                     struct error **err)
{
    _cleanup_strv_ struct strv paths = {0};
    int r = glob_expand(guest, pattern, &paths, err);
    for (size_t i = 0; r == 0 && i < paths.count; i++) {
        struct guest_stat st;
        r = guest_stat(guest, paths.items[i], true, &st, NULL);
        /* A link that leads nowhere has no lines. */
        if (r == 0 && S_ISREG(st.mode))
            r = lines_remove(guest, paths.items[i], drop, context, err);
        else
            r = 0;
    }
    return r;
}
