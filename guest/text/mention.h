/* Looking for words in the guest's configuration. */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "guest/guest.h"

/* Whether a line of one of the files that match the pattern has the word, and is no comment that
 * begins with '#'. */
int files_mention(struct guest *guest, const char *pattern, const char *word, bool *ret,
                  struct error **err);
