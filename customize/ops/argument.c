#include "customize/ops/argument.h"

#include <errno.h>
#include <string.h>

#include "guest/guest.h"

void argument_pair_free(void *data)
{
    struct argument_pair *pair = data;
    if (!pair)
        return;
    explicit_bzero(pair->left, strlen(pair->left));
    explicit_bzero(pair->right, strlen(pair->right));
    free(pair);
}

int argument_split(const char *option, const char *form, const char *argument,
                   struct argument_pair **ret, struct error **err)
{
    const char *colon = strchr(argument, ':');
    if (!colon || colon == argument)
        return error_set(err, EINVAL, "--%s: the argument is not of the form %s", option, form);
    /* One piece of memory, as there may be millions of them. */
    size_t size = strlen(argument) + 1;
    struct argument_pair *pair = malloc(sizeof(*pair) + size);
    if (!pair)
        return error_oom(err);
    pair->left = (char *)(pair + 1);
    memcpy(pair->left, argument, size);
    pair->right = pair->left + (colon - argument) + 1;
    pair->right[-1] = '\0';
    *ret = pair;
    return 0;
}

int argument_guest_path(const char *option, const char *path, struct error **err)
{
    int r = guest_path_check(path, err);
    if (r < 0) {
        error_wrap(err, "--%s", option);
        if (path[0] != '/')
            error_hint(err, "paths in the guest begin with a slash, as in /etc/motd");
    }
    return r;
}
