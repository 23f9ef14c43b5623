/* Taking a member out of JSON: whatever the text, it only ever gets shorter by what was cut. */

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sysprep/json_cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const path[] = {"a", "b", NULL};
    /* Exactly as large as it says, so that a step beyond the end is seen. */
    struct text json = {malloc(size + 1), size};
    if (!json.data)
        return 0;
    if (size > 0)
        memcpy(json.data, data, size);
    json.data[size] = '\0';
    bool cut = false;
    json_cut(&json, path, &cut);
    assert(cut ? json.size < size : json.size == size && memcmp(json.data, data, size) == 0);
    assert(json.data[json.size] == '\0');
    text_free(&json);
    return 0;
}
