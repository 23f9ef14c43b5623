/* The report on an edited image. Internal to cli. */
#pragma once

#include <stdbool.h>

#include "builder/edit.h"

/* On standard output. `quiet`: only what was asked for, and passwords. */
void cli_edit_print(const struct edit_request *request, const struct edit_result *result,
                    bool quiet);
int cli_edit_print_json(const struct edit_request *request, const struct edit_result *result,
                        struct error **err);
