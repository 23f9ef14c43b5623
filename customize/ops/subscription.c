/*
 * --sm-credentials SELECTOR  --sm-register  --sm-attach SELECTOR  --sm-remove  --sm-unregister
 *
 * The password goes into the guest in a file of its own, which only root can read and which is
 * removed right afterwards; subscription-manager takes it on its command line, which only the
 * guest's own programs can see.
 */
#include "customize/ops/subscription.h"

#include <errno.h>
#include <string.h>

#include "base/fdio.h"
#include "base/quote.h"
#include "base/secret.h"
#include "customize/account/password_selector.h"
#include "customize/ops/operations.h"
#include "customize/program.h"

enum { pool_file_max = 4096 };

static void credentials_free(void *data)
{
    struct subscription_credentials *credentials = data;
    if (!credentials)
        return;
    free(credentials->user);
    secret_free(credentials->password);
    free(credentials);
}

DEFINE_CLEANUP(struct subscription_credentials *, credentials_free);

static int bad_credentials(struct error **err)
{
    error_set(err, EINVAL, "--sm-credentials: the argument is not of the form USER:SELECTOR");
    return error_hint(err, "give USER:password:PASSWORD or USER:file:FILE");
}

static int credentials_parse(const char *argument, void **ret_data, struct error **err)
{
    const char *colon = strchr(argument, ':');
    if (!colon || colon == argument ||
        !(str_starts(colon + 1, "password:") || str_starts(colon + 1, "file:")))
        return bad_credentials(err);
    _cleanup_(credentials_freep) struct subscription_credentials *credentials =
        calloc(1, sizeof(*credentials));
    if (!credentials)
        return error_oom(err);
    _cleanup_password_selector_ struct password_selector selector = {0};
    int r = password_selector_parse("sm-credentials", colon + 1, &selector, err);
    if (r < 0)
        return r;
    credentials->password = TAKE_PTR(selector.password);
    credentials->user = strndup(argument, (size_t)(colon - argument));
    if (!credentials->user)
        return error_oom(err);
    *ret_data = TAKE_PTR(credentials);
    return 0;
}

static bool plan_has_credentials(const struct customize_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->steps[i].operation == &sm_credentials_operation)
            return true;
    return false;
}

static int credentials_check(struct customize_plan *plan, const struct customize_step *step,
                             struct error **err)
{
    (void)step;
    return plan_has_credentials(plan) ? error_set(err, EINVAL, "--sm-credentials is given twice")
                                      : 0;
}

static int credentials_apply(const void *data, const char *argument,
                             struct customize_context *context, struct error **err)
{
    (void)argument, (void)err;
    context->settings.subscription = data;
    return 0;
}

/* Runs `subscription-manager WORDS`, where WORDS is shell text. */
static int manage(struct customize_context *context, const char *words, const char *secret,
                  const char *told, struct error **err)
{
    _cleanup_free_ char *script =
        str_printf(err, "#!/bin/sh\nexec subscription-manager %s\n", words);
    if (!script)
        return -ENOMEM;
    const struct program program = {
        .text = script,
        .size = strlen(script),
        .told = told,
        .secret = secret,
        .secret_size = secret ? strlen(secret) : 0,
    };
    return program_run(context, &program, err);
}

static int register_complete(const struct customize_plan *plan, struct error **err)
{
    if (plan_has_credentials(plan))
        return 0;
    error_set(err, EINVAL, "--sm-register: there are no credentials to register with");
    return error_hint(err, "give --sm-credentials as well");
}

static int register_apply(const void *data, const char *argument, struct customize_context *context,
                          struct error **err)
{
    (void)data, (void)argument;
    const struct subscription_credentials *credentials = context->settings.subscription;
    _cleanup_str_ struct str words = {0};
    report(context->reporter, REPORT_INFO, "Registering with subscription-manager");
    str_append(&words, "register --username=");
    quote_shell(&words, credentials->user);
    str_append(&words, " --password=\"$(cat \"$KILN_SECRET\")\"");
    _cleanup_free_ char *text = str_take(&words, err);
    if (!text)
        return -ENOMEM;
    return manage(context, text, credentials->password, "subscription-manager register", err);
}

static int read_pool(const char *path, char **ret, struct error **err)
{
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = file_read(path, pool_file_max, &text, &size, err);
    if (r < 0) {
        error_wrap(err, "--sm-attach");
        return r;
    }
    text[strcspn(text, "\r\n")] = '\0';
    *ret = TAKE_PTR(text);
    return 0;
}

/* The data is the pool's id; NULL for "auto". */
static int attach_parse(const char *argument, void **ret_data, struct error **err)
{
    _cleanup_free_ char *pool = NULL;
    int r = 0;
    if (strcmp(argument, "auto") == 0)
        return 0;
    if (str_starts(argument, "file:")) {
        r = read_pool(argument + strlen("file:"), &pool, err);
    } else if (str_starts(argument, "pool:")) {
        pool = strdup(argument + strlen("pool:"));
        r = pool ? 0 : error_oom(err);
    } else {
        error_set(err, EINVAL, "--sm-attach: '%s' is no known selector", argument);
        return error_hint(err, "selectors are auto, pool:POOL and file:FILE");
    }
    if (r == 0 && !*pool)
        r = error_set(err, EINVAL, "--sm-attach: the pool is empty");
    if (r == 0)
        *ret_data = TAKE_PTR(pool);
    return r;
}

static int attach_apply(const void *data, const char *argument, struct customize_context *context,
                        struct error **err)
{
    (void)argument;
    const char *pool = data;
    _cleanup_str_ struct str words = {0};
    if (pool) {
        report(context->reporter, REPORT_INFO, "Attaching to the pool %s", pool);
        str_append(&words, "attach --pool=");
        quote_shell(&words, pool);
    } else {
        report(context->reporter, REPORT_INFO, "Attaching to compatible subscriptions");
        str_append(&words, "attach --auto");
    }
    _cleanup_free_ char *text = str_take(&words, err);
    return text ? manage(context, text, NULL, "subscription-manager attach", err) : -ENOMEM;
}

static int remove_apply(const void *data, const char *argument, struct customize_context *context,
                        struct error **err)
{
    (void)data, (void)argument;
    report(context->reporter, REPORT_INFO, "Removing all the subscriptions");
    return manage(context, "remove --all", NULL, "subscription-manager remove", err);
}

static int unregister_apply(const void *data, const char *argument,
                            struct customize_context *context, struct error **err)
{
    (void)data, (void)argument;
    report(context->reporter, REPORT_INFO, "Unregistering with subscription-manager");
    return manage(context, "unregister", NULL, "subscription-manager unregister", err);
}

const struct customize_operation sm_credentials_operation = {
    .name = "sm-credentials",
    .metavar = "SELECTOR",
    .help = "set the credentials for --sm-register",
    .manual = "The account that --sm-register registers with: USER:password:PASSWORD, or "
              "USER:file:FILE to read the password from the first line of FILE, which keeps it "
              "off the command line. The password does not reach any log.",
    .example = "--sm-credentials joe@example.com:file:password.txt",
    .secret = true,
    .phase = CUSTOMIZE_SETTINGS,
    .parse = credentials_parse,
    .check = credentials_check,
    .apply = credentials_apply,
    .free_data = credentials_free,
};

const struct customize_operation sm_register_operation = {
    .name = "sm-register",
    .help = "register the guest with subscription-manager",
    .manual = "Register the guest with the guest's subscription-manager, as --sm-credentials says. "
              "This runs programs of the guest and needs the network.",
    .example = "--sm-register",
    .needs = GUEST_CAN_RUN | GUEST_CAN_NETWORK,
    .complete = register_complete,
    .apply = register_apply,
};

const struct customize_operation sm_attach_operation = {
    .name = "sm-attach",
    .metavar = "SELECTOR",
    .help = "attach to a pool with subscription-manager",
    .manual = "Attach the guest to subscriptions: auto takes those that fit best, pool:POOL the "
              "pool with that id, file:FILE the one whose id is the first line of FILE.",
    .example = "--sm-attach auto",
    .needs = GUEST_CAN_RUN | GUEST_CAN_NETWORK,
    .parse = attach_parse,
    .apply = attach_apply,
    .free_data = free,
};

const struct customize_operation sm_remove_operation = {
    .name = "sm-remove",
    .help = "remove all subscriptions with subscription-manager",
    .manual = "Remove all the subscriptions from the guest with its subscription-manager.",
    .example = "--sm-remove",
    .needs = GUEST_CAN_RUN | GUEST_CAN_NETWORK,
    .apply = remove_apply,
};

const struct customize_operation sm_unregister_operation = {
    .name = "sm-unregister",
    .help = "unregister the guest with subscription-manager",
    .manual = "Unregister the guest with its subscription-manager, as is right before an image "
              "becomes a template.",
    .example = "--sm-unregister",
    .needs = GUEST_CAN_RUN | GUEST_CAN_NETWORK,
    .apply = unregister_apply,
};
