#include "sysprep/operations.h"

const struct sysprep_operation sysprep_package_manager_cache = {
    .name = "package-manager-cache",
    .help = "remove downloaded packages",
    .manual = "Remove what the package managers keep of downloads: the files below "
              "/var/cache/apt/archives, /var/cache/dnf, /var/cache/libdnf5, /var/cache/yum, "
              "/var/cache/zypp*, /var/cache/apk, /var/cache/pacman/pkg and /var/cache/xbps. The "
              "directories stay.",
    .by_default = true,
    .removes = {.below = PATHS("/var/cache/apt/archives", "/var/cache/dnf", "/var/cache/libdnf5",
                               "/var/cache/yum", "/var/cache/zypp*", "/var/cache/apk",
                               "/var/cache/pacman/pkg", "/var/cache/xbps")},
};
