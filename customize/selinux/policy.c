#include "customize/selinux/policy.h"

#include <errno.h>
#include <string.h>

#include "guest/inspect/selinux_config.h"
#include "guest/text/text.h"

static const char config[] = "/etc/selinux/config";

/* The value becomes a part of a path. */
static bool is_type(const char *type)
{
    return *type && *type != '.' && strlen(type) < 100 && !strchr(type, '/');
}

static int read_type(struct guest *guest, char **ret, struct error **err)
{
    _cleanup_text_ struct text text = {0};
    _cleanup_selinux_config_ struct selinux_config parsed = {0};
    int r = text_read(guest, config, &text, NULL, err);
    if (r == 0)
        r = selinux_config_parse(text.data, &parsed, err);
    if (r < 0)
        return r;
    if (!is_type(parsed.type))
        return error_set(err, EINVAL, "%s in the guest: SELINUXTYPE is no name of a policy",
                         config);
    *ret = TAKE_PTR(parsed.type);
    return 0;
}

/* One of the files beside file_contexts. */
static int add_file(struct guest *guest, const struct selinux_policy *policy, const char *suffix,
                    struct error **err)
{
    _cleanup_text_ struct text text = {0};
    _cleanup_free_ char *path = str_printf(err, "%s%s", policy->contexts_path, suffix);
    if (!path)
        return -ENOMEM;
    int r = text_read(guest, path, &text, NULL, err);
    if (r < 0)
        return r;
    if (strcmp(suffix, ".subs") == 0)
        r = file_contexts_add_aliases(policy->contexts, FILE_CONTEXTS_LOCAL, text.data, text.size,
                                      err);
    else if (strcmp(suffix, ".subs_dist") == 0)
        r = file_contexts_add_aliases(policy->contexts, FILE_CONTEXTS_DISTRIBUTION, text.data,
                                      text.size, err);
    else
        r = file_contexts_add(policy->contexts, text.data, text.size, err);
    if (r < 0)
        error_wrap(err, "%s in the guest", path);
    return r;
}

int selinux_policy_load(struct guest *guest, struct selinux_policy *ret, struct error **err)
{
    static const char *const suffixes[] = {"", ".homedirs", ".local", ".subs", ".subs_dist"};
    _cleanup_selinux_policy_ struct selinux_policy policy = {0};
    _cleanup_free_ char *type = NULL;
    int r = read_type(guest, &type, err);
    if (r < 0)
        return r;
    policy.contexts_path = str_printf(err, "/etc/selinux/%s/contexts/files/file_contexts", type);
    if (!policy.contexts_path)
        return -ENOMEM;
    if (!guest_exists(guest, policy.contexts_path))
        return error_set(err, ENOENT, "the guest has no SELinux policy: there is no %s",
                         policy.contexts_path);
    r = file_contexts_new(&policy.contexts, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(suffixes); i++)
        r = add_file(guest, &policy, suffixes[i], err);
    if (r < 0)
        return r;
    *ret = policy;
    policy = (struct selinux_policy){0};
    return 0;
}

void selinux_policy_free(struct selinux_policy *policy)
{
    free(policy->contexts_path);
    file_contexts_free(policy->contexts);
    *policy = (struct selinux_policy){0};
}
