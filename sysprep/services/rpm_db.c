#include "sysprep/operations.h"

const struct sysprep_operation sysprep_rpm_db = {
    .name = "rpm-db",
    .help = "remove the machine-specific files of the RPM database",
    .manual = "Remove the regions and locks /var/lib/rpm/__db.*, which RPM makes anew when it "
              "needs them. The database itself stays.",
    .by_default = true,
    .removes = {.files = PATHS("/var/lib/rpm/__db.*")},
};
