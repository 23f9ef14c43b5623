#include "sysprep/operations.h"

const struct sysprep_operation sysprep_tmp_files = {
    .name = "tmp-files",
    .help = "remove temporary files",
    .manual = "Empty /tmp and /var/tmp, hidden files included.",
    .by_default = true,
    .removes = {.trees = PATHS("/tmp/{*,.[!.]*,..?*}", "/var/tmp/{*,.[!.]*,..?*}")},
};
