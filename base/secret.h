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

static inline void secret_strv_free(struct strv *list)
{
    for (size_t i = 0; i < list->count; i++)
        explicit_bzero(list->items[i], strlen(list->items[i]));
    strv_free(list);
}
