/* Shell patterns on a guest: the first line is the pattern, the others are names in a directory. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest/text/glob.h"
#include "tests/unit/customize/fake_guest.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    struct fake_guest *fake = fake_guest_new();
    _cleanup_strv_ struct strv paths = {0};
    _cleanup_error_ struct error *err = NULL;
    _cleanup_free_ char *text = strndup((const char *)data, size);
    char *rest = text;
    const char *pattern = strsep(&rest, "\n");
    for (const char *name; (name = strsep(&rest, "\n"));) {
        char path[300];
        snprintf(path, sizeof(path), "/d/%.200s", name);
        if (*name && *name != '.' && !strchr(name, '/'))
            fake_add_file(fake, path, 0644, 0, 0, "");
    }
    if (glob_expand(&fake->guest, pattern, &paths, &err) < 0 && !err)
        abort();
    /* What was found is there. */
    for (size_t i = 0; i < paths.count; i++)
        if (fake_mode(fake, paths.items[i]) == 0)
            abort();
    fake_guest_free(fake);
    return 0;
}
