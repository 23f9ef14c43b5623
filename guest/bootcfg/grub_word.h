/* The words of a GRUB script. For grub_script.c. */
#pragma once

#include "base/str.h"
#include "guest/bootcfg/grub_env.h"

enum grub_token {
    GRUB_WORD, /* a word */
    GRUB_STOP, /* the end of a command: a line end or ';' */
    GRUB_END,  /* the end of the text */
};

/* Reads the next token at *at and moves behind it. For a word, *ret_length is the length of its
 * spelling, which begins at *ret_start. */
enum grub_token grub_word_next(const char **at, const char **ret_start, size_t *ret_length);

/* What the word stands for, quotes and variables resolved. Fresh memory. */
char *grub_word_expand(const char *word, size_t length, const struct grub_env *env,
                       struct error **err);

/* Whether the spelling is exactly this. */
bool grub_word_is(const char *word, size_t length, const char *text);
