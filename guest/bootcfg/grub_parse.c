#include "guest/bootcfg/grub_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 50
#define WORDS_MAX 4000 /* of a command */

struct parser {
    const char *at; /* behind `token` */
    struct grub_token token;
    struct grub_tree *tree;
    unsigned depth;
    struct error **err;
};

/* All return 1, 0 for what the grammar forbids, or a negative errno. */
static int parse_list(struct parser *parser, struct grub_node **ret);

static void advance(struct parser *parser)
{
    parser->token = grub_token_next(&parser->at);
}

static bool at_kind(const struct parser *parser, enum grub_token_kind kind)
{
    return parser->token.kind == kind;
}

static bool at_reserved(const struct parser *parser, const char *word)
{
    return at_kind(parser, GRUB_TOKEN_RESERVED) && grub_token_is(&parser->token, word);
}

static int take_reserved(struct parser *parser, const char *word)
{
    if (!at_reserved(parser, word))
        return 0;
    advance(parser);
    return 1;
}

static void skip_newlines(struct parser *parser)
{
    while (at_kind(parser, GRUB_TOKEN_NEWLINE))
        advance(parser);
}

static bool at_delimiter(const struct parser *parser)
{
    return at_kind(parser, GRUB_TOKEN_NEWLINE) || at_kind(parser, GRUB_TOKEN_SEMICOLON);
}

static int take_delimiters(struct parser *parser)
{
    if (!at_delimiter(parser))
        return 0;
    advance(parser);
    skip_newlines(parser);
    return 1;
}

static struct grub_node *new_node(struct parser *parser, enum grub_node_kind kind)
{
    struct grub_node *node = calloc(1, sizeof(*node));
    if (!node) {
        error_oom(parser->err);
        return NULL;
    }
    node->kind = kind;
    node->made = parser->tree->made;
    parser->tree->made = node;
    return node;
}

static int take_word(struct parser *parser, struct grub_node *node)
{
    if (node->word_count >= WORDS_MAX)
        return error_set(parser->err, E2BIG, "a command of the script has more than %d words",
                         WORDS_MAX);
    if ((node->word_count & (node->word_count - 1)) == 0) {
        size_t room = node->word_count ? 2 * node->word_count : 1;
        struct grub_span *words = reallocarray(node->words, room, sizeof(*words));
        if (!words)
            return error_oom(parser->err);
        node->words = words;
    }
    node->words[node->word_count++] = (struct grub_span){parser->token.start, parser->token.length};
    advance(parser);
    return 1;
}

static bool at_argument(const struct parser *parser)
{
    return at_kind(parser, GRUB_TOKEN_WORD) || at_kind(parser, GRUB_TOKEN_NAME) ||
           at_kind(parser, GRUB_TOKEN_RESERVED);
}

static int parse_arguments(struct parser *parser, struct grub_node *node)
{
    int r = 1;
    while (r > 0 && at_argument(parser))
        r = take_word(parser, node);
    return r;
}

/* "{", commands, "}". A delimiter before the "}" of a function is needed, elsewhere it is not. */
static int parse_block(struct parser *parser, struct grub_node *node, bool of_function)
{
    node->block.start = parser->at;
    advance(parser);
    int r = parse_list(parser, &node->body);
    if (r <= 0)
        return r;
    if (!take_delimiters(parser) && of_function)
        return 0;
    if (!at_kind(parser, GRUB_TOKEN_CLOSE))
        return 0;
    node->block.length = (size_t)(parser->token.start - node->block.start);
    advance(parser);
    return 1;
}

static int parse_command(struct parser *parser, struct grub_node **ret)
{
    if (!at_kind(parser, GRUB_TOKEN_WORD) && !at_kind(parser, GRUB_TOKEN_NAME))
        return 0;
    struct grub_node *node = *ret = new_node(parser, GRUB_COMMAND);
    if (!node)
        return -ENOMEM;
    int r = parse_arguments(parser, node);
    if (r > 0 && at_kind(parser, GRUB_TOKEN_OPEN)) {
        node->has_block = true;
        r = parse_block(parser, node, false);
    }
    return r;
}

/* Commands, and the delimiter that has to be behind them. */
static int parse_clause(struct parser *parser, struct grub_node **ret)
{
    int r = parse_list(parser, ret);
    return r > 0 ? take_delimiters(parser) : r;
}

/* Behind "if" or "elif". */
static int parse_if(struct parser *parser, struct grub_node **ret)
{
    struct grub_node *node = *ret = new_node(parser, GRUB_IF);
    if (!node)
        return -ENOMEM;
    int r = parse_clause(parser, &node->condition);
    if (r > 0)
        r = take_reserved(parser, "then");
    if (r > 0)
        r = parse_clause(parser, &node->body);
    if (r <= 0)
        return r;
    if (at_reserved(parser, "elif")) {
        /* As many as there are lie within each other. */
        if (parser->depth >= DEPTH_MAX)
            return error_set(parser->err, E2BIG, "the script is nested too deeply");
        advance(parser);
        parser->depth++;
        r = parse_if(parser, &node->otherwise);
        parser->depth--;
        return r;
    }
    if (at_reserved(parser, "else")) {
        advance(parser);
        r = parse_clause(parser, &node->otherwise);
    }
    return r > 0 ? take_reserved(parser, "fi") : r;
}

/* "do", commands, "done". */
static int parse_do(struct parser *parser, struct grub_node *node)
{
    int r = take_reserved(parser, "do");
    if (r > 0)
        r = parse_clause(parser, &node->body);
    return r > 0 ? take_reserved(parser, "done") : r;
}

static int parse_for(struct parser *parser, struct grub_node **ret)
{
    struct grub_node *node = *ret = new_node(parser, GRUB_FOR);
    if (!node)
        return -ENOMEM;
    int r = at_kind(parser, GRUB_TOKEN_NAME) ? take_word(parser, node) : 0;
    if (r > 0)
        r = take_reserved(parser, "in");
    if (r > 0)
        r = parse_arguments(parser, node);
    if (r > 0)
        r = take_delimiters(parser);
    return r > 0 ? parse_do(parser, node) : r;
}

static int parse_while(struct parser *parser, enum grub_node_kind kind, struct grub_node **ret)
{
    struct grub_node *node = *ret = new_node(parser, kind);
    if (!node)
        return -ENOMEM;
    int r = parse_clause(parser, &node->condition);
    return r > 0 ? parse_do(parser, node) : r;
}

static int parse_function(struct parser *parser, struct grub_node **ret)
{
    struct grub_node *node = *ret = new_node(parser, GRUB_FUNCTION);
    if (!node)
        return -ENOMEM;
    int r = at_kind(parser, GRUB_TOKEN_NAME) ? take_word(parser, node) : 0;
    if (r <= 0)
        return r;
    skip_newlines(parser);
    return at_kind(parser, GRUB_TOKEN_OPEN) ? parse_block(parser, node, true) : 0;
}

static int parse_any_command(struct parser *parser, struct grub_node **ret)
{
    if (parser->depth >= DEPTH_MAX)
        return error_set(parser->err, E2BIG, "the script is nested too deeply");
    parser->depth++;
    int r;
    if (take_reserved(parser, "if"))
        r = parse_if(parser, ret);
    else if (take_reserved(parser, "for"))
        r = parse_for(parser, ret);
    else if (take_reserved(parser, "while"))
        r = parse_while(parser, GRUB_WHILE, ret);
    else if (take_reserved(parser, "until"))
        r = parse_while(parser, GRUB_UNTIL, ret);
    else
        r = parse_command(parser, ret);
    parser->depth--;
    return r;
}

/* At least one command. What may be behind the last one is left to the caller. */
static int parse_list(struct parser *parser, struct grub_node **ret)
{
    skip_newlines(parser);
    for (;;) {
        int r = parse_any_command(parser, ret);
        if (r <= 0)
            return r;
        ret = &(*ret)->next;
        const struct parser before = *parser;
        if (!take_delimiters(parser))
            return 1;
        bool more = at_kind(parser, GRUB_TOKEN_WORD) || at_kind(parser, GRUB_TOKEN_NAME) ||
                    at_reserved(parser, "if") || at_reserved(parser, "for") ||
                    at_reserved(parser, "while") || at_reserved(parser, "until");
        if (!more) {
            *parser = before;
            return 1;
        }
    }
}

static int parse_statement(struct parser *parser, struct grub_node **ret)
{
    return take_reserved(parser, "function") ? parse_function(parser, ret)
                                             : parse_any_command(parser, ret);
}

/* Up to the end of the line that ends what is parsed at once. */
static int parse_line(struct parser *parser, struct grub_node **ret)
{
    for (;;) {
        int r = parse_statement(parser, ret);
        if (r <= 0)
            return r;
        ret = &(*ret)->next;
        if (at_kind(parser, GRUB_TOKEN_END) || at_kind(parser, GRUB_TOKEN_NEWLINE))
            return 1;
        if (!at_kind(parser, GRUB_TOKEN_SEMICOLON))
            return 0;
        advance(parser);
        if (at_kind(parser, GRUB_TOKEN_END) || at_kind(parser, GRUB_TOKEN_NEWLINE))
            return 1;
    }
}

int grub_parse(const char **at, struct grub_tree *tree, struct grub_node **ret, struct error **err)
{
    struct parser parser = {.at = *at, .tree = tree, .err = err};
    *ret = NULL;
    advance(&parser);
    skip_newlines(&parser);
    if (at_kind(&parser, GRUB_TOKEN_END))
        return 0;
    struct grub_node *first = NULL;
    int r = parse_line(&parser, &first);
    if (r < 0)
        return r;
    if (r > 0)
        *ret = first;
    /* Each line is read when it is needed, so the rest of the wrong one alone is lost. */
    const char *end = parser.token.start;
    end += r > 0 ? 0 : parser.token.length;
    if (r == 0 && !at_kind(&parser, GRUB_TOKEN_NEWLINE))
        end += strcspn(end, "\n");
    *at = end;
    return 1;
}

void grub_tree_free(struct grub_tree *tree)
{
    while (tree->made) {
        struct grub_node *node = tree->made;
        tree->made = node->made;
        free(node->words);
        free(node);
    }
}
