/* YAML (libyaml). */
#include "datasource/yaml_read.h"

#include "plugins/load.h"

#define FUNCTIONS(X) X(yaml_read)
PLUGIN_DEFINE(yaml, "libyaml-0-2 (Debian) or libyaml (Fedora)", FUNCTIONS);

int yaml_read(const char *text, size_t size, const char *name, struct yaml_tree **ret,
              struct error **err)
{
    int r = plugin_load(&plugin_yaml, err);
    return r < 0 ? r : late.yaml_read(text, size, name, ret, err);
}
