#include "datasource/mime.h"

#include <errno.h>

#include "base/base64.h"
#include "base/digest.h"
#include "base/str.h"

enum { line_bytes = 57 }; /* RFC 2045, section 6.8: lines of 76 characters */

static void append_lines(struct str *out, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i += line_bytes) {
        base64_append(out, data + i, size - i < line_bytes ? size - i : line_bytes);
        str_append(out, "\n");
    }
}

/* A line that occurs in none of the parts, short of a collision of SHA-256. */
static int make_boundary(const struct mime_part *parts, size_t count,
                         char hex[static DIGEST_MAX_HEX], struct error **err)
{
    _cleanup_digest_ struct digest *digest = NULL;
    int r = digest_new(DIGEST_SHA256, &digest, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++)
        digest_update(digest, parts[i].data, parts[i].size);
    return digest_finish(digest, hex, err);
}

static void append_part(struct str *out, const struct mime_part *part)
{
    if (!part->type) {
        str_append_n(out, part->data, part->size);
        str_append(out, "\n");
        return;
    }
    str_appendf(out, "Content-Type: %s\nMIME-Version: 1.0\nContent-Transfer-Encoding: base64\n",
                part->type);
    if (part->name)
        str_appendf(out, "Content-Disposition: attachment; filename=\"%s\"\n", part->name);
    str_append(out, "\n");
    append_lines(out, part->data, part->size);
}

int mime_join(const struct mime_part *parts, size_t count, char **ret_data, size_t *ret_size,
              struct error **err)
{
    char boundary[DIGEST_MAX_HEX];
    int r = make_boundary(parts, count, boundary, err);
    if (r < 0)
        return r;
    boundary[32] = 0;
    _cleanup_str_ struct str out = {0};
    str_appendf(&out, "Content-Type: multipart/mixed; boundary=\"%s\"\nMIME-Version: 1.0\n\n",
                boundary);
    for (size_t i = 0; i < count; i++) {
        str_appendf(&out, "--%s\n", boundary);
        append_part(&out, &parts[i]);
    }
    str_appendf(&out, "--%s--\n", boundary);
    size_t size = out.length;
    char *data = str_take(&out, err);
    if (!data)
        return -ENOMEM;
    *ret_data = data;
    *ret_size = size;
    return 0;
}
