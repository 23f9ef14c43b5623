/* Text for the guest's shell. */
#pragma once

#include "base/str.h"

/* Appends the text in single quotes, so that sh(1) takes it for one word as it stands. */
void shell_quote(struct str *str, const char *text);
