#include "customize/argument.h"

#include <errno.h>
#include <string.h>

#include "customize/secret.h"
#include "guest/guest.h"

void argument_pair_free(void *data)
{
    struct argument_pair *pair = data;
    if (!pair)
        return;
    secret_free(pair->left);
    secret_free(pair->right);
    free(pair);
}

int argument_split(const char *option, const char *form, const char *argument,
                   struct argument_pair **ret, struct error **err)
{
    const char *colon = strchr(argument, ':');
    if (!colon || colon == argument)
        return error_set(err, EINVAL, "--%s: the argument is not of the form %s", option, form);
    _cleanup_argument_pair_ struct argument_pair *pair = calloc(1, sizeof(*pair));
    if (!pair)
        return error_oom(err);
    pair->left = strndup(argument, (size_t)(colon - argument));
    pair->right = strdup(colon + 1);
    if (!pair->left || !pair->right)
        return error_oom(err);
    *ret = TAKE_PTR(pair);
    return 0;
}

int argument_guest_path(const char *option, const char *path, struct error **err)
{
    int r = guest_path_check(path, err);
    if (r < 0) {
        error_wrap(err, "--%s", option);
        error_hint(err, "Paths in the guest begin with a slash, as in /etc/motd.");
    }
    return r;
}
