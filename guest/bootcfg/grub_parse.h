/* The grammar of GRUB scripts (grub-core/script/parser.y of GRUB 2.06). */
#pragma once

#include "base/error.h"
#include "guest/bootcfg/grub_lex.h"

struct grub_span {
    const char *start;
    size_t length;
};

enum grub_node_kind { GRUB_COMMAND, GRUB_IF, GRUB_FOR, GRUB_WHILE, GRUB_UNTIL, GRUB_FUNCTION };

struct grub_node {
    enum grub_node_kind kind;
    struct grub_node *next;  /* the command behind it */
    struct grub_node *made;  /* of the same tree, for grub_tree_free() */
    struct grub_span *words; /* of a command; of "for": its name and what is behind "in"; of a
                                function: its name */
    size_t word_count;
    bool has_block;         /* a command's */
    struct grub_span block; /* between its braces */
    struct grub_node *condition;
    struct grub_node *body;
    struct grub_node *otherwise;
};

/* Zero-initialise. */
struct grub_tree {
    struct grub_node *made;
};

void grub_tree_free(struct grub_tree *tree);

/*
 * Reads what GRUB reads at once: a line, with the lines that its blocks and quotes need. *ret: its
 * commands; NULL when there are none or the grammar forbids it, in which case GRUB passes over all
 * up to the end of the line that is wrong. *at is then behind it. The nodes point into the text.
 * Returns 1, or 0 at the end of the text. -E2BIG: more nested than any script of a distribution.
 */
int grub_parse(const char **at, struct grub_tree *tree, struct grub_node **ret, struct error **err);
