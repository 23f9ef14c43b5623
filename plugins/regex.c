/* Perl-compatible patterns (libpcre2). */
#include "customize/selinux/regex.h"

#include "plugins/load.h"

#define FUNCTIONS(X)                                                                               \
    X(regex_machine_new) X(regex_machine_free) X(regex_compile) X(regex_free) X(regex_fits)
PLUGIN_DEFINE(regex, "libpcre2-8-0 (Debian) or pcre2 (Fedora)", FUNCTIONS);

int regex_machine_new(struct regex_machine **ret, struct error **err)
{
    int r = plugin_load(&plugin_regex, err);
    return r < 0 ? r : late.regex_machine_new(ret, err);
}

void regex_machine_free(struct regex_machine *machine)
{
    if (machine)
        late.regex_machine_free(machine);
}

struct regex *regex_compile(const char *pattern, size_t length)
{
    return plugin_load(&plugin_regex, NULL) < 0 ? NULL : late.regex_compile(pattern, length);
}

void regex_free(struct regex *regex)
{
    if (regex)
        late.regex_free(regex);
}

enum regex_verdict regex_fits(const struct regex *regex, struct regex_machine *machine,
                              const char *subject, size_t length)
{
    return late.regex_fits(regex, machine, subject, length);
}
