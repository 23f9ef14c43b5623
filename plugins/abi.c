#include "plugins/abi.h"

const struct plugin_abi kiln_plugin_abi = PLUGIN_ABI;
