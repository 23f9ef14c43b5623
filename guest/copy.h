/* Copies of single objects, of which those of trees are made. Private to guest/. */
#pragma once

#include "guest/engine.h"

/* Stats what may be absent (not followed): its mode is 0 then. */
int copy_stat(struct guest *guest, const char *path, struct guest_stat *ret, struct error **err);

/* One object that is no directory; `st` is that of `from`. See guest_copy(). */
int copy_object(struct guest *guest, const char *from, const char *to, const struct guest_stat *st,
                struct error **err);

/* Gives `to` the owner, mode, extended attributes and times of `from`. Neither is followed. */
int copy_attributes(struct guest *guest, const char *from, const char *to,
                    const struct guest_stat *st, struct error **err);
