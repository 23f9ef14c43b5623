/* Registry hives (libhivex). */
#include "guest/inspect/registry.h"

#include "plugins/load.h"

#define FUNCTIONS(X)                                                                               \
    X(registry_open)                                                                               \
    X(registry_open_fd)                                                                            \
    X(registry_has_key)                                                                            \
    X(registry_get_text)                                                                           \
    X(registry_get_number) X(registry_set) X(registry_save) X(registry_commit) X(registry_close)
PLUGIN_DEFINE(registry, "libhivex0 (Debian) or hivex (Fedora)", FUNCTIONS);

int registry_open(struct guest *guest, const char *path, bool writable, struct registry **ret,
                  struct error **err)
{
    int r = plugin_load(&plugin_registry, err);
    return r < 0 ? r : late.registry_open(guest, path, writable, ret, err);
}

int registry_open_fd(int fd, const char *name, bool writable, struct registry **ret,
                     struct error **err)
{
    int r = plugin_load(&plugin_registry, err);
    return r < 0 ? r : late.registry_open_fd(fd, name, writable, ret, err);
}

bool registry_has_key(struct registry *registry, const char *key)
{
    return late.registry_has_key(registry, key);
}

int registry_get_text(struct registry *registry, const char *key, const char *name, char **ret,
                      struct error **err)
{
    return late.registry_get_text(registry, key, name, ret, err);
}

int registry_get_number(struct registry *registry, const char *key, const char *name, uint32_t *ret,
                        struct error **err)
{
    return late.registry_get_number(registry, key, name, ret, err);
}

int registry_set(struct registry *registry, const char *key, const struct registry_value *values,
                 size_t count, struct error **err)
{
    return late.registry_set(registry, key, values, count, err);
}

int registry_save(struct registry *registry, int fd, struct error **err)
{
    return late.registry_save(registry, fd, err);
}

int registry_commit(struct registry *registry, struct guest *guest, struct error **err)
{
    return late.registry_commit(registry, guest, err);
}

void registry_close(struct registry *registry)
{
    if (registry)
        late.registry_close(registry);
}
