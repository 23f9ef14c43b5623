#include "datasource/yaml_read.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <yaml.h>

#include "base/hash.h"
#include "base/str.h"

enum { max_depth = 64 };

struct anchor {
    char *name;
    struct yaml_node *node;
    struct anchor *next;
};

/* One pass over the events of a text. */
struct reading {
    yaml_parser_t parser;
    struct yaml_tree *tree;
    struct yaml_node *open[max_depth]; /* sequences and mappings */
    size_t depth;
    size_t documents;
    struct hash anchors; /* of struct anchor */
    struct anchor *owned;
};

/* Windows editors put a byte order mark in front. It is no character of the text: columns are
 * counted from behind it. */
static void skip_mark(const char **text, size_t *size)
{
    if (*size < 3 || memcmp(*text, "\xef\xbb\xbf", 3) != 0)
        return;
    *text += 3;
    *size -= 3;
}

static int parser_begin(yaml_parser_t *parser, const char *text, size_t size, struct error **err)
{
    skip_mark(&text, &size);
    if (!yaml_parser_initialize(parser))
        return error_oom(err);
    yaml_parser_set_input_string(parser, (const unsigned char *)text, size);
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    return 0;
}

static struct yaml_place place_of(yaml_mark_t mark)
{
    return (struct yaml_place){
        .line = mark.line + 1, .column = mark.column + 1, .index = mark.index};
}

/* A place in a text, kept both as libyaml counts (characters) and as memory does (bytes). */
struct cursor {
    const char *at;
    const char *end;
    yaml_mark_t mark;
};

static void cursor_step(struct cursor *cursor)
{
    bool newline =
        *cursor->at == '\n' ||
        (*cursor->at == '\r' && (cursor->at + 1 == cursor->end || cursor->at[1] != '\n'));
    do
        cursor->at++;
    while (cursor->at < cursor->end && (*cursor->at & 0xc0) == 0x80);
    cursor->mark.index++;
    cursor->mark.column = newline ? 0 : cursor->mark.column + 1;
    cursor->mark.line += newline;
}

/* The reader is ahead of the scanner and gives only the offset of a byte that is not UTF-8. */
static yaml_mark_t mark_at(const yaml_parser_t *parser, size_t offset)
{
    const char *text = (const char *)parser->input.string.start;
    struct cursor cursor = {.at = text, .end = (const char *)parser->input.string.end};
    while (cursor.at < cursor.end && (size_t)(cursor.at - text) < offset)
        cursor_step(&cursor);
    return cursor.mark;
}

static int parser_failed(const yaml_parser_t *parser, const struct yaml_tree *tree,
                         struct error **err)
{
    const char *problem = parser->problem ? parser->problem : "cannot be parsed";
    if (parser->error == YAML_MEMORY_ERROR)
        return error_oom(err);
    if (parser->error == YAML_READER_ERROR)
        return yaml_refuse(tree, place_of(mark_at(parser, parser->problem_offset)), err, "%s",
                           problem);
    int r = yaml_refuse(tree, place_of(parser->problem_mark), err, "%s", problem);
    /* "while parsing a flow sequence": the bracket that is not closed may be far above. */
    if (parser->context && parser->context_mark.line != parser->problem_mark.line)
        error_hint(err, "this was found %s that begins in line %zu", parser->context,
                   parser->context_mark.line + 1);
    return r;
}

static bool is_anchor(const void *item, const void *key)
{
    return strcmp(((const struct anchor *)item)->name, key) == 0;
}

static int add_anchor(struct reading *reading, const char *name, struct yaml_node *node,
                      struct error **err)
{
    uint64_t code = hash_text(hash_text_start, name);
    const struct anchor *known = hash_find(&reading->anchors, code, is_anchor, name);
    if (known) {
        int r = yaml_refuse(reading->tree, node->start, err,
                            "the anchor '&%s' is given a second time, first in line %zu", name,
                            known->node->start.line);
        error_hint(err, "give each anchor a name of its own; cloud-init's reader drops the whole "
                        "document");
        return r;
    }
    struct anchor *anchor = calloc(1, sizeof(*anchor));
    if (!anchor)
        return error_oom(err);
    anchor->node = node;
    anchor->next = reading->owned;
    reading->owned = anchor;
    anchor->name = strdup(name);
    return anchor->name ? hash_add(&reading->anchors, code, anchor, err) : error_oom(err);
}

static int copy_text(char **slot, const yaml_char_t *text, size_t length, struct error **err)
{
    *slot = malloc(length + 1);
    if (!*slot)
        return error_oom(err);
    memcpy(*slot, text, length);
    (*slot)[length] = '\0';
    return 0;
}

static int fill_scalar(struct yaml_node *node, const yaml_event_t *event, struct error **err)
{
    node->length = event->data.scalar.length;
    node->is_plain =
        event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && event->data.scalar.plain_implicit;
    return copy_text(&node->value, event->data.scalar.value, node->length, err);
}

static int fill_alias(struct reading *reading, struct yaml_node *node, const yaml_event_t *event,
                      struct error **err)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct anchor *anchor =
        hash_find(&reading->anchors, hash_text(hash_text_start, name), is_anchor, name);
    if (!anchor)
        return yaml_refuse(reading->tree, node->start, err,
                           "this alias (*name) has no anchor (&name) before it");
    node->target = anchor->node;
    return 0;
}

/* Makes the node its parent's, or the root. */
static int attach(struct reading *reading, struct yaml_node *node, struct error **err)
{
    if (reading->depth > 0)
        return yaml_node_add(reading->open[reading->depth - 1], node, err);
    reading->tree->root = node;
    return 0;
}

static int open_node(struct reading *reading, struct yaml_node *node, struct error **err)
{
    if (reading->depth == max_depth)
        return yaml_refuse(reading->tree, node->start, err, "nested deeper than 64 levels");
    reading->open[reading->depth++] = node;
    return 0;
}

/* What an event says about a node, whichever kind it is of. */
struct properties {
    enum yaml_kind kind;
    const yaml_char_t *anchor;
    const yaml_char_t *tag;
    bool is_flow;
};

static struct properties properties_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return (struct properties){YAML_SCALAR, event->data.scalar.anchor, event->data.scalar.tag,
                                   false};
    case YAML_SEQUENCE_START_EVENT:
        return (struct properties){YAML_SEQUENCE, event->data.sequence_start.anchor,
                                   event->data.sequence_start.tag,
                                   event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE};
    case YAML_MAPPING_START_EVENT:
        return (struct properties){YAML_MAPPING, event->data.mapping_start.anchor,
                                   event->data.mapping_start.tag,
                                   event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE};
    default:
        return (struct properties){YAML_ALIAS, NULL, NULL, false};
    }
}

static int take_node(struct reading *reading, const yaml_event_t *event, struct error **err)
{
    struct properties properties = properties_of(event);
    struct yaml_node *node;
    int r = yaml_node_new(reading->tree, properties.kind, &node, err);
    if (r < 0)
        return r;
    node->start = place_of(event->start_mark);
    node->end = event->end_mark.index;
    node->is_flow = properties.is_flow;
    r = attach(reading, node, err);
    if (r == 0 && properties.tag)
        r = copy_text(&node->tag, properties.tag, strlen((const char *)properties.tag), err);
    if (r == 0 && properties.kind == YAML_SCALAR)
        r = fill_scalar(node, event, err);
    if (r == 0 && properties.kind == YAML_ALIAS)
        r = fill_alias(reading, node, event, err);
    if (r == 0 && properties.anchor)
        r = add_anchor(reading, (const char *)properties.anchor, node, err);
    if (r == 0 && (properties.kind == YAML_SEQUENCE || properties.kind == YAML_MAPPING))
        r = open_node(reading, node, err);
    return r;
}

static int take_event(struct reading *reading, const yaml_event_t *event, struct error **err)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++reading->documents > 1)
            return yaml_refuse(reading->tree, place_of(event->start_mark), err,
                               "a second document begins here; only one is read");
        return 0;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        reading->depth--;
        return 0;
    case YAML_ALIAS_EVENT:
    case YAML_SCALAR_EVENT:
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return take_node(reading, event, err);
    default:
        return 0;
    }
}

static int read_events(struct reading *reading, struct error **err)
{
    int r = 0;
    for (bool end = false; r == 0 && !end;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reading->parser, &event))
            return parser_failed(&reading->parser, reading->tree, err);
        r = take_event(reading, &event, err);
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return r;
}

static void reading_end(struct reading *reading)
{
    for (struct anchor *anchor = reading->owned, *next; anchor; anchor = next) {
        next = anchor->next;
        free(anchor->name);
        free(anchor);
    }
    hash_free(&reading->anchors);
    yaml_parser_delete(&reading->parser);
}

/* Moves the cursor on to `index`. False when a tab stood on the way; the cursor then stands on it.
 * Tabs in comments do not count. */
static bool pass_without_tab(struct cursor *cursor, size_t index, bool may_be_comment)
{
    bool comment = false;
    for (; cursor->mark.index < index && cursor->at < cursor->end; cursor_step(cursor)) {
        if (*cursor->at == '#')
            comment = may_be_comment;
        else if (*cursor->at == '\n' || *cursor->at == '\r')
            comment = false;
        else if (*cursor->at == '\t' && !comment)
            return false;
    }
    return true;
}

static bool is_plain(const yaml_token_t *token)
{
    return token->type == YAML_SCALAR_TOKEN && token->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* PyYAML takes a tab outside quotes and blocks of text for a character that cannot start a token.
 */
static int check_tabs(const yaml_token_t *token, struct cursor *cursor,
                      const struct yaml_tree *tree, struct error **err)
{
    if (!pass_without_tab(cursor, token->start_mark.index, true) ||
        (is_plain(token) && !pass_without_tab(cursor, token->end_mark.index, false))) {
        int r =
            yaml_refuse(tree, place_of(cursor->mark), err, "a tab stands where only spaces may");
        error_hint(err, "use spaces, or put text that needs the tab into double quotes; "
                        "cloud-init's reader refuses it here");
        return r;
    }
    while (cursor->mark.index < token->end_mark.index && cursor->at < cursor->end)
        cursor_step(cursor);
    return 0;
}

/* PyYAML 6.0: scan_plain() ends a plain value at '?' within brackets, where that begins a key. */
static int check_question(const yaml_token_t *token, const struct yaml_tree *tree,
                          struct error **err)
{
    if (!is_plain(token) || !memchr(token->data.scalar.value, '?', token->data.scalar.length))
        return 0;
    int r = yaml_refuse(tree, place_of(token->start_mark), err,
                        "a plain value with '?' stands within brackets");
    error_hint(err, "put it into quotes; cloud-init's reader takes '?' for the mark of a key here, "
                    "and drops the whole document");
    return r;
}

/* A quoted value stays text under the tag "!" for libyaml; PyYAML takes it as if it were plain. */
static int check_tag(const yaml_token_t *token, const struct yaml_tree *tree, struct error **err)
{
    if (token->type != YAML_TAG_TOKEN || *token->data.tag.handle ||
        strcmp((const char *)token->data.tag.suffix, "!") != 0)
        return 0;
    int r = yaml_refuse(tree, place_of(token->start_mark), err,
                        "the tag '!' alone means different things to different readers");
    error_hint(err, "leave it out, or write '!!str' for text");
    return r;
}

static int check_token(const yaml_token_t *token, struct cursor *cursor, size_t *brackets,
                       const struct yaml_tree *tree, struct error **err)
{
    if (token->type == YAML_FLOW_SEQUENCE_START_TOKEN ||
        token->type == YAML_FLOW_MAPPING_START_TOKEN)
        ++*brackets;
    if (token->type == YAML_FLOW_SEQUENCE_END_TOKEN || token->type == YAML_FLOW_MAPPING_END_TOKEN)
        *brackets -= *brackets > 0;
    int r = check_tabs(token, cursor, tree, err);
    if (r == 0 && *brackets > 0)
        r = check_question(token, tree, err);
    return r < 0 ? r : check_tag(token, tree, err);
}

/* What libyaml's scanner accepts and PyYAML's does not. */
static int check_tokens(const char *text, size_t size, const struct yaml_tree *tree,
                        struct error **err)
{
    yaml_parser_t parser;
    int r = parser_begin(&parser, text, size, err);
    if (r < 0)
        return r;
    skip_mark(&text, &size);
    struct cursor cursor = {.at = text, .end = text + size};
    size_t brackets = 0;
    for (bool end = false; r == 0 && !end;) {
        yaml_token_t token;
        if (!yaml_parser_scan(&parser, &token)) {
            r = parser_failed(&parser, tree, err);
            break;
        }
        r = check_token(&token, &cursor, &brackets, tree, err);
        end = token.type == YAML_STREAM_END_TOKEN;
        yaml_token_delete(&token);
    }
    yaml_parser_delete(&parser);
    return r;
}

int yaml_read(const char *text, size_t size, const char *name, struct yaml_tree **ret,
              struct error **err)
{
    _cleanup_yaml_tree_ struct yaml_tree *tree = calloc(1, sizeof(*tree));
    if (!tree)
        return error_oom(err);
    tree->name = name;
    struct reading reading = {.tree = tree};
    int r = parser_begin(&reading.parser, text, size, err);
    if (r < 0)
        return r;
    r = read_events(&reading, err);
    reading_end(&reading);
    if (r == 0)
        r = check_tokens(text, size, tree, err);
    if (r == 0)
        *ret = TAKE_PTR(tree);
    return r;
}
