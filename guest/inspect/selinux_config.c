#include "guest/inspect/selinux_config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

static const char default_type[] = "targeted";

static const char *skip_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/*
 * selinux_getenforcemode(3): the line begins with the key, in capitals and without blanks before
 * it. The value may have blanks before it, any case, and anything behind it: a comment, say. The
 * first line with one of the three values counts; others are passed over, such as one in quotes.
 */
static bool read_mode(const char *line, bool *enabled)
{
    static const char key[] = "SELINUX=";
    static const struct {
        const char *value;
        bool enabled;
    } modes[] = {{"enforcing", true}, {"permissive", true}, {"disabled", false}};
    if (!str_starts(line, key))
        return false;
    const char *value = skip_blanks(line + strlen(key));
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (strncasecmp(value, modes[i].value, strlen(modes[i].value)) == 0) {
            *enabled = modes[i].enabled;
            return true;
        }
    return false;
}

/*
 * selinux_getpolicytype(3): the key in any case, behind blanks or not; the value to the end of the
 * line, without the blanks around it. The last one counts.
 */
static int read_type(const char *line, char **type, struct error **err)
{
    static const char key[] = "SELINUXTYPE=";
    line = skip_blanks(line);
    if (strncasecmp(line, key, strlen(key)) != 0)
        return 0;
    int r = str_replace(type, skip_blanks(line + strlen(key)), err);
    if (r < 0)
        return r;
    for (size_t end = strlen(*type); end > 1; end--) {
        if (!isspace((unsigned char)(*type)[end - 1]) && !iscntrl((unsigned char)(*type)[end - 1]))
            break;
        (*type)[end - 1] = '\0';
    }
    return 0;
}

int selinux_config_parse(const char *text, struct selinux_config *ret, struct error **err)
{
    _cleanup_free_ char *copy = strdup(text);
    /* Where no mode can be read, selinux_init_load_policy(3) loads the policy all the same and
     * denies nothing. */
    _cleanup_selinux_config_ struct selinux_config config = {.enabled = true,
                                                             .type = strdup(default_type)};
    if (!copy || !config.type)
        return error_oom(err);
    bool found = false;
    char *next = copy;
    for (char *line = strsep(&next, "\n"); line; line = strsep(&next, "\n")) {
        found = found || read_mode(line, &config.enabled);
        int r = read_type(line, &config.type, err);
        if (r < 0)
            return r;
    }
    *ret = config;
    config = (struct selinux_config){0};
    return 0;
}

void selinux_config_free(struct selinux_config *config)
{
    free(config->type);
    *config = (struct selinux_config){0};
}
