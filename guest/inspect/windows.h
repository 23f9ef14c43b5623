/* Facts about Windows guests: directory, version, current settings. */
#pragma once

#include "guest/guest.h"

struct guest_info;

struct guest_windows {
    char *systemroot;    /* guest path, as it is spelt there: "/Windows" */
    char *software_hive; /* guest paths of hives; see guest/inspect/registry.h */
    char *system_hive;
    char *control_set;     /* the key of SYSTEM that is the current one: "ControlSet001"; or NULL */
    char *variant;         /* "Client", "Server", "Server Core", ...; "" before Windows Vista */
    unsigned major, minor; /* of Windows NT: 6.1 is Windows 7 and Server 2008 R2 */
    unsigned build;        /* tells apart what came since Windows 10; 0: not known */
    char *trouble;         /* why the registry could not be read; NULL: it could, and all of the
                              above is known */
};

/*
 * Fills in what is known of a Windows guest, as far as guest_inspect() does it for others;
 * info->windows stays NULL where there is no Windows. Expects root_fs. A registry
 * that cannot be read is no error: much can be done without it.
 */
int guest_inspect_windows(struct guest *guest, struct guest_info *info, struct error **err);

/* Whether what is mounted on "/" alone is the root of a Windows guest. */
int guest_has_windows(struct guest *guest, bool *ret, struct error **err);

/* Accepts NULL. */
void guest_windows_free(struct guest_windows *windows);
DEFINE_CLEANUP(struct guest_windows *, guest_windows_free);
