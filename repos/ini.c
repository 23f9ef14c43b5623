#include "repos/ini.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static bool equals(struct slice line, const char *text)
{
    return line.length == strlen(text) && memcmp(line.data, text, line.length) == 0;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* False at the end of the text. */
static bool next_line(struct ini_reader *reader, struct slice *ret)
{
    if (reader->next == reader->end)
        return false;
    size_t left = (size_t)(reader->end - reader->next);
    const char *newline = memchr(reader->next, '\n', left);
    size_t length = newline ? (size_t)(newline - reader->next) : left;
    *ret = (struct slice){.data = reader->next, .length = length};
    reader->next += newline ? length + 1 : length;
    reader->number++;
    if (length > 0 && ret->data[length - 1] == '\r')
        ret->length--;
    return true;
}

/* The armor headers end at the first empty line (RFC 9580, section 7). */
static void skip_armor_headers(struct ini_reader *reader)
{
    struct slice line;
    while (next_line(reader, &line) && line.length > 0)
        ;
}

void ini_begin(struct ini_reader *reader, const char *text, size_t size)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    *reader = (struct ini_reader){.next = text, .end = text + size};
    if (size >= 3 && memcmp(text, byte_order_mark, 3) == 0)
        reader->next += 3;
}

static void bad(struct ini_line *ret, const char *problem)
{
    ret->kind = INI_BAD;
    ret->problem = problem;
}

static size_t span(struct slice line, size_t from, const char *extra)
{
    size_t i = from;
    while (i < line.length && line.data[i] &&
           (isalnum((unsigned char)line.data[i]) || strchr(extra, line.data[i])))
        i++;
    return i;
}

static void read_section(struct slice line, struct ini_line *ret)
{
    size_t end = span(line, 1, "-._");
    size_t after = end + 1;
    while (after < line.length && blank(line.data[after]))
        after++;
    if (end == 1 || end >= line.length || line.data[end] != ']' || after != line.length) {
        bad(ret, "a section name is letters, digits, '-', '.' and '_' in square brackets");
        ret->was_section = true;
        return;
    }
    ret->kind = INI_SECTION;
    ret->value = (struct slice){.data = line.data + 1, .length = end - 1};
}

static void read_field(struct slice line, struct ini_line *ret)
{
    size_t end = span(line, 0, "_.");
    ret->key = (struct slice){.data = line.data, .length = end};
    if (end > 0 && end < line.length && line.data[end] == '[') {
        size_t close = span(line, end + 1, "_,.@-");
        ret->subkey = (struct slice){.data = line.data + end + 1, .length = close - end - 1};
        bool closed = close > end + 1 && close < line.length && line.data[close] == ']';
        end = closed ? close + 1 : 0;
    }
    if (end == 0 || end >= line.length || line.data[end] != '=') {
        bad(ret, "neither [section] nor field=value");
        return;
    }
    ret->kind = INI_FIELD;
    ret->value = (struct slice){.data = line.data + end + 1, .length = line.length - end - 1};
}

static void read_line(struct slice line, struct ini_line *ret)
{
    if (line.length > INI_LINE_MAX) {
        bad(ret, "the line is longer than 64 KiB");
    } else if (memchr(line.data, '\0', line.length)) {
        bad(ret, "the line has a NUL byte in it");
    } else if (blank(line.data[0])) {
        ret->kind = INI_MORE;
        ret->value = (struct slice){.data = line.data + 1, .length = line.length - 1};
    } else if (line.data[0] == '[') {
        read_section(line, ret);
    } else {
        read_field(line, ret);
    }
}

void ini_read(struct ini_reader *reader, struct ini_line *ret)
{
    struct slice line;
    *ret = (struct ini_line){.kind = INI_END};
    while (next_line(reader, &line)) {
        if (line.length == 0)
            ret->blanks++;
        if (line.length == 0 || line.data[0] == '#')
            continue;
        if (equals(line, "-----BEGIN PGP SIGNED MESSAGE-----")) {
            skip_armor_headers(reader);
            continue;
        }
        if (equals(line, "-----BEGIN PGP SIGNATURE-----")) {
            reader->next = reader->end;
            break;
        }
        ret->number = reader->number;
        read_line(line, ret);
        return;
    }
    ret->number = reader->number;
}
