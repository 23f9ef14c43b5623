/*
 * Scripts that the guest runs when it boots for the first time. The files are where virt-customize
 * puts them, so that either tool adds to what the other one left:
 * /usr/lib/virt-sysprep/scripts/PRIO-COUNT-NAME, run in the order of their names by
 * /usr/lib/virt-sysprep/firstboot.sh, which logs to virt-sysprep-firstboot.log in root's home. For
 * Windows see windows/firstboot.h.
 */
#pragma once

#include "base/error.h"
#include "customize/operation.h"

/* Adds one behind those that are there, and the service that runs them. `name` is a description. */
int firstboot_add(struct customize_context *context, const char *name, const void *text,
                  size_t size, struct error **err);

/* Makes the service wait until the guest's network is up. Does nothing where the init system cannot
 * do that. */
int firstboot_wait_for_network(struct customize_context *context, struct error **err);

/* -EOPNOTSUPP for guests that are neither Linux nor Windows; -ENOENT where a Windows guest needs a
 * program that this host has not. */
int firstboot_require(const struct guest_info *info, struct error **err);

/* The path that the next script gets in the guest's directory of scripts, without a suffix, and
 * which one it is, from 1. Caller frees. */
int firstboot_next_path(struct guest *guest, const char *directory, const char *name, char **ret,
                        unsigned *ret_count, struct error **err);
