#include <string.h>

#include "sysprep/lines.h"
#include "sysprep/operations.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* postconf(5): "name = value", and lines that begin with a blank continue the one before. */
static bool is_of_myhostname(const void *context, const struct line *line)
{
    static const char name[] = "myhostname";
    bool *within = *(bool *const *)context;
    size_t length = strlen(name);
    if (line->length > 0 && is_blank(line->start[0]))
        return *within;
    *within = line->length > length && memcmp(line->start, name, length) == 0 &&
              (is_blank(line->start[length]) || line->start[length] == '=');
    return *within;
}

static int perform(struct sysprep_context *context, struct error **err)
{
    bool within = false;
    bool *state = &within;
    return lines_remove(context->customize->guest, "/etc/postfix/main.cf", is_of_myhostname, &state,
                        err);
}

const struct sysprep_operation sysprep_postfix_hostname = {
    .name = "postfix-hostname",
    .help = "have Postfix use the machine's host name",
    .manual = "Remove myhostname from /etc/postfix/main.cf, upon which Postfix takes the host name "
              "of the machine. Other settings that may name it, such as mydestination and "
              "/etc/mailname, stay. Not a default, since the setting may be made by hand.",
    .perform = perform,
};
