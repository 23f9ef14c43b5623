#include "sysprep/operations.h"

/* https://docs.ceph.com/en/latest/rados/configuration/ceph-conf/ */
const struct sysprep_operation sysprep_ceph_data = {
    .name = "ceph-data",
    .help = "remove the daemons and keys of a Ceph cluster",
    .manual =
        "Remove the data of the Ceph daemons of this machine from the directories in "
        "/var/lib/ceph, and the keyrings in /etc/ceph and /var/lib/ceph. The cluster itself is "
        "not told. Not a default: this is the data of monitors and OSDs.",
    .removes = {.trees =
                    PATHS("/var/lib/ceph/{mon,osd,mgr,mds,radosgw,rbd-mirror,bootstrap-*,crash}/*"),
                .files = PATHS("/etc/ceph/*.keyring")},
};
