/* --link TARGET:LINK[:LINK..] */

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "customize/ops/argument.h"
#include "customize/ops/operations.h"
#include "guest/text/place.h"

/* The words behind the first are the links. */
struct link_request {
    struct strv words;
};

static void link_request_free(void *data)
{
    struct link_request *request = data;
    if (!request)
        return;
    strv_free(&request->words);
    free(request);
}
DEFINE_CLEANUP(struct link_request *, link_request_free);

static int split_words(const char *argument, struct strv *words, struct error **err)
{
    for (const char *at = argument;; at++) {
        size_t length = strcspn(at, ":");
        int r = strv_take(words, strndup(at, length), err);
        if (r < 0)
            return r;
        at += length;
        if (!*at)
            return 0;
    }
}

static int link_parse(const char *argument, void **ret_data, struct error **err)
{
    _cleanup_(link_request_freep) struct link_request *request = calloc(1, sizeof(*request));
    if (!request)
        return error_oom(err);
    int r = split_words(argument, &request->words, err);
    if (r < 0)
        return r;
    struct strv *words = &request->words;
    if (words->count < 2 || !*words->items[0])
        return error_set(err, EINVAL, "--link: the argument is not of the form %s",
                         link_operation.metavar);
    for (size_t i = 1; r == 0 && i < words->count; i++)
        r = argument_guest_path("link", words->items[i], err);
    if (r == 0)
        *ret_data = TAKE_PTR(request);
    return r;
}

/* As `ln -sf`: what is there is replaced, unless it is a directory; the link is then made inside
 * it. */
static int make_link(struct guest *guest, const char *target, const char *link, struct error **err)
{
    _cleanup_free_ char *place = NULL;
    int r = place_destination(guest, link, target, &place, err);
    if (r < 0)
        return r;
    struct guest_stat st;
    r = place_look(guest, place, &st, err);
    if (r > 0 && S_ISDIR(st.mode))
        return error_set(err, EISDIR, "%s in the guest: a directory cannot be made a link", place);
    if (r > 0)
        r = guest_unlink(guest, place, err);
    return r < 0 ? r : guest_symlink(guest, target, place, err);
}

static int link_apply(const void *data, const char *argument, struct customize_context *context,
                      struct error **err)
{
    (void)argument;
    const struct strv *words = &((const struct link_request *)data)->words;
    int r = 0;
    for (size_t i = 1; r == 0 && i < words->count; i++) {
        report(context->reporter, REPORT_INFO, "Linking %s to %s", words->items[i],
               words->items[0]);
        r = make_link(context->guest, words->items[0], words->items[i], err);
    }
    return r;
}

const struct customize_operation link_operation = {
    .name = "link",
    .metavar = "TARGET:LINK[:LINK..]",
    .help = "make symbolic links in the guest",
    .manual = "Make each LINK in the guest a symbolic link to TARGET, which is taken as it is and "
              "need not exist; a relative one counts from the directory of the link. What is at "
              "LINK already is replaced. Where LINK is a directory, the link is made inside it, "
              "under the name of TARGET.",
    .example = "--link /usr/bin/python3:/usr/local/bin/python",
    .parse = link_parse,
    .apply = link_apply,
    .free_data = link_request_free,
};
