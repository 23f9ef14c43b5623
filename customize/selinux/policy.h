/* The policy of an SELinux guest, as far as labels of files go. */
#pragma once

#include "customize/selinux/file_contexts.h"
#include "guest/guest.h"

/* The extended attribute that holds a file's label. */
#define SELINUX_ATTRIBUTE "security.selinux"

struct selinux_policy {
    char *contexts_path; /* of file_contexts in the guest */
    struct file_contexts *contexts;
};

/* Reads what SELINUXTYPE in the guest's /etc/selinux/config names ("targeted" without it). -ENOENT:
 * the guest has no such policy. Caller frees with selinux_policy_free(). */
int selinux_policy_load(struct guest *guest, struct selinux_policy *ret, struct error **err);
void selinux_policy_free(struct selinux_policy *policy);
#define _cleanup_selinux_policy_ _cleanup_(selinux_policy_free)

enum selinux_when {
    SELINUX_ALWAYS,     /* the label becomes that of the policy */
    SELINUX_IF_MISSING, /* one that is there stays, whatever it is */
};

struct selinux_count {
    uint64_t seen;
    uint64_t changed;
};

/* Labels one path (not followed). Where the policy has no label for it, or the file system can have
 * none, nothing is done. Absent is fine. */
int selinux_label_path(struct guest *guest, struct selinux_policy *policy, const char *path,
                       const struct guest_stat *st, enum selinux_when when,
                       struct selinux_count *count, struct error **err);

/* The same for everything there is, but for what the kernel provides at run time (/proc, /sys, /dev
 * and the like) and what lies in one of the directories `excludes` (NULL: none). */
int selinux_label_tree(struct guest *guest, struct selinux_policy *policy,
                       const struct strv *excludes, enum selinux_when when,
                       struct reporter *reporter, struct selinux_count *count, struct error **err);

/* The directories that are never looked into; the last is NULL. */
extern const char *const selinux_pseudo[];
