/* The names that a guest gets: what cloud-init makes of them. */
#pragma once

#include "datasource/nocloud.h"
#include "datasource/yaml_tree.h"

/* Whether the text is an IPv4 or IPv6 address. cloud-init makes another name of one: 10.0.0.5 as
 * local-hostname becomes ip-10-0-0-5, as hostname 10. */
bool identity_is_address(const char *text);

/*
 * Checks the value of a key that names the host; an absent one is fine. -EINVAL where it is no text
 * to PyYAML (cloud-init would fail with an exception) or an IP address; a warning of the tree where
 * it is no name by RFC 1123.
 */
int identity_check_name(struct yaml_tree *tree, const struct yaml_node *map, const char *key,
                        struct error **err);

/* Checks meta-data as a whole, and reports what is not read in it. */
int identity_check_meta_data(const struct nocloud_document *document, const char *name,
                             struct reporter *reporter, struct error **err);

/* The value of one of meta-data's keys as cloud-init has it, which is Python's str() of it: 83 for
 * 0123. NULL: it has no such key, or the value is null or "". Caller frees. */
int identity_value(const struct nocloud_document *document, const char *name, const char *key,
                   char **ret, struct error **err);
