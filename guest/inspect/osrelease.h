/* /etc/os-release (https://www.freedesktop.org/software/systemd/man/os-release.html). */
#pragma once

#include "base/error.h"

/* Values as the file spells them, without quotes; NULL: not there. */
struct os_release {
    char *id;
    char *id_like;
    char *name;
    char *pretty_name;
    char *version_id;
    char *version_codename;
    char *variant_id;
};

/* Called for each NAME=value of a text that a shell could read, without quotes; a negative return
 * ends it with that value. */
typedef int assignment_fn(void *context, const char *name, const char *value, struct error **err);
int assignments_read(const char *text, assignment_fn *each, void *context, struct error **err);

/* Lines that are no assignment are passed over; of several assignments to a name the last counts.
 */
int os_release_parse(const char *text, struct os_release *ret, struct error **err);
void os_release_free(struct os_release *release);
#define _cleanup_os_release_ _cleanup_(os_release_free)

/* The distribution by the name that libguestfs gives it: "debian", "opensuse", "archlinux"...;
 * an unknown ID is its own name, "unknown" where there is none. Fresh memory. */
char *os_release_distro(const struct os_release *release, struct error **err);
