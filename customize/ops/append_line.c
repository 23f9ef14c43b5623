/* --append-line FILE:LINE */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"
#include "guest/text/text.h"

/* How much of a file is read to determine its line endings. */
static const size_t ending_probe = 8192;

static int append_line_parse(const char *argument, void **ret_data, struct error **err)
{
    _cleanup_argument_pair_ struct argument_pair *pair = NULL;
    int r = argument_split("append-line", append_line_operation.metavar, argument, &pair, err);
    if (r == 0)
        r = argument_guest_path("append-line", pair->left, err);
    if (r < 0)
        return r;
    if (strchr(pair->right, '\n')) {
        error_set(err, EINVAL, "--append-line: the line for %s holds a newline", pair->left);
        return error_hint(err, "give --append-line once for each line");
    }
    *ret_data = TAKE_PTR(pair);
    return 0;
}

static const char *line_ending(const struct text *text, const struct guest_info *info)
{
    size_t size = text->size < ending_probe ? text->size : ending_probe;
    if (memmem(text->data, size, "\r\n", 2))
        return "\r\n";
    if (memchr(text->data, '\n', size))
        return "\n";
    if (memchr(text->data, '\r', size))
        return "\r";
    return info->type && strcmp(info->type, "windows") == 0 ? "\r\n" : "\n";
}

static bool ends_with(const struct text *text, const char *ending)
{
    size_t length = strlen(ending);
    return text->size >= length && memcmp(text->data + text->size - length, ending, length) == 0;
}

static int append_line_apply(const void *data, const char *argument,
                             struct customize_context *context, struct error **err)
{
    (void)argument;
    const struct argument_pair *pair = data;
    report(context->reporter, REPORT_INFO, "Appending a line to %s", pair->left);
    struct guest_stat st;
    if (guest_stat(context->guest, pair->left, true, &st, NULL) == 0 && !S_ISREG(st.mode))
        return error_set(err, EINVAL, "%s is not a regular file in the guest", pair->left);

    _cleanup_text_ struct text text = {0};
    int r = text_read(context->guest, pair->left, &text, NULL, err);
    if (r < 0)
        return r;
    const char *ending = line_ending(&text, context->info);
    _cleanup_str_ struct str out = {0};
    str_append_n(&out, text.data, text.size);
    if (text.size > 0 && !ends_with(&text, ending))
        str_append(&out, ending);
    str_append(&out, pair->right);
    str_append(&out, ending);
    if (out.failed)
        return error_oom(err);
    return text_write(context->guest, pair->left, out.data, out.length, err);
}

const struct customize_operation append_line_operation = {
    .name = "append-line",
    .metavar = "FILE:LINE",
    .help = "append one line to a file of the guest",
    .manual = "Append LINE to FILE in the guest, and a newline behind it. Where the last line of "
              "FILE is not ended, it is ended first. The kind of line ending follows the file, so "
              "that files in Windows style stay so. FILE is created where it is missing. An empty "
              "LINE appends an empty line.",
    .example = "--append-line '/etc/hosts:10.0.0.1 db1'",
    .parse = append_line_parse,
    .apply = append_line_apply,
    .free_data = argument_pair_free,
};
