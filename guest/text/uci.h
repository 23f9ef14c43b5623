/* Files of OpenWrt's Unified Configuration Interface
 * (https://openwrt.org/docs/guide-user/base-system/uci). */
#pragma once

#include "guest/text/text.h"

/*
 * The text with the option set in the sections of that type: in each that has it, else in the
 * first. *ret_found: there is such a section; else the text is as it was. The value must be a word
 * of letters, digits, '.', '-' and '_'. -EINVAL: libuci would not read the text either.
 */
int uci_assign(const struct text *text, const char *type, const char *option, const char *value,
               struct text *ret, bool *ret_found, struct error **err);
