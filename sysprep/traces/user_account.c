#include <errno.h>
#include <string.h>

#include "guest/text/text.h"
#include "sysprep/operations.h"
#include "sysprep/traces/account_files.h"

/* name:password:uid:gid:comment:home:shell */
enum { field_name, field_uid = 2, field_gid, field_home = 5, field_count = 6 };

struct entry {
    char *fields[field_count];
    uint64_t uid;
};

/* Entries of /etc/passwd, by what becomes of them. */
struct accounts {
    struct strv users; /* to be removed; beside them: */
    struct strv homes;
    struct strv gids;
    struct strv kept_homes;
    struct strv kept_gids;
};

static void accounts_free(struct accounts *accounts)
{
    strv_free(&accounts->users);
    strv_free(&accounts->homes);
    strv_free(&accounts->gids);
    strv_free(&accounts->kept_homes);
    strv_free(&accounts->kept_gids);
}

/* A number of login.defs(5): "UID_MIN   1000". */
static uint64_t login_number(const struct text *defs, const char *key, uint64_t otherwise)
{
    struct line line;
    for (size_t at = 0; text_next_line(defs, &at, &line);) {
        const char *word;
        size_t length;
        size_t offset = 0;
        char number[16];
        uint64_t value;
        if (!line_next_word(&line, &offset, &word, &length) || !line_is(word, length, key) ||
            !line_next_word(&line, &offset, &word, &length) || length >= sizeof(number))
            continue;
        memcpy(number, word, length);
        number[length] = '\0';
        if (parse_u64(number, key, &value, NULL) == 0)
            return value;
    }
    return otherwise;
}

/* Takes the line apart in place. False: it is no entry. */
static bool split(char *line, struct entry *ret)
{
    for (size_t i = 0; i < field_count; i++) {
        ret->fields[i] = line;
        line += strcspn(line, ":");
        if (*line)
            *line++ = '\0';
        else if (i + 1 < field_count)
            return false;
    }
    return *ret->fields[field_name] &&
           parse_u64(ret->fields[field_uid], "user id", &ret->uid, NULL) == 0;
}

static bool is_wanted(const struct sysprep_settings *settings, const char *user)
{
    const struct strv *remove = &settings->remove_user_accounts;
    return !strv_contains(&settings->keep_user_accounts, user) &&
           (remove->count == 0 || strv_contains(remove, user));
}

static int sort(const struct text *passwd, const struct text *defs,
                const struct sysprep_settings *settings, struct accounts *accounts,
                struct error **err)
{
    uint64_t least = login_number(defs, "UID_MIN", 1000);
    uint64_t most = login_number(defs, "UID_MAX", 60000);
    struct line line;
    int r = 0;
    for (size_t at = 0; r == 0 && text_next_line(passwd, &at, &line);) {
        struct entry entry;
        _cleanup_free_ char *copy = strndup(line.start, line.length);
        if (!copy)
            return error_oom(err);
        if (!split(copy, &entry))
            continue;
        bool removed = entry.uid >= least && entry.uid <= most &&
                       is_wanted(settings, entry.fields[field_name]);
        if (removed)
            r = strv_add(&accounts->users, entry.fields[field_name], err);
        if (r == 0)
            r = strv_add(removed ? &accounts->homes : &accounts->kept_homes,
                         entry.fields[field_home], err);
        if (r == 0)
            r = strv_add(removed ? &accounts->gids : &accounts->kept_gids, entry.fields[field_gid],
                         err);
    }
    return r;
}

/* The groups of the same name, but for one that somebody else has as the first. */
static int own_groups(const struct accounts *accounts, struct strv *groups, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < accounts->users.count; i++)
        if (!strv_contains(&accounts->kept_gids, accounts->gids.items[i]))
            r = strv_add(groups, accounts->users.items[i], err);
    return r;
}

/* Not the root directory, a directory right below it, or one that holds the home of another. */
static bool is_own_home(const struct accounts *accounts, const char *home)
{
    size_t length = strlen(home);
    while (length > 0 && home[length - 1] == '/')
        length--;
    if (home[0] != '/' || strstr(home, "/.") || !memchr(home + 1, '/', length > 0 ? length - 1 : 0))
        return false;
    for (size_t i = 0; i < accounts->kept_homes.count; i++) {
        const char *other = accounts->kept_homes.items[i];
        if (strncmp(other, home, length) == 0 && (other[length] == '/' || !other[length]))
            return false;
    }
    return true;
}

static int remove_files(struct sysprep_context *context, const struct accounts *accounts, size_t i,
                        struct error **err)
{
    static const char *const spools[] = {"/var/spool/mail", "/var/mail"};
    struct guest *guest = context->customize->guest;
    const char *user = accounts->users.items[i];
    const char *home = accounts->homes.items[i];
    int r = 0;
    bool is_name = user[0] != '.' && !strchr(user, '/');
    for (size_t j = 0; r == 0 && is_name && j < ARRAY_SIZE(spools); j++) {
        _cleanup_free_ char *mail = str_printf(err, "%s/%s", spools[j], user);
        r = mail ? guest_remove(guest, mail, err) : -ENOMEM;
    }
    if (r < 0)
        return r;
    if (is_own_home(accounts, home))
        return guest_remove(guest, home, err);
    _cleanup_free_ char *shown = str_printable(home);
    report(context->customize->reporter, REPORT_WARNING,
           "The home directory of %s stays: %s is not that user's alone", user,
           shown && *shown ? shown : "(none)");
    return 0;
}

/* A named account is not removed: that may be a typing error. */
static void warn_of_others(struct sysprep_context *context, const struct accounts *accounts)
{
    const struct strv *named = &context->settings->remove_user_accounts;
    for (size_t i = 0; i < named->count; i++)
        if (!strv_contains(&accounts->users, named->items[i]) &&
            !strv_contains(&context->settings->keep_user_accounts, named->items[i]))
            report(context->customize->reporter, REPORT_WARNING,
                   "%s is no user account of the guest that could be removed", named->items[i]);
}

static int perform(struct sysprep_context *context, struct error **err)
{
    struct guest *guest = context->customize->guest;
    _cleanup_text_ struct text passwd = {0};
    _cleanup_text_ struct text defs = {0};
    _cleanup_(accounts_free) struct accounts accounts = {0};
    _cleanup_strv_ struct strv groups = {0};
    int r = text_read(guest, "/etc/passwd", &passwd, NULL, err);
    if (r == 0)
        r = text_read(guest, "/etc/login.defs", &defs, NULL, err);
    if (r == 0)
        r = sort(&passwd, &defs, context->settings, &accounts, err);
    if (r == 0)
        r = own_groups(&accounts, &groups, err);
    if (r < 0)
        return r;
    warn_of_others(context, &accounts);
    r = account_files_remove(guest, &accounts.users, &groups, err);
    for (size_t i = 0; r == 0 && i < accounts.users.count; i++)
        r = remove_files(context, &accounts, i, err);
    return r;
}

const struct sysprep_operation sysprep_user_account = {
    .name = "user-account",
    .help = "remove user accounts with their home directories",
    .manual = "Remove the accounts of users (UID_MIN to UID_MAX of /etc/login.defs, so never "
              "root's) with their home directories and mail: all of them, or those named with "
              "--remove-user-accounts, but none of those named with --keep-user-accounts. Their "
              "names also disappear from the groups of others, and a home directory that others "
              "share stays.",
    .perform = perform,
};
