/* --copy SOURCE:DEST and --move SOURCE:DEST */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"
#include "guest/text/place.h"

static int parse_pair(const char *option, const char *argument, void **ret_data, struct error **err)
{
    _cleanup_argument_pair_ struct argument_pair *pair = NULL;
    int r = argument_split(option, copy_operation.metavar, argument, &pair, err);
    if (r == 0)
        r = argument_guest_path(option, pair->left, err);
    if (r == 0)
        r = argument_guest_path(option, pair->right, err);
    if (r == 0)
        *ret_data = TAKE_PTR(pair);
    return r;
}

/* The real paths of an object and of the one it is to become. */
struct copy_places {
    char *from;
    char *to;
    bool directory;
};

static void copy_places_free(struct copy_places *places)
{
    free(places->from);
    free(places->to);
}

static int find_places(struct guest *guest, const struct argument_pair *pair, bool through_links,
                       struct copy_places *ret, struct error **err)
{
    /* "link/" is the directory that the link leads to. */
    int r = guest_resolve(guest, pair->left, str_ends(pair->left, "/"), &ret->from, err);
    if (r < 0)
        return r;
    struct guest_stat st;
    r = guest_stat(guest, ret->from, false, &st, err);
    if (r < 0)
        return r;
    ret->directory = S_ISDIR(st.mode);
    _cleanup_free_ char *place = NULL;
    r = place_destination(guest, pair->right, pair->left, &place, err);
    if (r < 0)
        return r;
    if (str_ends(place, "/") && !ret->directory)
        return error_set(err, ENOTDIR, "%s is not a directory in the guest", pair->right);
    r = guest_resolve(guest, place, through_links && S_ISREG(st.mode), &ret->to, err);
    if (r == 0 && strcmp(ret->from, ret->to) == 0)
        r = error_set(err, EINVAL, "%s and %s are the same in the guest", pair->left, place);
    return r;
}

static int copy_parse(const char *argument, void **ret_data, struct error **err)
{
    return parse_pair("copy", argument, ret_data, err);
}

static int copy_apply(const void *data, const char *argument, struct customize_context *context,
                      struct error **err)
{
    (void)argument;
    const struct argument_pair *pair = data;
    report(context->reporter, REPORT_INFO, "Copying %s to %s in the guest", pair->left,
           pair->right);
    _cleanup_(copy_places_free) struct copy_places places = {0};
    int r = find_places(context->guest, pair, true, &places, err);
    if (r < 0)
        return r;
    return places.directory ? guest_copy_tree(context->guest, places.from, places.to, err)
                            : guest_copy(context->guest, places.from, places.to, err);
}

static int move_parse(const char *argument, void **ret_data, struct error **err)
{
    return parse_pair("move", argument, ret_data, err);
}

static int move_apply(const void *data, const char *argument, struct customize_context *context,
                      struct error **err)
{
    (void)argument;
    const struct argument_pair *pair = data;
    struct guest *guest = context->guest;
    report(context->reporter, REPORT_INFO, "Moving %s to %s in the guest", pair->left, pair->right);
    _cleanup_(copy_places_free) struct copy_places places = {0};
    int r = find_places(guest, pair, false, &places, err);
    if (r < 0)
        return r;
    struct error *refusal = NULL;
    r = guest_rename(guest, places.from, places.to, &refusal);
    if (r != -EXDEV)
        return r < 0 ? error_move(err, refusal) : 0;
    error_free(refusal);
    r = places.directory ? guest_copy_tree(guest, places.from, places.to, err)
                         : guest_copy(guest, places.from, places.to, err);
    return r < 0 ? r : guest_remove(guest, places.from, err);
}

const struct customize_operation copy_operation = {
    .name = "copy",
    .metavar = "SOURCE:DEST",
    .help = "copy a file or a whole directory within the guest",
    .manual = "Copy the file SOURCE of the guest, or the directory SOURCE with all it holds, to "
              "DEST in the guest, with modes, owners, times and extended attributes. Where DEST "
              "is a directory, the copy goes into it under its own name. Symbolic links are copied "
              "as links. Neither path may be a shell pattern.",
    .example = "--copy /etc/ssh:/root/ssh.orig",
    .parse = copy_parse,
    .apply = copy_apply,
    .free_data = argument_pair_free,
};

const struct customize_operation move_operation = {
    .name = "move",
    .metavar = "SOURCE:DEST",
    .help = "move or rename a file or directory within the guest",
    .manual = "Move SOURCE in the guest, a file or a directory with all it holds, to DEST in the "
              "guest. Where DEST is a directory, SOURCE goes into it under its own name; a file at "
              "DEST is replaced. Neither path may be a shell pattern.",
    .example = "--move /etc/motd:/etc/motd.orig",
    .parse = move_parse,
    .apply = move_apply,
    .free_data = argument_pair_free,
};
