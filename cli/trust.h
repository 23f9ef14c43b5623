/* What the commands share that open disk images: which backing files those may have. */
#pragma once

#include "cli/options.h"
#include "image/trust.h"

/* A row for the option table of a command whose arguments have a struct image_trust at `member`. */
/* clang-format off */
#define TRUST_OPTIONS(type, member)                                                                \
    {"allow-backing", 0, OPTION_LIST, offsetof(type, member.folders), "DIR",                       \
     "let images have backing files in DIR and below, whoever owns them; may be repeated", NULL}
/* clang-format on */
