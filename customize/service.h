/* Services that the guest starts at boot, by each of its init systems. */
#pragma once

#include "base/error.h"
#include "customize/operation.h"
#include "guest/guest.h"

/* Text for each init system; all start `program start` once at boot. */
struct service {
    const char *name;        /* a file name without suffix */
    const char *program;     /* absolute path in the guest; a System V init script by itself */
    const char *unit;        /* systemd.service(5) */
    const char *unit_target; /* the target that wants it */
    const char *openrc;      /* openrc-run(8) */
    const char *runit;       /* a run script of runsv(8) */
};

/*
 * Writes the files and enables the service in every init system that the guest has, as some have
 * two; it has to bear being started twice. What is there already is replaced. *ret_enabled: the
 * guest has an init that is known; else nothing is written.
 */
int service_install(struct customize_context *context, const struct service *service,
                    bool *ret_enabled, struct error **err);

/*
 * Has the service `name` stay enabled in a guest with systemd. At a first boot (machine-id(5) is
 * absent or "uninitialized") the presets of the distribution are applied to all units, and "disable
 * *" among them (Fedora) takes away the links of a unit that they do not name, whether it has an
 * [Install] section or not. Files of presets are read in the order of their names, and the first
 * line that fits counts (systemd.preset(5)).
 */
int service_keep_enabled(struct guest *guest, const char *name, struct error **err);
