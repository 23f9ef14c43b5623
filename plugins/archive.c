/* ISO images and tar archives (libarchive). */
#include "customize/unpack/tar.h"
#include "customize/windows/source.h"
#include "datasource/iso.h"
#include "plugins/load.h"

#define FUNCTIONS(X)                                                                               \
    X(iso_make) X(iso_read) X(tar_probe) X(tar_unpack) X(windows_iso_check) X(windows_iso_visit)
PLUGIN_DEFINE(archive, "libarchive13 (Debian) or libarchive (Fedora)", FUNCTIONS);

int iso_make(const char *label, const struct iso_file *files, size_t count, char **ret_data,
             size_t *ret_size, struct error **err)
{
    int r = plugin_load(&plugin_archive, err);
    return r < 0 ? r : late.iso_make(label, files, count, ret_data, ret_size, err);
}

int iso_read(const char *data, size_t size, const char *name, const struct iso_wanted *wanted,
             struct error **err)
{
    int r = plugin_load(&plugin_archive, err);
    return r < 0 ? r : late.iso_read(data, size, name, wanted, err);
}

int tar_probe(int fd, const char *name, struct error **err)
{
    int r = plugin_load(&plugin_archive, err);
    return r < 0 ? r : late.tar_probe(fd, name, err);
}

int tar_unpack(int fd, const char *name, struct unpack *unpack, struct error **err)
{
    int r = plugin_load(&plugin_archive, err);
    return r < 0 ? r : late.tar_unpack(fd, name, unpack, err);
}

int windows_iso_check(int fd, const char *name, struct error **err)
{
    int r = plugin_load(&plugin_archive, err);
    return r < 0 ? r : late.windows_iso_check(fd, name, err);
}

int windows_iso_visit(int fd, const char *name, const struct windows_source_visitor *visitor,
                      struct error **err)
{
    int r = plugin_load(&plugin_archive, err);
    return r < 0 ? r : late.windows_iso_visit(fd, name, visitor, err);
}
