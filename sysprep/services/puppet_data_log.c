#include "sysprep/operations.h"

const struct sysprep_operation sysprep_puppet_data_log = {
    .name = "puppet-data-log",
    .help = "remove the data and logs of Puppet",
    .manual = "Remove the files in /var/log/puppet and those in the directories of "
              "/var/lib/puppet, among them the certificate that names this machine.",
    .by_default = true,
    .removes = {.files =
                    PATHS("/var/log/puppet/*", "/var/lib/puppet/*/*", "/var/lib/puppet/*/*/*")},
};
