/* User-data and vendor-data: their forms, and the parts they may have. */
#pragma once

#include "datasource/nocloud.h"
#include "datasource/yaml_tree.h"

/* What the documents say about who may log in, as far as it was read. Zero-initialise. */
struct user_data_accounts {
    char *users;      /* where a list of users without "default" stands, as "name:line:column" */
    bool has_users;   /* a list of users was found; the last one counts */
    bool has_default; /* the default user is in it, or comes by "user" */
    bool root_may;    /* "disable_root: false" */
    bool has_keys;    /* top-level ssh_authorized_keys, which are the default user's */
};

void user_data_accounts_free(struct user_data_accounts *accounts);
#define _cleanup_accounts_ _cleanup_(user_data_accounts_free)

/*
 * Refuses what cloud-init would drop as a whole, and reports what it would drop in part.
 * `accounts` may be NULL; lists of users that were found in other documents before are replaced.
 */
int user_data_check(const struct nocloud_document *document, const char *name,
                    struct reporter *reporter, struct user_data_accounts *accounts,
                    struct error **err);

/* The tree of a cloud-config: its root may be NULL. */
int user_data_check_config(struct yaml_tree *tree, struct user_data_accounts *accounts,
                           struct error **err);
