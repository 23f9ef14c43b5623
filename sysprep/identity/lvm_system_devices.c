#include "sysprep/operations.h"

const struct sysprep_operation sysprep_lvm_system_devices = {
    .name = "lvm-system-devices",
    .help = "remove the list of devices that LVM may look at",
    .manual = "Remove /etc/lvm/devices/system.devices. It names disks by their hardware ids, which "
              "differ from clone to clone: with it, LVM would not find its physical volumes.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/lvm/devices/system.devices")},
};
