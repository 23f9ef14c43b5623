#include "sysprep/json_cut.h"

#include <string.h>

/* A position in the text. At its end, cursor_peek() is '\0', which no JSON token begins with. */
struct cursor {
    const struct text *json;
    size_t at;
};

static char cursor_peek(const struct cursor *cursor)
{
    return cursor->at < cursor->json->size ? cursor->json->data[cursor->at] : '\0';
}

static void skip_space(struct cursor *cursor)
{
    while (cursor->at < cursor->json->size && strchr(" \t\r\n", cursor_peek(cursor)) &&
           cursor_peek(cursor))
        cursor->at++;
}

/* The text between the quotes. False: there is no string here. */
static bool take_string(struct cursor *cursor, const char **ret, size_t *ret_length)
{
    if (cursor_peek(cursor) != '"')
        return false;
    size_t start = ++cursor->at;
    for (; cursor->at < cursor->json->size; cursor->at++) {
        char c = cursor_peek(cursor);
        if (c == '\\')
            cursor->at++;
        if (c != '"')
            continue;
        *ret = cursor->json->data + start;
        *ret_length = cursor->at++ - start;
        return true;
    }
    return false;
}

static bool skip_scalar(struct cursor *cursor)
{
    size_t start = cursor->at;
    while (cursor_peek(cursor) && !strchr(",]} \t\r\n", cursor_peek(cursor)))
        cursor->at++;
    return cursor->at > start;
}

/* A value of any kind; what is nested is only counted. */
static bool skip_value(struct cursor *cursor)
{
    const char *text;
    size_t length;
    size_t depth = 0;
    do {
        skip_space(cursor);
        char c = cursor_peek(cursor);
        if (c == '{' || c == '[') {
            depth++;
            cursor->at++;
        } else if (depth > 0 && (c == '}' || c == ']')) {
            depth--;
            cursor->at++;
        } else if (depth > 0 && (c == ',' || c == ':')) {
            cursor->at++;
        } else if (c == '"' ? !take_string(cursor, &text, &length) : !skip_scalar(cursor)) {
            return false;
        }
    } while (depth > 0);
    return true;
}

/* Where a member of an object stands. */
struct member {
    size_t start; /* behind the '{' or ',' before it */
    size_t value;
    size_t end; /* on the ',' or '}' behind it */
    bool first;
};

/* Looks for the member in the object that the cursor is at. */
static bool find_member(struct cursor *cursor, const char *name, struct member *ret)
{
    skip_space(cursor);
    if (cursor_peek(cursor) != '{')
        return false;
    for (bool first = true;; first = false) {
        const char *key;
        size_t length;
        struct member member = {.start = ++cursor->at, .first = first};
        skip_space(cursor);
        if (!take_string(cursor, &key, &length))
            return false;
        skip_space(cursor);
        if (cursor_peek(cursor) != ':')
            return false;
        member.value = ++cursor->at;
        if (!skip_value(cursor))
            return false;
        skip_space(cursor);
        member.end = cursor->at;
        if (line_is(key, length, name)) {
            *ret = member;
            return cursor_peek(cursor) == ',' || cursor_peek(cursor) == '}';
        }
        if (cursor_peek(cursor) != ',')
            return false;
    }
}

void json_cut(struct text *json, const char *const *path, bool *ret_cut)
{
    struct cursor cursor = {.json = json};
    struct member member = {0};
    *ret_cut = false;
    for (; *path; path++) {
        if (!find_member(&cursor, *path, &member))
            return;
        cursor.at = member.value;
    }
    /* One comma goes with it: the one before, or for the first member the one behind. */
    bool last = json->data[member.end] == '}';
    size_t from = member.first ? member.start : member.start - 1;
    size_t to = member.first && !last ? member.end + 1 : member.end;
    memmove(json->data + from, json->data + to, json->size - to + 1);
    json->size -= to - from;
    *ret_cut = true;
}
