#include "guest/text/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const size_t text_max = 16 << 20;

void text_free(struct text *text)
{
    if (text->data)
        explicit_bzero(text->data, text->size);
    free(text->data);
    *text = (struct text){0};
}

bool text_next_line(const struct text *text, size_t *offset, struct line *ret)
{
    if (*offset >= text->size)
        return false;
    const char *start = text->data + *offset;
    size_t left = text->size - *offset;
    const char *end = memchr(start, '\n', left);
    size_t full = end ? (size_t)(end - start) + 1 : left;
    size_t length = end ? full - 1 : full;
    if (end && length > 0 && start[length - 1] == '\r')
        length--;
    *ret = (struct line){.start = start, .length = length, .full = full};
    *offset += full;
    return true;
}

bool line_is(const char *start, size_t length, const char *expected)
{
    return length == strlen(expected) && memcmp(start, expected, length) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool line_next_word(const struct line *line, size_t *offset, const char **ret_start,
                    size_t *ret_length)
{
    size_t at = *offset;
    while (at < line->length && is_blank(line->start[at]))
        at++;
    size_t end = at;
    while (end < line->length && !is_blank(line->start[end]))
        end++;
    *offset = end;
    *ret_start = line->start + at;
    *ret_length = end - at;
    return end > at;
}

int text_read(struct guest *guest, const char *path, struct text *ret, bool *ret_exists,
              struct error **err)
{
    struct error *cause = NULL;
    struct text text = {0};
    int r = guest_read(guest, path, text_max, &text.data, &text.size, &cause);
    if (r < 0 && r != -ENOENT)
        return error_move(err, cause);
    error_clear(&cause);
    if (r < 0) {
        text.data = strdup("");
        if (!text.data)
            return error_oom(err);
    }
    if (ret_exists)
        *ret_exists = r == 0;
    *ret = text;
    return 0;
}

int text_write(struct guest *guest, const char *path, const void *data, size_t size,
               struct error **err)
{
    if (guest_exists(guest, path))
        return guest_replace(guest, path, data, size, err);
    static const struct guest_file_attr attr = {.mode = 0644};
    return guest_write(guest, path, data, size, &attr, err);
}

static bool line_assigns(const struct line *line, const char *key)
{
    size_t length = strlen(key);
    return line->length > length && memcmp(line->start, key, length) == 0 &&
           line->start[length] == '=';
}

bool text_assigns(const struct text *text, const char *key)
{
    struct line line;
    for (size_t offset = 0; text_next_line(text, &offset, &line);)
        if (line_assigns(&line, key))
            return true;
    return false;
}

int text_assign(const struct text *text, const char *key, const char *value, bool quoted,
                struct text *ret, struct error **err)
{
    _cleanup_str_ struct str out = {0};
    struct line line;
    for (size_t offset = 0; text_next_line(text, &offset, &line);)
        if (!line_assigns(&line, key))
            str_append_n(&out, line.start, line.full);
    if (out.length > 0 && out.data[out.length - 1] != '\n')
        str_append(&out, "\n");
    str_appendf(&out, quoted ? "%s=\"%s\"\n" : "%s=%s\n", key, value);
    size_t size = out.length;
    char *data = str_take(&out, err);
    if (!data)
        return -ENOMEM;
    *ret = (struct text){.data = data, .size = size};
    return 0;
}
