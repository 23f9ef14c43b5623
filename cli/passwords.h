/* Random passwords, shown once: "user\tpassword" each. */
#pragma once

#include <jansson.h>
#include <stdio.h>

#include "base/str.h"

void cli_print_passwords(const struct strv *passwords, FILE *out);
/* {"user": "password"}; NULL: out of memory. */
json_t *cli_json_passwords(const struct strv *passwords);
