#include "datasource/yaml.h"

#include <errno.h>
#include <search.h>
#include <stdbool.h>
#include <string.h>
#include <yaml.h>

#include "base/str.h"

enum { max_depth = 64 };

/* One pass over the events of a text. */
struct walk {
    yaml_parser_t parser;
    const char *name;
    size_t depth; /* open sequences and mappings */
    size_t documents;
    void *anchors; /* tsearch() tree of owned names */
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void walk_end(struct walk *walk)
{
    tdestroy(walk->anchors, free);
    yaml_parser_delete(&walk->parser);
}

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

static int walk_begin(struct walk *walk, const char *text, size_t size, const char *name,
                      struct error **err)
{
    *walk = (struct walk){.name = name};
    return parser_begin(&walk->parser, text, size, err);
}

static int complain(const char *name, yaml_mark_t mark, const char *problem, struct error **err)
{
    return error_set(err, EINVAL, "%s:%zu:%zu: %s", name, mark.line + 1, mark.column + 1, problem);
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

static int parser_failed(const yaml_parser_t *parser, const char *name, struct error **err)
{
    const char *problem = parser->problem ? parser->problem : "cannot be parsed";
    if (parser->error == YAML_MEMORY_ERROR)
        return error_oom(err);
    if (parser->error == YAML_READER_ERROR)
        return complain(name, mark_at(parser, parser->problem_offset), problem, err);
    int r = complain(name, parser->problem_mark, problem, err);
    /* "while parsing a flow sequence": the bracket that is not closed may be far above. */
    if (parser->context && parser->context_mark.line != parser->problem_mark.line)
        error_hint(err, "this was found %s that begins in line %zu", parser->context,
                   parser->context_mark.line + 1);
    return r;
}

static const char *anchor_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return (const char *)event->data.scalar.anchor;
    case YAML_SEQUENCE_START_EVENT:
        return (const char *)event->data.sequence_start.anchor;
    case YAML_MAPPING_START_EVENT:
        return (const char *)event->data.mapping_start.anchor;
    default:
        return NULL;
    }
}

static int remember_anchor(struct walk *walk, const char *anchor, struct error **err)
{
    if (tfind(anchor, &walk->anchors, compare_names))
        return 0;
    _cleanup_free_ char *copy = strdup(anchor);
    if (!copy || !tsearch(copy, &walk->anchors, compare_names))
        return error_oom(err);
    TAKE_PTR(copy);
    return 0;
}

/* What well-formed YAML may still not do. */
static int gate(struct walk *walk, const yaml_event_t *event, struct error **err)
{
    const char *anchor = anchor_of(event);
    if (anchor) {
        int r = remember_anchor(walk, anchor, err);
        if (r < 0)
            return r;
    }
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++walk->documents > 1)
            return complain(walk->name, event->start_mark,
                            "a second document begins here; only one is read", err);
        return 0;
    case YAML_ALIAS_EVENT:
        if (!tfind(event->data.alias.anchor, &walk->anchors, compare_names))
            return complain(walk->name, event->start_mark,
                            "this alias (*name) has no anchor (&name) before it", err);
        return 0;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        if (++walk->depth > max_depth)
            return complain(walk->name, event->start_mark, "nested deeper than 64 levels", err);
        return 0;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        walk->depth--;
        return 0;
    default:
        return 0;
    }
}

/* The next event, checked. The caller deletes it. */
static int walk_next(struct walk *walk, yaml_event_t *ret, struct error **err)
{
    if (!yaml_parser_parse(&walk->parser, ret))
        return parser_failed(&walk->parser, walk->name, err);
    int r = gate(walk, ret, err);
    if (r < 0)
        yaml_event_delete(ret);
    return r;
}

/* Untagged plain scalars that YAML takes for null. */
static bool is_null(const yaml_event_t *event)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};
    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE || !event->data.scalar.plain_implicit)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(nulls); i++)
        if (strcmp((const char *)event->data.scalar.value, nulls[i]) == 0)
            return true;
    return false;
}

static enum yaml_kind kind_of(const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return is_null(event) ? YAML_NOTHING : YAML_SCALAR;
    case YAML_SEQUENCE_START_EVENT:
        return YAML_SEQUENCE;
    case YAML_MAPPING_START_EVENT:
        return YAML_MAPPING;
    case YAML_ALIAS_EVENT:
        return YAML_ALIAS;
    default:
        return YAML_NOTHING;
    }
}

static const char *describe_kind(enum yaml_kind kind)
{
    switch (kind) {
    case YAML_SEQUENCE:
        return "a list (- item)";
    case YAML_MAPPING:
        return "a mapping (key: value)";
    default:
        return "a single value";
    }
}

/* Walks all of the text. *ret_root is the kind of its document. */
static int check_events(struct walk *walk, enum yaml_kind expected, enum yaml_kind *ret_root,
                        struct error **err)
{
    enum yaml_kind root = YAML_NOTHING;
    bool is_root = false;
    for (bool end = false; !end;) {
        yaml_event_t event;
        int r = walk_next(walk, &event, err);
        if (r < 0)
            return r;
        yaml_mark_t mark = event.start_mark;
        if (is_root)
            root = kind_of(&event);
        bool wrong =
            is_root && expected != YAML_NOTHING && root != YAML_NOTHING && root != expected;
        is_root = event.type == YAML_DOCUMENT_START_EVENT;
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (wrong)
            return error_set(err, EINVAL, "%s:%zu:%zu: %s is expected here, not %s", walk->name,
                             mark.line + 1, mark.column + 1, describe_kind(expected),
                             describe_kind(root));
    }
    *ret_root = root;
    return 0;
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

static int check_token(const yaml_token_t *token, struct cursor *cursor, const char *name,
                       struct error **err)
{
    bool is_plain =
        token->type == YAML_SCALAR_TOKEN && token->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (!pass_without_tab(cursor, token->start_mark.index, true) ||
        (is_plain && !pass_without_tab(cursor, token->end_mark.index, false))) {
        int r = complain(name, cursor->mark, "a tab stands where only spaces may", err);
        error_hint(err, "use spaces, or put text that needs the tab into double quotes; "
                        "cloud-init's reader refuses it here");
        return r;
    }
    while (cursor->mark.index < token->end_mark.index && cursor->at < cursor->end)
        cursor_step(cursor);
    return 0;
}

/* PyYAML takes a tab outside quotes and blocks of text for a character that cannot start a token.
 */
static int check_tabs(const char *text, size_t size, const char *name, struct error **err)
{
    yaml_parser_t parser;
    int r = parser_begin(&parser, text, size, err);
    if (r < 0)
        return r;
    skip_mark(&text, &size);
    struct cursor cursor = {.at = text, .end = text + size};
    for (bool end = false; r == 0 && !end;) {
        yaml_token_t token;
        if (!yaml_parser_scan(&parser, &token)) {
            r = parser_failed(&parser, name, err);
            break;
        }
        r = check_token(&token, &cursor, name, err);
        end = token.type == YAML_STREAM_END_TOKEN;
        yaml_token_delete(&token);
    }
    yaml_parser_delete(&parser);
    return r;
}

static int check(const char *text, size_t size, const char *name, enum yaml_kind expected,
                 enum yaml_kind *ret_root, struct error **err)
{
    struct walk walk;
    int r = walk_begin(&walk, text, size, name, err);
    if (r < 0)
        return r;
    r = check_events(&walk, expected, ret_root, err);
    walk_end(&walk);
    if (r < 0)
        return r;
    return memchr(text, '\t', size) ? check_tabs(text, size, name, err) : 0;
}

int yaml_check(const char *text, size_t size, const char *name, enum yaml_kind expected,
               struct error **err)
{
    enum yaml_kind root;
    return check(text, size, name, expected, &root, err);
}

/* True for the scalar `key`. */
static bool is_key(const yaml_event_t *event, const char *key)
{
    return event->type == YAML_SCALAR_EVENT && event->data.scalar.length == strlen(key) &&
           memcmp(event->data.scalar.value, key, strlen(key)) == 0;
}

/* True when the event begins a key or a value, rather than ending a collection or the document. */
static bool begins_node(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT || event->type == YAML_ALIAS_EVENT ||
           event->type == YAML_SEQUENCE_START_EVENT || event->type == YAML_MAPPING_START_EVENT;
}

static size_t byte_offset(const char *text, size_t size, yaml_mark_t mark)
{
    struct cursor cursor = {.at = text, .end = text + size};
    while (cursor.mark.index < mark.index && cursor.at < cursor.end)
        cursor_step(&cursor);
    return (size_t)(cursor.at - text);
}

/* One search of the top-level mapping, with the state of its loop. */
struct search {
    struct walk walk;
    const char *text;
    size_t size;
    const char *key;
    bool in_value; /* the next node at the top is a value */
    bool matched;  /* and its key is the one looked for */
    yaml_mark_t first_key, start, end;
    struct yaml_found found;
};

static int store_value(struct search *search, const yaml_event_t *event, struct error **err)
{
    struct yaml_found *found = &search->found;
    const char *scalar = NULL;
    found->present = true;
    found->kind = kind_of(event);
    search->start = event->start_mark;
    search->end = event->end_mark;
    if (found->kind == YAML_SCALAR) {
        scalar = (const char *)event->data.scalar.value;
        if (memchr(scalar, '\0', event->data.scalar.length))
            return complain(search->walk.name, event->start_mark, "the value holds a NUL character",
                            err);
    }
    return str_replace(&found->scalar, scalar, err);
}

/* A key or a value of the top-level mapping. */
static int take_node(struct search *search, const yaml_event_t *event, struct error **err)
{
    struct yaml_found *found = &search->found;
    int r = 0;
    if (search->in_value && search->matched)
        r = store_value(search, event, err);
    if (!search->in_value && found->is_empty) {
        found->is_empty = false;
        if (!found->is_flow)
            search->first_key = event->start_mark;
        found->indent = event->start_mark.column;
    }
    search->matched = !search->in_value && is_key(event, search->key);
    search->in_value = !search->in_value;
    return r;
}

static int search_events(struct search *search, struct error **err)
{
    int r = 0;
    for (bool end = false; r == 0 && !end;) {
        yaml_event_t event;
        size_t depth = search->walk.depth;
        r = walk_next(&search->walk, &event, err);
        if (r < 0)
            return r;
        if (depth == 0 && event.type == YAML_MAPPING_START_EVENT &&
            event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE) {
            search->found.is_flow = true;
            search->first_key = event.end_mark;
        }
        if (depth == 1 && begins_node(&event))
            r = take_node(search, &event, err);
        end = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    return r;
}

int yaml_top_find(const char *text, size_t size, const char *name, const char *key,
                  struct yaml_found *ret, struct error **err)
{
    struct search search = {.text = text, .size = size, .key = key, .found.is_empty = true};
    int r = check(text, size, name, YAML_NOTHING, &search.found.root, err);
    if (r < 0)
        return r;
    if (search.found.root == YAML_MAPPING) {
        skip_mark(&search.text, &search.size);
        r = walk_begin(&search.walk, search.text, search.size, name, err);
        if (r < 0)
            return r;
        r = search_events(&search, err);
        walk_end(&search.walk);
    }
    if (r < 0) {
        yaml_found_free(&search.found);
        return r;
    }
    search.found.first_key = byte_offset(search.text, search.size, search.first_key);
    search.found.start = byte_offset(search.text, search.size, search.start);
    search.found.end = byte_offset(search.text, search.size, search.end);
    *ret = search.found;
    return 0;
}
