/* POSIX access control lists in the form of getxattr(2) (linux/posix_acl_xattr.h), which is also
 * the one in which libext2fs takes and gives them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define EXT_ACL_ACCESS  "system.posix_acl_access"
#define EXT_ACL_DEFAULT "system.posix_acl_default"

/* Whether the kernel would take the list: -EINVAL, or -EOPNOTSUPP for an unknown version. One
 * without entries is fine, and stands for none. */
int ext_acl_check(const void *acl, size_t size, struct error **err);
size_t ext_acl_count(size_t size);

/* Lets a list follow a change of the mode. */
void ext_acl_apply_mode(void *acl, size_t size, mode_t mode);
/* Sets the permission bits of *mode to what a checked list says. True when the mode then says as
 * much as the list. */
bool ext_acl_to_mode(const void *acl, size_t size, mode_t *mode);
