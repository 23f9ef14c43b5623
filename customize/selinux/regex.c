#include "customize/selinux/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum {
    pattern_max = 4096, /* bytes */
    nesting_max = 50,
    step_max = 100000,
    depth_max = 10000,
    heap_max = 1024, /* KiB */
};

struct regex_machine {
    pcre2_match_context *limits;
    pcre2_match_data *data;
};

/* Nothing but a name for what the library allocates. */
static pcre2_code *code_of(const struct regex *regex)
{
    return (pcre2_code *)regex;
}

int regex_machine_new(struct regex_machine **ret, struct error **err)
{
    _cleanup_(regex_machine_freep) struct regex_machine *machine = calloc(1, sizeof(*machine));
    if (!machine)
        return error_oom(err);
    machine->limits = pcre2_match_context_create(NULL);
    machine->data = pcre2_match_data_create(1, NULL);
    if (!machine->limits || !machine->data)
        return error_oom(err);
    pcre2_set_match_limit(machine->limits, step_max);
    pcre2_set_depth_limit(machine->limits, depth_max);
    pcre2_set_heap_limit(machine->limits, heap_max);
    *ret = TAKE_PTR(machine);
    return 0;
}

void regex_machine_free(struct regex_machine *machine)
{
    if (!machine)
        return;
    pcre2_match_context_free(machine->limits);
    pcre2_match_data_free(machine->data);
    free(machine);
}

struct regex *regex_compile(const char *pattern, size_t length)
{
    if (length > pattern_max)
        return NULL;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context)
        return NULL;
    pcre2_set_parens_nest_limit(context, nesting_max);
    int code;
    PCRE2_SIZE offset;
    uint32_t options = PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL | PCRE2_NEVER_UTF |
                       PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;
    pcre2_code *compiled =
        pcre2_compile((PCRE2_SPTR)pattern, length, options, &code, &offset, context);
    pcre2_compile_context_free(context);
    return (struct regex *)compiled;
}

void regex_free(struct regex *regex)
{
    pcre2_code_free(code_of(regex));
}

enum regex_verdict regex_fits(const struct regex *regex, struct regex_machine *machine,
                              const char *subject, size_t length)
{
    int r = pcre2_match(code_of(regex), (PCRE2_SPTR)subject, length, 0, 0, machine->data,
                        machine->limits);
    if (r >= 0)
        return REGEX_YES;
    return r == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_TOO_COSTLY;
}
