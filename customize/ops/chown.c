/* --chown UID:GID:PATH */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"

struct chown_request {
    uid_t uid;
    gid_t gid;
    char *path;
};

static void chown_request_free(void *data)
{
    struct chown_request *request = data;
    if (!request)
        return;
    free(request->path);
    free(request);
}
DEFINE_CLEANUP(struct chown_request *, chown_request_free);

/* The highest number means "none" to chown(2). */
static int parse_id(const char *text, const char *what, uint32_t *ret, struct error **err)
{
    uint64_t value;
    if (parse_u64(text, what, &value, NULL) < 0 || value >= UINT32_MAX) {
        error_set(err, EINVAL, "--chown: the %s is not a number below %u", what, UINT32_MAX);
        return error_hint(err, "owners are given as numbers, as the guest has them, as "
                               "in 0:0:/etc/motd");
    }
    *ret = (uint32_t)value;
    return 0;
}

static int chown_parse(const char *argument, void **ret_data, struct error **err)
{
    _cleanup_argument_pair_ struct argument_pair *owner = NULL;
    _cleanup_argument_pair_ struct argument_pair *rest = NULL;
    const char *form = chown_operation.metavar;
    int r = argument_split("chown", form, argument, &owner, err);
    if (r == 0)
        r = argument_split("chown", form, owner->right, &rest, err);
    if (r < 0)
        return r;
    _cleanup_(chown_request_freep) struct chown_request *request = calloc(1, sizeof(*request));
    if (!request)
        return error_oom(err);
    r = parse_id(owner->left, "user", &request->uid, err);
    if (r == 0)
        r = parse_id(rest->left, "group", &request->gid, err);
    if (r == 0)
        r = argument_guest_path("chown", rest->right, err);
    if (r < 0)
        return r;
    r = str_replace(&request->path, rest->right, err);
    if (r < 0)
        return r;
    *ret_data = TAKE_PTR(request);
    return 0;
}

static int chown_apply(const void *data, const char *argument, struct customize_context *context,
                       struct error **err)
{
    (void)argument;
    const struct chown_request *request = data;
    report(context->reporter, REPORT_INFO, "Changing the owner of %s to %u:%u", request->path,
           request->uid, request->gid);
    return guest_chown(context->guest, request->path, request->uid, request->gid, err);
}

const struct customize_operation chown_operation = {
    .name = "chown",
    .metavar = "UID:GID:PATH",
    .help = "change the owner and group of a file or directory of the guest",
    .manual = "Make the user UID and the group GID the owners of PATH in the guest. Both are "
              "numbers, since names may stand for others on the host than in the guest. A "
              "symbolic link is followed; what a directory holds keeps its owners.",
    .example = "--chown 33:33:/var/www/html",
    .parse = chown_parse,
    .apply = chown_apply,
    .free_data = chown_request_free,
};
