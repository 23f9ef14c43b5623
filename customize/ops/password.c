/* --root-password SELECTOR, --password USER:SELECTOR, --password-crypto SCHEME */

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/secret.h"
#include "customize/account/account.h"
#include "customize/account/password_scheme.h"
#include "customize/account/password_selector.h"
#include "customize/account/shadow.h"
#include "customize/ops/operations.h"
#include "guest/text/distro.h"

static const char shadow_path[] = "/etc/shadow";
static const char passwd_path[] = "/etc/passwd";

/* Without the characters that are taken for each other: 57 letters, so 93 bits in all. */
static const char random_alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
enum { random_length = 16 };

struct password_request {
    const char *option; /* that asked for it */
    char *user;
    struct password_selector selector;
};

static void password_request_free(void *data)
{
    struct password_request *request = data;
    if (!request)
        return;
    free(request->user);
    password_selector_free(&request->selector);
    free(request);
}
DEFINE_CLEANUP(struct password_request *, password_request_free);

static int request_new(const char *option, const char *user, size_t user_length,
                       const char *selector, void **ret_data, struct error **err)
{
    _cleanup_(password_request_freep) struct password_request *request =
        calloc(1, sizeof(*request));
    if (!request)
        return error_oom(err);
    request->option = option;
    request->user = strndup(user, user_length);
    if (!request->user)
        return error_oom(err);
    int r = account_check_name(option, request->user, err);
    if (r == 0)
        r = password_selector_parse(option, selector, &request->selector, err);
    if (r < 0)
        return r;
    *ret_data = TAKE_PTR(request);
    return 0;
}

static int root_password_parse(const char *argument, void **ret_data, struct error **err)
{
    return request_new("root-password", "root", strlen("root"), argument, ret_data, err);
}

static int password_parse(const char *argument, void **ret_data, struct error **err)
{
    const char *colon = strchr(argument, ':');
    if (!colon)
        return error_set(err, EINVAL, "--password: the argument is not of the form %s",
                         password_operation.metavar);
    return request_new("password", argument, (size_t)(colon - argument), colon + 1, ret_data, err);
}

static int compare_users(const void *a, const void *b)
{
    const struct password_request *x = a, *y = b;
    return strcmp(x->user, y->user);
}

static int password_check(struct customize_plan *plan, const struct customize_step *step,
                          struct error **err)
{
    const struct password_request *request = step->data;
    struct password_request *const *found = tsearch(request, &plan->accounts, compare_users);
    if (!found)
        return error_oom(err);
    if (*found == request)
        return 0;
    return error_set(err, EINVAL, "the password of %s is set twice, by --%s and --%s",
                     request->user, (*found)->option, request->option);
}

/* The password field for a password: its hash, marked when the account is locked. */
static int hashed_field(const char *password, bool locked, struct customize_context *context,
                        char **ret, struct error **err)
{
    const struct password_scheme *scheme = context->settings.password_scheme;
    int r = scheme ? 0 : password_scheme_of_guest(context->guest, context->info, &scheme, err);
    if (r < 0)
        return r;
    _cleanup_secret_ char *hash = NULL;
    r = password_hash(scheme, password, &hash, err);
    if (r < 0)
        return r;
    report(context->reporter, REPORT_DEBUG, "The password is hashed with %s",
           password_scheme_name(scheme));
    *ret = str_printf(err, "%s%s", locked ? "!!" : "", hash);
    return *ret ? 0 : -ENOMEM;
}

static int make_field(const struct password_selector *selector, const char *password,
                      struct customize_context *context, char **ret, struct error **err)
{
    if (selector->source != PASSWORD_DISABLED)
        return hashed_field(password, selector->locked, context, ret, err);
    *ret = strdup(selector->locked ? "!!*" : "*");
    return *ret ? 0 : error_oom(err);
}

static int replace_field(struct guest *guest, const char *path, const struct text *old,
                         const char *user, const char *field, struct error **err)
{
    _cleanup_text_ struct text changed = {0};
    int r = shadow_set_field(old, user, field, &changed, err);
    return r < 0 ? r : guest_replace(guest, path, changed.data, changed.size, err);
}

/* In /etc/shadow, unless the account has no entry there and its password in /etc/passwd. */
static int write_field(struct guest *guest, const char *user, const char *field, struct error **err)
{
    _cleanup_text_ struct text shadow = {0};
    _cleanup_text_ struct text passwd = {0};
    bool exists;
    int r = text_read(guest, shadow_path, &shadow, &exists, err);
    if (r == 0)
        r = text_read(guest, passwd_path, &passwd, NULL, err);
    if (r < 0)
        return r;
    bool in_passwd = passwd_holds_password(&passwd, user);
    bool in_shadow = shadow_has_field(&shadow, user, NULL);
    if (in_passwd && !in_shadow)
        return replace_field(guest, passwd_path, &passwd, user, field, err);
    if (!exists) {
        error_set(err, ENOENT, "the guest has no %s, where the password of %s would go",
                  shadow_path, user);
        return error_hint(err, "passwords can be set only on guests that keep them in %s",
                          shadow_path);
    }
    r = replace_field(guest, shadow_path, &shadow, user, field, err);
    if (r == -ENOENT)
        error_hint(err, "a password can be set only for an account that is in the image already; "
                        "cloud-init can add accounts at the first boot");
    /* Else the one in /etc/passwd, maybe an empty one, would still count. */
    return r < 0 || !in_passwd ? r : replace_field(guest, passwd_path, &passwd, user, "x", err);
}

static int password_apply(const void *data, const char *argument, struct customize_context *context,
                          struct error **err)
{
    (void)argument;
    const struct password_request *request = data;
    const struct password_selector *selector = &request->selector;
    if (distro_leaves_out(context->info, context->reporter, "A password can be set"))
        return 0;
    report(context->reporter, REPORT_INFO, "Setting the password of %s", request->user);
    if (selector->source == PASSWORD_GIVEN && !*selector->password)
        report(context->reporter, REPORT_WARNING, "The password of %s is empty", request->user);

    int r = 0;
    char generated[random_length + 1] = "";
    if (selector->source == PASSWORD_RANDOM)
        r = random_text(random_alphabet, random_length, generated, err);
    _cleanup_secret_ char *field = NULL;
    const char *password = selector->source == PASSWORD_RANDOM ? generated : selector->password;
    if (r == 0)
        r = make_field(selector, password, context, &field, err);
    if (r == 0)
        r = write_field(context->guest, request->user, field, err);
    if (r == 0 && selector->source == PASSWORD_RANDOM)
        r = strv_addf(&context->generated_passwords, err, "%s\t%s", request->user, generated);
    explicit_bzero(generated, sizeof(generated));
    return r;
}

const struct customize_operation root_password_operation = {
    .name = "root-password",
    .metavar = "SELECTOR",
    .help = "set root's password: password:TEXT, file:FILE, random, disabled, locked[:SELECTOR]",
    .manual =
        "Set the password of root. SELECTOR is password:TEXT (others on this machine can see TEXT "
        "in the list of processes), file:FILE (the first line of FILE; - is standard input), "
        "random (16 characters, shown once at the end), disabled (no password is accepted), locked "
        "(disabled and locked), or locked:SELECTOR (a password that works once the account is "
        "unlocked). Passwords are set after all other changes, and hashed as the guest itself "
        "would do it. When the password was last changed stays as the image has it.",
    .example = "--root-password file:/run/secrets/root",
    .secret = true,
    .phase = CUSTOMIZE_LAST,
    .parse = root_password_parse,
    .check = password_check,
    .apply = password_apply,
    .free_data = password_request_free,
};

const struct customize_operation password_operation = {
    .name = "password",
    .metavar = "USER:SELECTOR",
    .help = "set USER's password; for SELECTOR see --root-password",
    .manual = "Set the password of USER, an account that the image has already. SELECTOR is as for "
              "--root-password.",
    .example = "--password admin:random",
    .secret = true,
    .phase = CUSTOMIZE_LAST,
    .parse = password_parse,
    .check = password_check,
    .apply = password_apply,
    .free_data = password_request_free,
};

static int password_crypto_parse(const char *argument, void **ret_data, struct error **err)
{
    (void)ret_data;
    if (password_scheme_find(argument, strlen(argument)))
        return 0;
    return error_set(err, EINVAL, "--password-crypto: '%s' is none of %s", argument,
                     password_crypto_operation.metavar);
}

static int password_crypto_apply(const void *data, const char *argument,
                                 struct customize_context *context, struct error **err)
{
    (void)data;
    (void)err;
    context->settings.password_scheme = password_scheme_find(argument, strlen(argument));
    return 0;
}

const struct customize_operation password_crypto_operation = {
    .name = "password-crypto",
    .metavar = "md5|sha256|sha512|yescrypt",
    .help = "how the passwords set here are hashed (default: as the guest does it)",
    .manual = "Hash the passwords that --root-password and --password set in this way. By default "
              "kiln follows the guest: its PAM configuration, its login.defs, or what its "
              "distribution had by default. md5 is not safe any more. The guest's own "
              "configuration is not changed.",
    .example = "--password-crypto sha512",
    .phase = CUSTOMIZE_SETTINGS,
    .parse = password_crypto_parse,
    .apply = password_crypto_apply,
};
