#include "datasource/mime_read.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "datasource/base64_loose.h"

enum { max_depth = 16 };

struct span {
    const char *at;
    const char *end;
};

static size_t span_length(struct span span)
{
    return (size_t)(span.end - span.at);
}

/* Takes a line off the front, without what ends it: "\n", "\r\n" or "\r". */
static bool next_line(struct span *rest, struct span *line)
{
    if (rest->at == rest->end)
        return false;
    line->at = line->end = rest->at;
    while (line->end < rest->end && *line->end != '\n' && *line->end != '\r')
        line->end++;
    rest->at = line->end;
    if (rest->at < rest->end && *rest->at == '\r')
        rest->at++;
    if (rest->at < rest->end && *rest->at == '\n' &&
        (rest->at == line->end || rest->at[-1] == '\r'))
        rest->at++;
    return true;
}

struct headers {
    char *content_type; /* whole values, unfolded; NULL: absent */
    char *encoding;
    char *disposition;
};

static void headers_free(struct headers *headers)
{
    free(headers->content_type);
    free(headers->encoding);
    free(headers->disposition);
}

#define _cleanup_headers_ _cleanup_(headers_free)

/* The length of a header's name, or 0: the line is none. */
static size_t header_name(struct span line)
{
    const char *at = line.at;
    while (at<line.end && * at> ' ' && *at != ':' && *at != 0x7f)
        at++;
    return at < line.end && *at == ':' ? (size_t)(at - line.at) : 0;
}

/* Where a header's value is kept, or NULL: it does not matter, or was given before. */
static char **header_slot(struct headers *headers, struct span line, size_t length)
{
    const struct {
        const char *name;
        char **slot;
    } known[] = {{"content-type", &headers->content_type},
                 {"content-transfer-encoding", &headers->encoding},
                 {"content-disposition", &headers->disposition}};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strlen(known[i].name) == length && strncasecmp(known[i].name, line.at, length) == 0)
            return *known[i].slot ? NULL : known[i].slot;
    return NULL;
}

static int store(char **slot, struct str *value, struct error **err)
{
    if (!slot)
        return 0;
    *slot = str_take(value, err);
    return *slot ? 0 : -ENOMEM;
}

/* Takes the headers off the front. They end at an empty line, or before one that is no header. */
static int read_headers(struct span *rest, struct headers *headers, struct error **err)
{
    _cleanup_str_ struct str value = {0};
    char **slot = NULL;
    int r = 0;
    struct span line, before = *rest;
    for (; r == 0 && next_line(rest, &line); before = *rest) {
        bool folded = line.at < line.end && (*line.at == ' ' || *line.at == '\t');
        size_t length = header_name(line);
        if (folded) {
            str_append_n(&value, line.at, slot ? span_length(line) : 0);
            continue;
        }
        if (length == 0) {
            if (line.at < line.end)
                *rest = before;
            break;
        }
        r = store(slot, &value, err);
        str_free(&value);
        value = (struct str){0};
        slot = header_slot(headers, line, length);
        if (slot)
            str_append_n(&value, line.at + length + 1, span_length(line) - length - 1);
    }
    return r < 0 ? r : store(slot, &value, err);
}

/* Takes off white space and quotes, in place. */
static char *unquote(char *text)
{
    text = str_strip(text);
    size_t size = strlen(text);
    if (size < 2 || text[0] != '"' || text[size - 1] != '"')
        return text;
    text[size - 1] = '\0';
    char *to = text;
    for (const char *from = text + 1; *from; from++) {
        from += *from == '\\' && from[1];
        *to++ = *from;
    }
    *to = '\0';
    return text;
}

/* Where the parameter ends: at a semicolon outside quotes. */
static const char *parameter_end(const char *at)
{
    for (bool quoted = false; *at && (quoted || *at != ';'); at++) {
        if (quoted && *at == '\\' && at[1])
            at++;
        else if (*at == '"')
            quoted = !quoted;
    }
    return at;
}

/* A parameter of a header's value ("; name=value"), without quotes. NULL: it has none; or no
 * memory. Caller frees. */
static char *header_parameter(const char *value, const char *name)
{
    for (const char *at = value ? strchr(value, ';') : NULL; at && *at;) {
        at += 1 + strspn(at + 1, " \t");
        const char *end = parameter_end(at);
        const char *equals = memchr(at, '=', (size_t)(end - at));
        size_t length = equals ? (size_t)(equals - at) : 0;
        while (length > 0 && isspace((unsigned char)at[length - 1]))
            length--;
        if (equals && length == strlen(name) && strncasecmp(at, name, length) == 0) {
            _cleanup_free_ char *copy = strndup(equals + 1, (size_t)(end - equals - 1));
            return copy ? strdup(unquote(copy)) : NULL;
        }
        at = end;
    }
    return NULL;
}

/* "text/plain" where the header is absent or has no such form. */
static char *content_type(const char *value)
{
    _cleanup_free_ char *copy = strndup(value ? value : "", value ? strcspn(value, ";") : 0);
    if (!copy)
        return NULL;
    char *type = str_strip(copy);
    const char *slash = strchr(type, '/');
    if (!slash || strchr(slash + 1, '/'))
        return strdup("text/plain");
    for (char *c = type; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return strdup(type);
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

/* Quoted-printable (RFC 2045, section 6.7). */
static size_t decode_quoted(struct span body, char *to)
{
    size_t count = 0;
    for (const char *at = body.at; at < body.end; at++) {
        struct span rest = {at + 1, body.end}, line;
        if (*at != '=') {
            to[count++] = *at;
        } else if (body.end - at > 2 && hex_digit(at[1]) >= 0 && hex_digit(at[2]) >= 0) {
            to[count++] = (char)(hex_digit(at[1]) * 16 + hex_digit(at[2]));
            at += 2;
        } else if (next_line(&rest, &line) && line.at == line.end) {
            at = rest.at - 1; /* the end of the line is none */
        }
    }
    return count;
}

struct splitter {
    const char *name;
    mime_leaf_fn *fn;
    void *opaque;
};

static int take_leaf(const struct splitter *splitter, const struct headers *headers,
                     const char *type, struct span body, struct error **err)
{
    _cleanup_free_ char *data = malloc(span_length(body) + 1);
    _cleanup_free_ char *encoding = strdup(headers->encoding ? headers->encoding : "");
    if (!data || !encoding)
        return error_oom(err);
    _cleanup_free_ char *filename = header_parameter(headers->disposition, "filename");
    if (!filename)
        filename = header_parameter(headers->content_type, "name");
    const char *kind = str_strip(encoding);
    size_t size = span_length(body);
    if (strcasecmp(kind, "base64") == 0)
        base64_loose_decode(body.at, size, data, &size);
    else if (strcasecmp(kind, "quoted-printable") == 0)
        size = decode_quoted(body, data);
    else
        memcpy(data, body.at, size);
    data[size] = '\0';
    struct mime_leaf leaf = {.type = type, .filename = filename, .data = data, .size = size};
    return splitter->fn(splitter->opaque, &leaf, err);
}

enum boundary { NO_BOUNDARY, SEPARATOR, LAST_BOUNDARY };

/* "--boundary" or "--boundary--", with blanks behind it. */
static enum boundary boundary_kind(struct span line, const char *boundary)
{
    size_t length = strlen(boundary);
    if (span_length(line) < length + 2 || memcmp(line.at, "--", 2) != 0 ||
        memcmp(line.at + 2, boundary, length) != 0)
        return NO_BOUNDARY;
    const char *at = line.at + 2 + length;
    bool last = line.end - at >= 2 && memcmp(at, "--", 2) == 0;
    at += last ? 2 : 0;
    while (at < line.end && (*at == ' ' || *at == '\t'))
        at++;
    if (at < line.end)
        return NO_BOUNDARY;
    return last ? LAST_BOUNDARY : SEPARATOR;
}

static int no_parts(const struct splitter *splitter, const char *boundary, struct error **err)
{
    _cleanup_free_ char *shown = boundary ? str_printable(boundary) : NULL;
    int r;
    if (!boundary) {
        r = error_set(err, EINVAL, "%s: its Content-Type is multipart and names no boundary",
                      splitter->name);
        error_hint(err, "write 'Content-Type: multipart/mixed; boundary=\"BOUNDARY\"'; cloud-init "
                        "finds no part in it");
        return r;
    }
    r = error_set(err, EINVAL, "%s: no line is '--%s', so that cloud-init finds no part in it",
                  splitter->name, shown ? shown : "?");
    error_hint(err, "begin each part with two hyphens and the boundary, and end the last with two "
                    "more behind it");
    return r;
}

static int split(const struct splitter *splitter, struct span text, size_t depth,
                 struct error **err);

static int split_container(const struct splitter *splitter, const char *boundary, struct span body,
                           size_t depth, struct error **err)
{
    struct span rest = body, line, part = {0};
    bool any = false, text = false;
    enum boundary kind = NO_BOUNDARY;
    int r = 0;
    while (r == 0 && kind != LAST_BOUNDARY && next_line(&rest, &line)) {
        kind = boundary_kind(line, boundary);
        text = text || (kind == NO_BOUNDARY && line.at < line.end);
        if (kind == NO_BOUNDARY)
            continue;
        any = true;
        if (part.at) {
            /* The end of the line before the boundary belongs to that. */
            part.end = line.at;
            part.end -= part.end > part.at && part.end[-1] == '\n';
            part.end -= part.end > part.at && part.end[-1] == '\r';
            r = split(splitter, part, depth + 1, err);
        }
        part = (struct span){rest.at, body.end};
    }
    if (r == 0 && !any && text)
        return no_parts(splitter, boundary, err);
    /* Without a last boundary, the last part ends with the text. */
    if (r == 0 && kind != LAST_BOUNDARY && part.at)
        r = split(splitter, part, depth + 1, err);
    return r;
}

static int split(const struct splitter *splitter, struct span text, size_t depth,
                 struct error **err)
{
    _cleanup_headers_ struct headers headers = {0};
    if (depth > max_depth)
        return error_set(err, EINVAL, "%s: MIME parts are nested deeper than %d levels",
                         splitter->name, max_depth);
    int r = read_headers(&text, &headers, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *type = content_type(headers.content_type);
    if (!type)
        return error_oom(err);
    if (!str_starts(type, "multipart/"))
        return take_leaf(splitter, &headers, type, text, err);
    _cleanup_free_ char *boundary = header_parameter(headers.content_type, "boundary");
    if (!boundary)
        return no_parts(splitter, NULL, err);
    return split_container(splitter, boundary, text, depth, err);
}

int mime_split(const char *text, size_t size, const char *name, mime_leaf_fn *fn, void *opaque,
               struct error **err)
{
    const struct splitter splitter = {.name = name, .fn = fn, .opaque = opaque};
    return split(&splitter, (struct span){text, text + size}, 0, err);
}
