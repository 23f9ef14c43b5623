#include "guest/text/mention.h"

#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "guest/text/glob.h"
#include "guest/text/text.h"

static bool text_mentions(const struct text *text, const char *word)
{
    struct line line;
    for (size_t at = 0; text_next_line(text, &at, &line);) {
        size_t blanks = 0;
        while (blanks < line.length && strchr(" \t", line.start[blanks]))
            blanks++;
        bool comment = blanks < line.length && line.start[blanks] == '#';
        if (!comment && memmem(line.start, line.length, word, strlen(word)))
            return true;
    }
    return false;
}

int files_mention(struct guest *guest, const char *pattern, const char *word, bool *ret,
                  struct error **err)
{
    _cleanup_strv_ struct strv paths = {0};
    bool found = false;
    int r = glob_expand(guest, pattern, &paths, err);
    for (size_t i = 0; r == 0 && !found && i < paths.count; i++) {
        _cleanup_text_ struct text text = {0};
        struct guest_stat st;
        if (guest_stat(guest, paths.items[i], true, &st, NULL) < 0 || !S_ISREG(st.mode))
            continue;
        r = text_read(guest, paths.items[i], &text, NULL, err);
        found = r == 0 && text_mentions(&text, word);
    }
    if (r == 0)
        *ret = found;
    return r;
}
