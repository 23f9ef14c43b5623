/*
 * Differences between distributions: facts in tables, so that operations need no branches. A fact
 * that a new operation needs becomes a member of struct distro_facts.
 */
#pragma once

#include <stdbool.h>

#include "base/error.h"
#include "base/report.h"
#include "guest/inspect/inspect.h"

/* One configuration file that holds a value. */
struct distro_setting {
    const char *path;
    const char *key;      /* KEY=value on a line of its own; NULL: the value is the whole file */
    bool quoted;          /* KEY="value" */
    bool only_if_present; /* where the file is missing it is not made */
    bool only_if_set;     /* where the key is missing it is not added */
};

struct distro_facts {
    const struct distro_setting *hostname; /* ends with a path of NULL; see hostname.h. NULL: not
                                              known */
    bool hosts_name_hostname;              /* the host name stands in /etc/hosts as well */
    const struct distro_setting *timezone; /* beside /etc/localtime; ends with a path of NULL */
    const char *random_seed;               /* what the init scripts read at boot; NULL: nothing */
    const char *password_scheme;           /* the default of passwd(1) when nothing is configured */
};

/* Where System V's init keeps its scripts, and what starts them in the runlevels 2, 3 and 5. */
struct distro_sysv {
    const char *scripts;   /* NULL: runlevels have links straight to the program */
    const char *runlevels; /* directory of rc2.d, rc3.d and rc5.d */
    const char *back;      /* leads from a runlevel to the scripts */
};

/* Never NULL: a distribution that is not in the tables gets what most of them share. */
const struct distro_facts *distro_facts_of(const struct guest_info *info);

/* NULL: none is known. Whether the guest still uses such an init is not known from this. */
const struct distro_sysv *distro_sysv_of(const struct guest_info *info);

/* Whether the distribution is in the tables by its own name, not by that of its package manager. */
bool distro_is_listed(const struct guest_info *info);

/* OpenWrt and its derivatives, whose settings are in /etc/config; see uci.h. */
bool distro_is_openwrt(struct guest *guest, const struct guest_info *info);

/* True where there are no releases, so that updates may replace the whole distribution. */
bool distro_is_rolling(const struct guest_info *info);

/* The first number of the version; UINT_MAX where there is none, or where it is that of a
 * distribution whose numbers are not its parent's. */
unsigned distro_major_version(const struct guest_info *info);

/* True, with a warning, for guests that are no Linux: what the caller does has no meaning there,
 * and the rest is done all the same, as virt-customize does. `what` is a clause: "The host name can
 * be set". */
bool distro_leaves_out(const struct guest_info *info, struct reporter *reporter, const char *what);

/* Writes the value into each file of the list that applies. */
int distro_apply_settings(struct guest *guest, const struct distro_setting *settings,
                          const char *value, struct error **err);
