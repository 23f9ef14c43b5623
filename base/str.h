/* Strings, string lists, and numbers as text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A growing byte string, always NUL-terminated once something was added. Zero-initialise. A failed
 * append sticks: later appends do nothing and str_take() reports it, so that only the end is
 * checked. */
struct str {
    char *data;
    size_t length;
    size_t capacity;
    bool failed;
};

void str_append(struct str *str, const char *text);
void str_append_n(struct str *str, const void *bytes, size_t count);
void str_appendf(struct str *str, const char *fmt, ...) _printf_(2, 3);

/* Returns the text (never NULL: "" when nothing was added; caller frees) and empties str. NULL and
 * an error when memory ran out on the way. */
char *str_take(struct str *str, struct error **err);

void str_free(struct str *str);

/* A growing list of strings that it owns, NULL-terminated for argv use. Zero-initialise. */
struct strv {
    char **items; /* items[count] is NULL; items itself is NULL while the list is empty */
    size_t count;
};

int strv_add(struct strv *list, const char *text, struct error **err);
int strv_addf(struct strv *list, struct error **err, const char *fmt, ...) _printf_(3, 4);

/* Adds text itself, which the list then owns; frees it on failure. NULL is taken for out of
 * memory, so that the result of a strdup() can be passed on unchecked. */
int strv_take(struct strv *list, char *text, struct error **err);
bool strv_contains(const struct strv *list, const char *text);
void strv_free(struct strv *list);

#define _cleanup_str_  _cleanup_(str_free)
#define _cleanup_strv_ _cleanup_(strv_free)

/* asprintf() that returns the text (caller frees), or NULL and an error. */
char *str_printf(struct error **err, const char *fmt, ...) _printf_(2, 3);

/* Frees *slot and stores a copy of text (NULL stays NULL). */
int str_replace(char **slot, const char *text, struct error **err);

bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
static inline bool str_empty(const char *text)
{
    return !text || !*text;
}

/* Cuts white space off both ends, in place. Returns the first kept character. */
char *str_strip(char *text);

/* `what` names the value in the message, as in "--memory". */

/* Decimal, no sign, nothing after it. */
int parse_u64(const char *text, const char *what, uint64_t *ret, struct error **err);

/* A size in bytes as QEMU and virt-builder take it: "10G", "512M", "1.5G", "100K", "2T", "4096" or
 * "4096b". A bare number is bytes. Multiples of 1024. */
int parse_size(const char *text, const char *what, uint64_t *ret_bytes, struct error **err);

/* A size of memory, in bytes: as above, but a bare number is MiB, as QEMU's and virt-builder's -m.
 */
int parse_memory(const char *text, const char *what, uint64_t *ret_bytes, struct error **err);

/* A duration: "90", "90s", "2m", "1h", "500ms". A bare number is seconds. */
int parse_duration(const char *text, const char *what, uint64_t *ret_ms, struct error **err);

/* "6.0G", "812M", "97K", "12" in buf, which is returned. */
const char *format_size(uint64_t bytes, char buf[static 16]);

/* Makes text fit to be shown on a terminal: control bytes and invalid UTF-8 become \xNN. Returns
 * fresh memory, or NULL when out of memory. Use for everything that came from outside. */
char *str_printable(const char *text);

/* True when all of the text, behind which a NUL stands, is UTF-8. NULs within count as such. */
bool str_is_utf8(const char *text, size_t size);

/* Lower-case hexadecimal of `count` bytes into out (2 * count + 1 bytes). */
void hex_encode(const uint8_t *bytes, size_t count, char *out);
