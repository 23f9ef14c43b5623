/* Order of version strings by the UAPI Version Format Specification
 * (https://uapi-group.org/specifications/specs/version_format_specification/). */
#pragma once

/* Below, equal to or above zero, as strcmp(). */
int version_compare(const char *a, const char *b);
