/* Which of several systems on a guest's disks is meant, as virt-v2v's --root chooses. */
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "guest/resources.h"

enum guest_root_rule {
    GUEST_ROOT_SINGLE, /* there must be one only */
    GUEST_ROOT_FIRST,
    GUEST_ROOT_ASK, /* a person, where there is one */
    GUEST_ROOT_DEVICE,
};

/* Zero-initialised: there must be one only. */
struct guest_root_choice {
    enum guest_root_rule rule;
    const char *device; /* GUEST_ROOT_DEVICE: "/dev/sda2", "btrfsvol:/dev/sda2/@" */
    /* `found`: devices, and behind each of them what is on it. *ret: the number of the chosen
     * system, or of systems where nobody can be asked. */
    int (*ask)(void *context, const struct strv *found, size_t *ret, struct error **err);
    void *context;
};

/* "ask", "single", "first" or a device. -EINVAL. The text must live as long as *ret. */
int guest_root_choice_parse(const char *text, struct guest_root_choice *ret, struct error **err);

/* The device that is to be the root; NULL: any is. `choice` may be NULL. */
const char *guest_root_wanted(const struct guest_root_choice *choice);

/* Adds a system to the list that guest_choose_root() takes. `name` may be NULL. */
int guest_found_root(struct strv *found, const char *device, const char *name, struct error **err);

/*
 * The number of the system that is the guest; there is one at least. -EMLINK: there are several
 * and nothing says which. -ENOENT: none of them is on the device that was named. `choice` may be
 * NULL.
 */
int guest_choose_root(const struct guest_root_choice *choice, const struct strv *found, size_t *ret,
                      struct error **err);
