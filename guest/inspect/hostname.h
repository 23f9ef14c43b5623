#pragma once

#include "guest/guest.h"

/* The guest's name as its own files have it, printable; "" where there is none. Caller frees. */
int guest_hostname(struct guest *guest, char **ret, struct error **err);
