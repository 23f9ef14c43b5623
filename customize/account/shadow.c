#include "customize/account/shadow.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The password field of the user's entry: between the first colon and the second, or line's end. */
static bool find_field(const struct text *shadow, const char *user, const char **ret_start,
                       size_t *ret_length)
{
    size_t name_length = strlen(user);
    struct line line;
    for (size_t offset = 0; text_next_line(shadow, &offset, &line);) {
        if (line.length <= name_length || line.start[name_length] != ':' ||
            memcmp(line.start, user, name_length) != 0)
            continue;
        const char *start = line.start + name_length + 1;
        size_t left = line.length - name_length - 1;
        const char *colon = memchr(start, ':', left);
        *ret_start = start;
        *ret_length = colon ? (size_t)(colon - start) : left;
        return true;
    }
    return false;
}

bool shadow_has_field(const struct text *shadow, const char *user, const char *field)
{
    const char *found;
    size_t length;
    return find_field(shadow, user, &found, &length) && (!field || line_is(found, length, field));
}

bool passwd_holds_password(const struct text *passwd, const char *user)
{
    const char *found;
    size_t length;
    if (!find_field(passwd, user, &found, &length))
        return false;
    return !line_is(found, length, "x") && !line_is(found, length, "*NP*") &&
           !(length > 2 && memcmp(found, "##", 2) == 0);
}

int shadow_set_field(const struct text *shadow, const char *user, const char *field,
                     struct text *ret, struct error **err)
{
    const char *old;
    size_t old_length;
    if (!find_field(shadow, user, &old, &old_length))
        return error_set(err, ENOENT, "the guest has no account %s in /etc/shadow", user);
    size_t before = (size_t)(old - shadow->data);
    size_t after = shadow->size - before - old_length;
    size_t length = strlen(field);
    char *data = malloc(before + length + after + 1);
    if (!data)
        return error_oom(err);
    memcpy(data, shadow->data, before);
    memcpy(data + before, field, length);
    memcpy(data + before + length, old + old_length, after);
    data[before + length + after] = '\0';
    *ret = (struct text){.data = data, .size = before + length + after};
    return 0;
}
