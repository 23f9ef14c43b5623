#include "customize/command_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

/* Longer commands are treated as damage. */
static const size_t command_max = 16 << 20;

struct command_file {
    int fd;
    const char *name;
    char buffer[65536];
    size_t at, filled;
    struct str text; /* the command, with what its continuations added */
    size_t line;     /* lines taken so far */
};

int command_file_new(int fd, const char *name, struct command_file **ret, struct error **err)
{
    struct command_file *file = calloc(1, sizeof(*file));
    if (!file)
        return error_oom(err);
    file->fd = fd;
    file->name = name;
    *ret = file;
    return 0;
}

void command_file_free(struct command_file *file)
{
    if (!file)
        return;
    if (file->text.data)
        explicit_bzero(file->text.data, file->text.capacity);
    str_free(&file->text);
    explicit_bzero(file->buffer, sizeof(file->buffer));
    free(file);
}

/* Refills the empty buffer. 0: the file has ended. */
static int fill(struct command_file *file, struct error **err)
{
    ssize_t n;
    do
        n = read(file->fd, file->buffer, sizeof(file->buffer));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return error_sys(err, errno, "%s: cannot be read", file->name);
    file->at = 0;
    file->filled = (size_t)n;
    return n > 0;
}

/* Appends the next line, without its end, to the text. 1: there was one; *ret_ended: by a
 * newline. */
static int take_line(struct command_file *file, bool *ret_ended, struct error **err)
{
    *ret_ended = false;
    for (bool any = false; !*ret_ended; any = true) {
        int r = file->at < file->filled ? 1 : fill(file, err);
        if (r <= 0)
            return r < 0 ? r : any;
        const char *start = file->buffer + file->at;
        size_t left = file->filled - file->at;
        const char *end = memchr(start, '\n', left);
        size_t length = end ? (size_t)(end - start) : left;
        if (memchr(start, '\0', length))
            return error_set(err, EINVAL, "%s:%zu: holds a NUL byte: this is no text", file->name,
                             file->line + 1);
        if (length > command_max - file->text.length)
            return error_set(err, EFBIG, "%s:%zu: the command is longer than %zu bytes", file->name,
                             file->line + 1, command_max);
        str_append_n(&file->text, start, length);
        file->at += length + (end ? 1 : 0);
        *ret_ended = end != NULL;
    }
    return 1;
}

static void drop_last(struct str *text)
{
    text->data[--text->length] = '\0';
}

static bool ends_in(const struct str *text, char c)
{
    return text->length > 0 && text->data[text->length - 1] == c;
}

/* The text becomes the next line with its continuations. */
static int take_text(struct command_file *file, struct error **err)
{
    file->text.length = 0;
    str_append(&file->text, "");
    for (bool first = true;; first = false) {
        size_t before = file->text.length;
        bool ended;
        int r = take_line(file, &ended, err);
        if (r <= 0)
            return r < 0 ? r : !first;
        if (file->text.failed)
            return error_oom(err);
        file->line++;
        if (ended && file->text.length > before && ends_in(&file->text, '\r'))
            drop_last(&file->text);
        if (file->text.length == before || !ends_in(&file->text, '\\'))
            return 1;
        file->text.data[file->text.length - 1] = '\n';
    }
}

int command_file_next(struct command_file *file, struct command *ret, struct error **err)
{
    for (;;) {
        size_t line = file->line + 1;
        int r = take_text(file, err);
        if (r <= 0)
            return r;
        char *name = file->text.data + strspn(file->text.data, " \t\n\v\f\r");
        if (!*name || *name == '#')
            continue;
        char *space = strchr(name, ' ');
        if (space)
            *space = '\0';
        *ret = (struct command){.name = name, .argument = space ? space + 1 : NULL, .line = line};
        return 1;
    }
}
