/* Text made fit to be one word of what another program parses. */
#pragma once

#include "base/str.h"

/* Appends the text in single quotes, so that sh(1) takes it for one word as it stands. */
void quote_shell(struct str *str, const char *text);

/* Appends the text with its commas doubled, as QEMU's programs want the value of a key=value list
 * ("file.filename=VALUE,..."). */
void quote_commas(struct str *str, const char *text);
