#include "customize/account/password_selector.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/secret.h"
#include "base/str.h"

/* What crypt(3) takes: CRYPT_MAX_PASSPHRASE_SIZE, less one for the end. */
enum { password_max = 511 };

static int password_from_file(const char *path, char **ret, struct error **err)
{
    bool standard_input = strcmp(path, "-") == 0;
    const char *name = standard_input ? "standard input" : path;
    _cleanup_close_ int own = standard_input ? -1 : file_open_data(path, err);
    if (!standard_input && own < 0)
        return own;
    int r = secret_read_line(standard_input ? STDIN_FILENO : own, name, password_max, ret, err);
    if (r < 0)
        return r;
    if (!*ret)
        return error_set(err, ENODATA, "%s: is empty where a password is expected", name);
    size_t length = strlen(*ret);
    if (length > 0 && (*ret)[length - 1] == '\r')
        (*ret)[length - 1] = '\0';
    return 0;
}

static int password_from_text(const char *text, char **ret, struct error **err)
{
    if (strchr(text, '\n'))
        return error_set(err, EINVAL, "the password holds a newline");
    if (strlen(text) > password_max)
        return error_set(err, EINVAL, "the password is longer than %d bytes", password_max);
    *ret = strdup(text);
    return *ret ? 0 : error_oom(err);
}

static int parse_source(const char *text, struct password_selector *selector, struct error **err)
{
    if (str_starts(text, "password:")) {
        selector->source = PASSWORD_GIVEN;
        return password_from_text(text + strlen("password:"), &selector->password, err);
    }
    if (str_starts(text, "file:") && text[strlen("file:")]) {
        selector->source = PASSWORD_GIVEN;
        return password_from_file(text + strlen("file:"), &selector->password, err);
    }
    if (strcmp(text, "random") == 0) {
        selector->source = PASSWORD_RANDOM;
        return 0;
    }
    if (strcmp(text, "disabled") == 0 || strcmp(text, "disable") == 0) {
        selector->source = PASSWORD_DISABLED;
        return 0;
    }
    error_set(err, EINVAL, "the password selector is not known");
    return error_hint(err, "selectors are password:TEXT, file:FILE, random, disabled, locked and "
                           "locked:SELECTOR");
}

/* Steps over "locked:" or "lock:". */
static bool skip_lock(const char **text)
{
    size_t length = strcspn(*text, ":");
    bool is_lock = (length == 4 && strncmp(*text, "lock", 4) == 0) ||
                   (length == 6 && strncmp(*text, "locked", 6) == 0);
    if (is_lock)
        *text += length;
    return is_lock;
}

int password_selector_parse(const char *option, const char *text, struct password_selector *ret,
                            struct error **err)
{
    _cleanup_password_selector_ struct password_selector selector = {.source = PASSWORD_DISABLED};
    int r = 0;
    while (skip_lock(&text)) {
        selector.locked = true;
        if (!*text)
            break;
        text++;
    }
    if (!selector.locked || *text || text[-1] == ':')
        r = parse_source(text, &selector, err);
    if (r < 0) {
        error_wrap(err, "--%s", option);
        return r;
    }
    *ret = selector;
    selector = (struct password_selector){0};
    return 0;
}

void password_selector_free(struct password_selector *selector)
{
    secret_free(selector->password);
    *selector = (struct password_selector){0};
}
