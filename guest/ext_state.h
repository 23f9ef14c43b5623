/*
 * The state that an ext file system is marked with (s_state in its superblock, Linux
 * Documentation/filesystems/ext4). Linux mounts whatever the mark says and warns ("mounting fs with
 * errors", "mounting unchecked fs", fs/ext4/super.c ext4_setup_super()): what it then writes can
 * damage more. So no engine changes what is marked.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"

/* Where s_magic and s_state are, from the start of the file system: little-endian. */
#define EXT_MAGIC_OFFSET 1080u
#define EXT_STATE_OFFSET 1082u
#define EXT_MAGIC        0xef53u

/* -EUCLEAN, with the remedy, where it was not unmounted cleanly or errors were found in it. With a
 * journal, Linux leaves the first mark alone: then a change by kiln or another program that writes
 * past the journal was interrupted. */
int ext_state_check(uint16_t state, const char *image, const char *device, struct error **err);

enum { EXT_SUPER_SIZE = 1024, EXT_SUPER_OFFSET = 1024 };

/* Marks a superblock as not clean, and corrects its checksum, if it has one. */
void ext_state_guard(uint8_t super[static EXT_SUPER_SIZE]);

/* -EUCLEAN, with the same remedy, for a file system in which `damage` was found: "its group
 * descriptors are damaged". */
int ext_state_refuse(const char *damage, const char *image, const char *device, struct error **err);
