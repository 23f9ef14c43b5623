/* What a partition of a GPT is for, by its type: UAPI.2 Discoverable Partitions Specification
 * (https://uapi-group.org/specifications/specs/discoverable_partitions_specification/), and the
 * types of Container Linux (CoreOS, Flatcar). */
#pragma once

#include <stdint.h>

enum part_role {
    ROLE_NONE,
    ROLE_ROOT,
    ROLE_USR,
    ROLE_ROOT_VERITY, /* hashes of dm-verity over the root */
    ROLE_USR_VERITY,
    ROLE_HOME,
    ROLE_SRV,
    ROLE_VAR,
    ROLE_TMP, /* of /var/tmp */
    ROLE_ESP,
    ROLE_XBOOTLDR,
    ROLE_SWAP,
    ROLE_CONTAINER_LINUX_USR,
};

/* Attributes of these types (same specification). */
#define PART_NO_BLOCK_IO (UINT64_C(1) << 1)  /* UEFI's own: firmware must not see the contents */
#define PART_NO_AUTO     (UINT64_C(1) << 63) /* is not to be mounted by its type */

struct part_type {
    const char *guid; /* lower-case text */
    enum part_role role;
    const char *arch; /* as elf_machine() names it; NULL: for all */
};

/* NULL: a type that is not known here. */
const struct part_type *part_type_find(const char *guid);

#define PART_VAR_GUID "4d21b016-b534-45c2-a9fb-5c16e091fd2d"
