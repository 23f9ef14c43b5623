/* The undo journal's file. Internal to image/. */
#pragma once

#include "base/endian.h"

#define UNDO_MAGIC "KILNUNDO"

enum { UNDO_VERSION = 1 };

/* The image's file is told by inode and time of birth: another file may get its name later. */
struct undo_header {
    char magic[8];
    le32_t version;
    le32_t format; /* enum image_format */
    le64_t disk_size;
    le64_t inode;
    le64_t born_seconds; /* 0: the file system keeps no such time */
    le32_t born_nanoseconds;
    le32_t unused;
    le64_t records;
};

enum { UNDO_ZERO = 1 << 0, UNDO_GUARDED = 1 << 1, UNDO_GUARD = 1 << 2 };

/* Followed by a le64 code a cluster, and by the bytes, unless UNDO_ZERO or UNDO_GUARD is set. */
struct undo_entry {
    le64_t offset;
    le32_t length;
    le32_t flags;
};

_Static_assert(sizeof(struct undo_header) == 56, "on-disk layout");
_Static_assert(sizeof(struct undo_entry) == 16, "on-disk layout");
