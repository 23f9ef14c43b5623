#include "guest/inspect/root.h"

#include <sys/stat.h>

const char *const guest_common_programs[] = {"/bin/sh",    "/usr/bin/ls",  "/bin/ls",
                                             "/sbin/init", "/bin/busybox", NULL};

static bool have(struct guest *guest, const char *path)
{
    struct guest_stat st;
    return guest_stat(guest, path, false, &st, NULL) == 0;
}

/* With /usr on a file system of its own, links into it lead nowhere yet: only their being there
 * counts. */
bool guest_looks_like_root(struct guest *guest)
{
    static const char *const programs[] = {"/bin", "/sbin", "/usr"};
    static const char *const files[] = {"/etc/os-release", "/usr/lib/os-release", "/etc/fstab",
                                        "/etc/hosts",      "/etc/lsb-release",    "/etc/coreos",
                                        "/etc/flatcar"};
    bool found = false;
    if (!guest_is_dir(guest, "/etc"))
        return false;
    for (size_t i = 0; !found && i < ARRAY_SIZE(programs); i++)
        found = have(guest, programs[i]);
    if (!found)
        return false;
    found = false;
    for (size_t i = 0; !found && i < ARRAY_SIZE(files); i++)
        found = have(guest, files[i]);
    return found;
}
