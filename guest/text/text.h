/* Small text files of the guest: read whole, taken apart by lines, written back byte for byte. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "guest/guest.h"

/* Bytes, which may include NULs; one more NUL stands behind them. */
struct text {
    char *data;
    size_t size;
};

/* Wipes as well: some of these files hold password hashes. */
void text_free(struct text *text);
#define _cleanup_text_ _cleanup_(text_free)

struct line {
    const char *start;
    size_t length; /* without "\n" or "\r\n" */
    size_t full;   /* with it; the last line of a file may have none */
};

/* Walks the lines: *offset starts at 0. False: there are no more. */
bool text_next_line(const struct text *text, size_t *offset, struct line *ret);

/* True when the line consists of exactly these characters. */
bool line_is(const char *start, size_t length, const char *expected);

/* The next word of the line: characters up to a blank or tab. False: there are no more. */
bool line_next_word(const struct line *line, size_t *offset, const char **ret_start,
                    size_t *ret_length);

/* The whole file, at most 16 MiB; empty where there is none. *ret_exists may be NULL. */
int text_read(struct guest *guest, const char *path, struct text *ret, bool *ret_exists,
              struct error **err);

/* Replaces the file's contents, keeping mode and owner, or creates it with mode 0644 as root's. */
int text_write(struct guest *guest, const char *path, const void *data, size_t size,
               struct error **err);

/* Whether there is a line KEY=... */
bool text_assigns(const struct text *text, const char *key);

/*
 * The text without its lines KEY=..., and with KEY=value (quoted: KEY="value") as a new last line.
 */
int text_assign(const struct text *text, const char *key, const char *value, bool quoted,
                struct text *ret, struct error **err);
