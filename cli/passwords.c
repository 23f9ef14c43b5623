#include "cli/passwords.h"

#include <string.h>

void cli_print_passwords(const struct strv *passwords, FILE *out)
{
    for (size_t i = 0; i < passwords->count; i++) {
        const char *pair = passwords->items[i];
        int user = (int)strcspn(pair, "\t");
        fprintf(out, "Password of %.*s: %s\n", user, pair, pair + user + 1);
    }
}

json_t *cli_json_passwords(const struct strv *passwords)
{
    json_t *object = json_object();
    for (size_t i = 0; object && i < passwords->count; i++) {
        const char *pair = passwords->items[i];
        size_t user = strcspn(pair, "\t");
        json_object_setn_new(object, pair, user, json_string(pair + user + 1));
    }
    return object;
}
