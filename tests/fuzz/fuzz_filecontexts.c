/* An SELinux policy's file contexts from a guest: input is the text of file_contexts, a NUL,
 * aliases, a NUL, and paths to look up, one a line. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "customize/selinux/file_contexts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lines beyond these add time, not paths through the code. */
enum { paths_max = 8, text_max = 4096 };

static void look_up(struct file_contexts *contexts, char *paths)
{
    static const mode_t types[] = {S_IFREG, S_IFDIR, S_IFLNK};
    char *next = paths;
    for (unsigned i = 0; i < paths_max && next; i++) {
        const char *path = strsep(&next, "\n");
        const char *label = NULL;
        int r = file_contexts_lookup(contexts, path, types[i % ARRAY_SIZE(types)], &label, NULL);
        assert(r == 0 || !label);
        assert(!label || strchr(label, ':'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file_contexts *contexts;
    if (size > text_max || file_contexts_new(&contexts, NULL) < 0)
        return 0;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    const char *aliases = memchr(text, '\0', size);
    size_t first = aliases ? (size_t)(aliases - text) : size;
    int r = file_contexts_add(contexts, text, first, NULL);
    if (r == 0 && aliases) {
        aliases++;
        char *paths = memchr(aliases, '\0', size - first - 1);
        size_t second = paths ? (size_t)(paths - aliases) : size - first - 1;
        r = file_contexts_add_aliases(contexts, FILE_CONTEXTS_LOCAL, aliases, second, NULL);
        if (r == 0 && paths)
            look_up(contexts, paths + 1);
    }
    file_contexts_free(contexts);
    free(text);
    return 0;
}
