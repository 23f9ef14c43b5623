/* What the files of layout.c share. */
#pragma once

#include "guest/inspect/layout.h"
#include "guest/inspect/part_role.h"

/* Whether fstab has an entry for the directory. */
bool layout_names(const struct fstab *fstab, const char *dir);

enum part_role layout_role(const struct volume *volume);

/* /usr (layout_usr.c). */
int layout_mount_usr(struct layout *layout, const char *command_line, struct error **err);
