/* Package formats and package managers by distribution. */
#pragma once

struct guest_info;

/* By distribution and version, as libguestfs's inspection tells them (daemon/inspect_fs.ml); NULL:
 * it is not known. */
const char *package_format_of(const struct guest_info *info);
const char *package_manager_of(const struct guest_info *info);
