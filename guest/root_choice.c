#include "guest/root_choice.h"

#include <errno.h>
#include <string.h>

#include "guest/keys.h"

int guest_root_choice_parse(const char *text, struct guest_root_choice *ret, struct error **err)
{
    static const struct {
        const char *name;
        enum guest_root_rule rule;
    } rules[] = {
        {"single", GUEST_ROOT_SINGLE}, {"first", GUEST_ROOT_FIRST}, {"ask", GUEST_ROOT_ASK}};
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
        if (strcmp(text, rules[i].name) == 0) {
            *ret = (struct guest_root_choice){.rule = rules[i].rule};
            return 0;
        }
    if (!str_starts(text, "/dev/") && !str_starts(text, "btrfsvol:/dev/"))
        return error_set(err, EINVAL,
                         "unknown root '%s': ask, single, first, or a device such as /dev/sda2",
                         text);
    *ret = (struct guest_root_choice){.rule = GUEST_ROOT_DEVICE, .device = text};
    return 0;
}

const char *guest_root_wanted(const struct guest_root_choice *choice)
{
    return choice && choice->rule == GUEST_ROOT_DEVICE ? choice->device : NULL;
}

int guest_found_root(struct strv *found, const char *device, const char *name, struct error **err)
{
    int r = strv_add(found, device, err);
    return r < 0 ? r : strv_add(found, name ? name : "", err);
}

/* "/dev/sda1 (Debian GNU/Linux 12), /dev/sda2" */
static char *list_of(const struct strv *found, struct error **err)
{
    _cleanup_str_ struct str text = {0};
    for (size_t i = 0; i + 1 < found->count; i += 2) {
        _cleanup_free_ char *name = str_printable(found->items[i + 1]);
        str_appendf(&text, "%s%s", i ? ", " : "", found->items[i]);
        if (!str_empty(name))
            str_appendf(&text, " (%s)", name);
    }
    return str_take(&text, err);
}

static int refuse(const struct strv *found, struct error **err)
{
    _cleanup_free_ char *list = list_of(found, err);
    if (!list)
        return -ENOMEM;
    error_set(err, EMLINK, "holds several operating systems: on %s", list);
    return error_hint(err, "name the root file system of one of them: --root %s", found->items[0]);
}

static int find_device(const char *device, const struct strv *found, size_t *ret,
                       struct error **err)
{
    for (size_t i = 0; i + 1 < found->count; i += 2)
        if (guest_same_device(device, found->items[i])) {
            *ret = i / 2;
            return 0;
        }
    _cleanup_free_ char *list = list_of(found, err);
    if (!list)
        return -ENOMEM;
    error_set(err, ENOENT, "no operating system was found on %s", device);
    return error_hint(err, "found: %s", list);
}

int guest_choose_root(const struct guest_root_choice *choice, const struct strv *found, size_t *ret,
                      struct error **err)
{
    size_t count = found->count / 2, chosen = count;
    enum guest_root_rule rule = choice ? choice->rule : GUEST_ROOT_SINGLE;
    int r = 0;
    if (rule == GUEST_ROOT_DEVICE)
        return find_device(choice->device, found, ret, err);
    if (count == 1 || rule == GUEST_ROOT_FIRST)
        chosen = 0;
    else if (rule == GUEST_ROOT_ASK && choice->ask)
        r = choice->ask(choice->context, found, &chosen, err);
    if (r < 0)
        return r;
    if (chosen >= count)
        return refuse(found, err);
    *ret = chosen;
    return 0;
}
