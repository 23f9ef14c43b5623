#include "vmm/results.h"

#include <string.h>

enum { max_digits = 8 };

static const char header[] = RESULTS_HEADER;

/* "NAME LENGTH\n" at text, whole. Returns its length, 0 when it is not of that form. */
static size_t take_title(const char *text, size_t length, struct results_section *ret)
{
    size_t name = 0, i, size = 0;
    while (name < length && text[name] >= 'a' && text[name] <= 'z')
        name++;
    if (name == 0 || name > RESULTS_NAME_MAX || name == length || text[name] != ' ')
        return 0;
    for (i = name + 1; i < length && i <= name + max_digits && text[i] >= '0' && text[i] <= '9';
         i++)
        size = size * 10 + (size_t)(text[i] - '0');
    if (i == name + 1 || i == length || text[i] != '\n')
        return 0;
    memcpy(ret->name, text, name);
    ret->name[name] = 0;
    ret->size = size;
    return i + 1;
}

static enum results_step skip_header(const char *data, size_t size, size_t *offset)
{
    size_t length = sizeof(header) - 1, there = size < length ? size : length;
    if (memcmp(data, header, there) != 0)
        return RESULTS_GARBLED;
    if (there < length)
        return RESULTS_MORE;
    *offset = length;
    return RESULTS_SECTION;
}

enum results_step results_next(const char *data, size_t size, size_t *offset,
                               struct results_section *ret)
{
    if (size == 0)
        return RESULTS_MORE;
    if (*offset == 0) {
        enum results_step step = skip_header(data, size, offset);
        if (step != RESULTS_SECTION)
            return step;
    }
    const char *text = data + *offset;
    size_t left = size - *offset;
    if (!memchr(text, '\n', left))
        return left > RESULTS_NAME_MAX + max_digits + 1 ? RESULTS_GARBLED : RESULTS_MORE;
    size_t title = take_title(text, left, ret);
    if (title == 0 || ret->size > RESULTS_MAX)
        return RESULTS_GARBLED;
    if (left - title <= ret->size)
        return RESULTS_MORE;
    ret->data = text + title;
    if (ret->data[ret->size] != '\n')
        return RESULTS_GARBLED;
    *offset += title + ret->size + 1;
    return strcmp(ret->name, "end") == 0 ? RESULTS_END : RESULTS_SECTION;
}

bool results_begun(const char *data, size_t size)
{
    size_t offset = 0;
    return size > 0 && skip_header(data, size, &offset) != RESULTS_MORE;
}

bool results_complete(const char *data, size_t size)
{
    struct results_section section;
    size_t offset = 0;
    enum results_step step;
    do
        step = results_next(data, size, &offset, &section);
    while (step == RESULTS_SECTION);
    return step != RESULTS_MORE;
}
