/* Many short strings, kept together: a file of commands may have millions of lines. */
#pragma once

#include "base/error.h"

struct words_block;

/* Zero-initialise. */
struct words {
    struct words_block *last;
};

/* A copy of the text, valid until words_free(). NULL and *err without memory. */
char *words_add(struct words *words, const char *text, struct error **err);

/* Wipes all of them: they may be secrets. */
void words_free(struct words *words);
