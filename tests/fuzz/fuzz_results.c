/* What a guest tells through the results port: every section lies within what came, and the walk
 * over them ends. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/results.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct results_section section;
    size_t offset = 0, before = 0;
    enum results_step step;
    while ((step = results_next(text, size, &offset, &section)) == RESULTS_SECTION) {
        if (offset <= before || offset > size || section.data < text ||
            section.data + section.size >= text + size || strlen(section.name) > RESULTS_NAME_MAX)
            abort();
        before = offset;
    }
    if (results_complete(text, size) != (step != RESULTS_MORE))
        abort();
    return 0;
}
