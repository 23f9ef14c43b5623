/* Memory that held a secret is wiped before it is given back. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Accepts NULL. */
static inline void secret_free(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

DEFINE_CLEANUP(char *, secret_free);
#define _cleanup_secret_ _cleanup_(secret_freep)
