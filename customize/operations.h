/* The rows of the table in operation.c, each defined in the file of its name. */
#pragma once

#include "customize/operation.h"

extern const struct customize_operation append_line_operation;
extern const struct customize_operation delete_operation;
extern const struct customize_operation hostname_operation;
extern const struct customize_operation mkdir_operation;
extern const struct customize_operation password_operation;
extern const struct customize_operation password_crypto_operation;
extern const struct customize_operation root_password_operation;
extern const struct customize_operation ssh_inject_operation;
extern const struct customize_operation timezone_operation;
extern const struct customize_operation upload_operation;
extern const struct customize_operation write_operation;
