/* What was looked up in directories lately: libext2fs reads and checks every block of a directory
 * each time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ext_names;

/* NULL: no memory. */
struct ext_names *ext_names_new(void);
void ext_names_free(struct ext_names *names); /* accepts NULL */

/* True when it is known: *ret is the inode, 0 for a name that is not there. */
bool ext_names_find(const struct ext_names *names, uint32_t dir, const char *name, uint32_t *ret);
/* Keeps the outcome of a lookup in the place of another one. */
void ext_names_keep(struct ext_names *names, uint32_t dir, const char *name, uint32_t inode);

/* To be called for every entry that is added, removed or changed. */
void ext_names_drop(struct ext_names *names, uint32_t dir, const char *name);
/* To be called where a directory is gone, whose number may come again. */
void ext_names_drop_all(struct ext_names *names);
