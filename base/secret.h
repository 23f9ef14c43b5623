/* Memory that held a secret is wiped before it is given back. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"

/* Accepts NULL. */
static inline void secret_free(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

DEFINE_CLEANUP(char *, secret_free);
#define _cleanup_secret_ _cleanup_(secret_freep)

/*
 * Reads a line without its newline, byte by byte, so that the next reader of a pipe or terminal
 * finds the next line. The buffer is wiped. Caller frees with secret_free(); *ret is NULL where the
 * input has ended. -EMSGSIZE: the line has more than `max` bytes; -EILSEQ: one of them is NUL.
 * `name` is that of the input.
 */
int secret_read_line(int fd, const char *name, size_t max, char **ret, struct error **err);

static inline void secret_strv_free(struct strv *list)
{
    for (size_t i = 0; i < list->count; i++)
        explicit_bzero(list->items[i], strlen(list->items[i]));
    strv_free(list);
}
