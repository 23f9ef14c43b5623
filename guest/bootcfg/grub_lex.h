/*
 * The tokens of a GRUB script, as grub-core/script/yylex.l of GRUB 2.06 tells them apart.
 *
 * A word keeps its spelling; grub_word_next_part() takes it apart when the script runs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum grub_token_kind {
    GRUB_TOKEN_WORD,     /* anything that is none of the others */
    GRUB_TOKEN_NAME,     /* a word of letters, digits and '_' that does not begin with a digit */
    GRUB_TOKEN_RESERVED, /* "if", "then" and the others: words in arguments alone */
    GRUB_TOKEN_OPEN,     /* "{" */
    GRUB_TOKEN_CLOSE,    /* "}" */
    GRUB_TOKEN_SEMICOLON,
    GRUB_TOKEN_NEWLINE,
    GRUB_TOKEN_END,
    GRUB_TOKEN_BAD, /* what GRUB's grammar has no use for, and quotes that are never closed */
};

struct grub_token {
    enum grub_token_kind kind;
    const char *start;
    size_t length;
};

/* The token at *at, which then is behind it. */
struct grub_token grub_token_next(const char **at);

bool grub_token_is(const struct grub_token *token, const char *text);

enum grub_part_kind {
    GRUB_PART_TEXT,     /* without quotes: a backslash escapes */
    GRUB_PART_QUOTED,   /* literal */
    GRUB_PART_VARIABLE, /* splits into words */
    GRUB_PART_QUOTED_VARIABLE,
};

struct grub_part {
    enum grub_part_kind kind;
    char *text; /* the variable's name, without "${" */
};

/* Takes the parts off a word's spelling. 1: there was one (the caller frees its text), 0: the word
 * has ended. -ENOMEM. `state` is zero in the beginning. */
struct grub_word_state {
    char quote; /* the one in which the reader stands */
};
int grub_word_next_part(const char **at, const char *end, struct grub_word_state *state,
                        struct grub_part *ret);
