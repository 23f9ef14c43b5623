#include "customize/account/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/text/text.h"

static const char passwd_path[] = "/etc/passwd";

/* name:password:uid:gid:comment:home:shell */
enum { field_name, field_password, field_uid, field_gid, field_comment, field_home, field_count };

struct field {
    const char *start;
    size_t length;
};

/* False: the line has fewer fields than it takes. */
static bool split_entry(const struct line *line, struct field fields[static field_count])
{
    const char *at = line->start;
    const char *end = line->start + line->length;
    for (size_t i = 0; i < field_count; i++) {
        const char *colon = memchr(at, ':', (size_t)(end - at));
        if (!colon && i + 1 < field_count)
            return false;
        const char *stop = colon ? colon : end;
        fields[i] = (struct field){at, (size_t)(stop - at)};
        at = colon ? colon + 1 : end;
    }
    return true;
}

static bool parse_id(const struct field *field, uint32_t *ret)
{
    uint64_t value = 0;
    if (field->length == 0 || field->length > 10)
        return false;
    for (size_t i = 0; i < field->length; i++) {
        if (field->start[i] < '0' || field->start[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(field->start[i] - '0');
    }
    /* The highest number means "no user" to the kernel. */
    if (value >= UINT32_MAX)
        return false;
    *ret = (uint32_t)value;
    return true;
}

static int read_entry(const char *user, const struct field *fields, struct account *ret,
                      struct error **err)
{
    uint32_t uid;
    uint32_t gid;
    if (!parse_id(&fields[field_uid], &uid) || !parse_id(&fields[field_gid], &gid))
        return error_set(err, EINVAL, "the guest's %s has no valid user and group id for user %s",
                         passwd_path, user);
    const struct field *home = &fields[field_home];
    _cleanup_free_ char *path = strndup(home->start, home->length);
    if (!path)
        return error_oom(err);
    if (strlen(path) != home->length || guest_path_check(path, NULL) < 0)
        return error_set(err, EINVAL, "the guest's %s has no valid home directory for user %s",
                         passwd_path, user);
    *ret = (struct account){.uid = uid, .gid = gid, .home = TAKE_PTR(path)};
    return 0;
}

int account_find(struct guest *guest, const char *user, struct account *ret, struct error **err)
{
    _cleanup_text_ struct text passwd = {0};
    int r = text_read(guest, passwd_path, &passwd, NULL, err);
    if (r < 0)
        return r;
    struct line line;
    for (size_t offset = 0; text_next_line(&passwd, &offset, &line);) {
        struct field fields[field_count];
        if (split_entry(&line, fields) &&
            line_is(fields[field_name].start, fields[field_name].length, user))
            return read_entry(user, fields, ret, err);
    }
    return error_set(err, ENOENT, "the guest has no user %s in %s", user, passwd_path);
}

void account_free(struct account *account)
{
    free(account->home);
    *account = (struct account){0};
}

int account_check_name(const char *option, const char *user, struct error **err)
{
    bool fits = *user != '\0';
    for (const char *c = user; *c; c++)
        fits = fits && *c != ':' && (unsigned char)*c > ' ' && *c != 127;
    if (!fits)
        return error_set(err, EINVAL,
                         "--%s: a user name is missing, or has characters that no "
                         "account name can have",
                         option);
    return 0;
}
