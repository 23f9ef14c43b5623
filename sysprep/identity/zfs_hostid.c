#include "sysprep/operations.h"

/* zpool-import(8), zgenhostid(8) */
const struct sysprep_operation sysprep_zfs_hostid = {
    .name = "zfs-hostid",
    .help = "remove the host id",
    .manual =
        "Remove /etc/hostid, which gethostid(3) reads and ZFS writes into its pools. Not a "
        "default: a pool that this machine had in use, such as that of its root, may then have to "
        "be imported by force.",
    .removes = {.files = PATHS("/etc/hostid")},
};
