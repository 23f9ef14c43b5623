#include <fnmatch.h>
#include <string.h>
#include <sys/stat.h>

#include "sysprep/operations.h"
#include "sysprep/walk.h"

/* Elsewhere, files with such names may be part of a package. */
static const char *const dirs[] = {"/etc", "/root", "/srv", "/tmp", "/var"};
static const char *const patterns[] = {"*.bak", "*~"};

static int visit(void *context, const char *path, mode_t type, struct error **err)
{
    struct guest *guest = context;
    const char *name = strrchr(path, '/') + 1;
    for (size_t i = 0; S_ISREG(type) && i < ARRAY_SIZE(patterns); i++)
        if (fnmatch(patterns[i], name, FNM_NOESCAPE) == 0)
            return guest_unlink(guest, path, err);
    return 0;
}

static int perform(struct sysprep_context *context, struct error **err)
{
    struct guest *guest = context->customize->guest;
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dirs); i++) {
        struct guest_stat st;
        if (guest_stat(guest, dirs[i], false, &st, NULL) == 0 && S_ISDIR(st.mode))
            r = walk_files(guest, dirs[i], visit, guest, err);
    }
    return r;
}

const struct sysprep_operation sysprep_backup_files = {
    .name = "backup-files",
    .help = "remove backup files of editors",
    .manual = "Remove the files *.bak and *~ at any depth below /etc, /root, /srv, /tmp and /var.",
    .by_default = true,
    .perform = perform,
};
