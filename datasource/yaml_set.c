/* yaml_top_set(): an edit of the text itself, so that the user's own lines stay as they are. */

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "datasource/yaml.h"

static void splice(struct str *out, const char *text, size_t size, const struct yaml_found *found,
                   const char *key, const char *value)
{
    size_t from = found->present ? found->start : found->first_key;
    str_append_n(out, text, from);
    if (found->present)
        str_appendf(out, "%s%s", text[from - 1] == ':' ? " " : "", value);
    else if (found->is_flow)
        str_appendf(out, "\"%s\": %s%s", key, value, found->is_empty ? "" : ", ");
    else
        str_appendf(out, "%s: %s\n%*s", key, value, (int)found->indent, "");
    if (found->present)
        from = found->end;
    str_append_n(out, text + from, size - from);
}

/* YAML has forms that an edit of the text does not handle (explicit keys, for one): the result is
 * parsed to verify the edit. */
static int verify(const char *text, const char *name, const char *key, const char *value,
                  struct error **err)
{
    _cleanup_yaml_found_ struct yaml_found found = {0};
    struct error *cause = NULL;
    enum yaml_kind kind = *value == '[' ? YAML_SEQUENCE : YAML_SCALAR;
    int r = yaml_top_find(text, strlen(text), name, key, &found, &cause);
    error_free(cause);
    if (r == -ENOMEM)
        return error_oom(err);
    if (r == 0 && found.present && found.kind == kind)
        return 0;
    r = error_set(err, EINVAL, "%s: '%s' cannot be set in a document of this form", name, key);
    error_hint(err, "write '%s: %s' into it yourself", key, value);
    return r;
}

int yaml_top_set(const char *text, size_t size, const char *name, const char *key,
                 const char *value, char **ret, struct error **err)
{
    _cleanup_yaml_found_ struct yaml_found found = {0};
    _cleanup_str_ struct str out = {0};
    int r = yaml_check(text, size, name, YAML_MAPPING, NULL, err);
    if (r == 0)
        r = yaml_top_find(text, size, name, key, &found, err);
    if (r < 0)
        return r;
    if (found.kind == YAML_SEQUENCE || found.kind == YAML_MAPPING)
        return error_set(err, EINVAL, "%s: '%s' is there already, and holds more than one value",
                         name, key);
    /* The mark is not part of the offsets; between other texts it would not be one any more. */
    size_t mark = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    if (found.root == YAML_NOTHING)
        str_appendf(&out, "%s: %s\n", key, value);
    else
        splice(&out, text + mark, size - mark, &found, key, value);
    _cleanup_free_ char *result = str_take(&out, err);
    if (!result)
        return -ENOMEM;
    r = verify(result, name, key, value, err);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(result);
    return 0;
}

void yaml_found_free(struct yaml_found *found)
{
    free(found->scalar);
    *found = (struct yaml_found){0};
}
