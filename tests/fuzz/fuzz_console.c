/* The console watcher: whatever a guest prints, at once and in portions, gives one verdict. */

#include <stdlib.h>
#include <string.h>

#include "vmm/verdict.h"

/* The first byte chooses the expectation; 0xff among the rest stands for a reset. */
static struct console_watcher *watch(const uint8_t *data, size_t size, size_t portion)
{
    struct console_watcher *watcher;
    enum vm_verdict expected = (enum vm_verdict)(data[0] / 2 % (VERDICT_TIMEOUT + 1));
    if (console_watcher_new(data[0] & 1, expected, &watcher, NULL) < 0)
        abort();
    for (size_t at = 1; at < size;) {
        size_t take = size - at < portion ? size - at : portion;
        const uint8_t *reset = memchr(data + at, 0xff, take);
        if (reset)
            take = (size_t)(reset - (data + at));
        console_watcher_feed(watcher, (const char *)data + at, take);
        at += take;
        if (reset) {
            console_watcher_reset(watcher);
            at++;
        }
    }
    return watcher;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct console_watcher *whole = watch(data, size, size);
    struct console_watcher *parts = watch(data, size, 1 + data[1] % 16);
    char *tail = console_watcher_tail(whole), *other = console_watcher_tail(parts);
    char *state = console_watcher_state(whole);
    if (console_watcher_verdict(whole) != console_watcher_verdict(parts) ||
        strcmp(console_watcher_reason(whole), console_watcher_reason(parts)) != 0 ||
        strcmp(tail, other) != 0)
        abort();
    console_watcher_power_off(whole);
    if (console_watcher_verdict(whole) == VERDICT_NONE)
        abort();
    free(tail);
    free(other);
    free(state);
    console_watcher_free(whole);
    console_watcher_free(parts);
    return 0;
}
