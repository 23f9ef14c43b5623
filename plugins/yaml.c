/* YAML (libyaml). */
#include "datasource/yaml.h"

#include "plugins/load.h"

#define FUNCTIONS(X) X(yaml_check) X(yaml_top_find)
PLUGIN_DEFINE(yaml, "libyaml-0-2 (Debian) or libyaml (Fedora)", FUNCTIONS);

int yaml_check(const char *text, size_t size, const char *name, enum yaml_kind expected,
               struct error **err)
{
    int r = plugin_load(&plugin_yaml, err);
    return r < 0 ? r : late.yaml_check(text, size, name, expected, err);
}

int yaml_top_find(const char *text, size_t size, const char *name, const char *key,
                  struct yaml_found *ret, struct error **err)
{
    int r = plugin_load(&plugin_yaml, err);
    return r < 0 ? r : late.yaml_top_find(text, size, name, key, ret, err);
}
