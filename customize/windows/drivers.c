#include "customize/windows/drivers.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/fdio.h"
#include "customize/windows/source.h"
#include "customize/windows/windows.h"
#include "guest/inspect/nocase.h"
#include "guest/inspect/registry.h"

/* Those that fit, before anything is touched. */
struct search {
    const struct guest_info *info;
    struct strv paths;
    struct error *error;
};

static bool note_driver(void *data, const char *path)
{
    struct search *search = data;
    if (!search->error && windows_driver_fits(search->info, path))
        strv_add(&search->paths, path, &search->error);
    return false;
}

static int search_source(const char *source, struct search *search, struct error **err)
{
    struct windows_source_visitor visitor = {.wants = note_driver, .context = search};
    int r = windows_source_visit(source, &visitor, err);
    if (r < 0)
        return r;
    if (search->error)
        return error_move(err, TAKE_PTR(search->error));
    if (search->paths.count > 0)
        return 0;
    _cleanup_free_ char *guest = windows_description(search->info, err);
    if (!guest)
        return -ENOMEM;
    error_set(err, ENOENT, "%s: has no drivers for this guest: %s", source, guest);
    return error_hint(err,
                      "drivers are looked for in directories as viostor/w10/amd64 or "
                      "amd64/win10; try a newer virtio-win.iso, or for an old Windows an older "
                      "one");
}

static bool has_file(const struct search *search, const char *name)
{
    for (size_t i = 0; i < search->paths.count; i++)
        if (strcasecmp(path_name(search->paths.items[i]), name) == 0)
            return true;
    return false;
}

/* The driver for disks, in the order in which virt-v2v prefers them; NULL: there is none. */
static const char *block_driver(const struct search *search)
{
    static const char *const files[][2] = {
        {"virtio_blk.sys", "virtio_blk"}, {"vrtioblk.sys", "vrtioblk"}, {"viostor.sys", "viostor"}};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        if (has_file(search, files[i][0]))
            return files[i][1];
    return NULL;
}

/* Copying. */

struct copy {
    struct customize_context *context;
    const struct search *search;
    const char *directory; /* in the guest */
    const char *started;   /* where the driver for disks goes as well; NULL: nowhere */
    const char *driver;
    bool no_stub; /* of the firmware configuration device: its real driver is there */
    struct strv names;
};

/* The same file may be in several places of an image: once is enough. */
static bool wants_driver(void *data, const char *path)
{
    const struct copy *copy = data;
    const char *name = path_name(path);
    if (copy->no_stub && strncasecmp(name, "qemufwcfg.", strlen("qemufwcfg.")) == 0)
        return false;
    for (size_t i = 0; i < copy->names.count; i++)
        if (strcasecmp(copy->names.items[i], name) == 0)
            return false;
    return strv_contains(&copy->search->paths, path);
}

static bool is_block_driver(const struct copy *copy, const char *name)
{
    size_t length = copy->driver ? strlen(copy->driver) : 0;
    return length > 0 && strncmp(name, copy->driver, length) == 0 &&
           strcmp(name + length, ".sys") == 0;
}

static int copy_driver(void *data, const char *path, const char *contents, size_t size,
                       struct error **err)
{
    static const struct guest_file_attr attr = {.mode = 0644};
    struct copy *copy = data;
    _cleanup_free_ char *name = strdup(path_name(path));
    if (!name)
        return error_oom(err);
    for (char *c = name; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    _cleanup_free_ char *target = NULL;
    int r = guest_nocase(copy->context->guest, copy->directory, name, &target, err);
    if (r == 0)
        r = strv_add(&copy->names, name, err);
    if (r == 0)
        r = guest_write(copy->context->guest, target, contents, size, &attr, err);
    if (r == 0 && is_block_driver(copy, name))
        r = guest_write(copy->context->guest, copy->started, contents, size, &attr, err);
    return r;
}

static int copy_all(struct customize_context *context, const char *source,
                    const struct search *search, const char *driver, struct error **err)
{
    const struct guest_windows *windows = context->info->windows;
    struct guest *guest = context->guest;
    _cleanup_free_ char *directory = NULL, *started = NULL;
    _cleanup_free_ char *file = str_printf(err, "System32/drivers/%s.sys", driver ? driver : "");
    int r = file ? guest_nocase(guest, windows->systemroot, "Drivers/VirtIO", &directory, err)
                 : -ENOMEM;
    if (r == 0)
        r = guest_nocase(guest, windows->systemroot, file, &started, err);
    if (r < 0)
        return r;
    struct copy copy = {.context = context,
                        .search = search,
                        .directory = directory,
                        .started = started,
                        .driver = driver,
                        .no_stub = has_file(search, "fwcfg.inf")};
    struct windows_source_visitor visitor = {
        .wants = wants_driver, .file = copy_driver, .context = &copy};
    r = guest_mkdir_p(guest, directory, 0755, err);
    if (r == 0)
        r = windows_source_visit(source, &visitor, err);
    if (r == 0)
        report(context->reporter, REPORT_DEBUG, "%zu files of drivers put into %s",
               copy.names.count, directory);
    strv_free(&copy.names);
    return r;
}

/* Both hives are read before anything is written: where one cannot be edited, nothing is. */
static int edit_hives(struct customize_context *context, const char *source,
                      const struct search *search, const char *driver, struct error **err)
{
    const struct guest_windows *windows = context->info->windows;
    struct guest *guest = context->guest;
    _cleanup_registry_ struct registry *system = NULL, *software = NULL;
    int r = registry_open(guest, windows->system_hive, true, &system, err);
    if (r == 0)
        r = registry_open(guest, windows->software_hive, true, &software, err);
    if (r == 0 && driver)
        r = windows_drivers_register(system, windows->control_set, driver, err);
    if (r == 0)
        r = windows_drivers_add_path(software, err);
    if (r == 0)
        r = copy_all(context, source, search, driver, err);
    if (r == 0 && driver)
        r = registry_commit(system, guest, err);
    return r < 0 ? r : registry_commit(software, guest, err);
}

int windows_drivers_inject(struct customize_context *context, const char *source,
                           struct error **err)
{
    struct search search = {.info = context->info};
    int r = search_source(source, &search, err);
    const char *driver = r == 0 ? block_driver(&search) : NULL;
    if (r == 0 && !driver)
        report(context->reporter, REPORT_WARNING,
               "%s: has no driver for virtio disks that fits this guest, which can boot only from "
               "others",
               source);
    if (r == 0)
        r = edit_hives(context, source, &search, driver, err);
    strv_free(&search.paths);
    error_free(search.error);
    return windows_explain(r, err);
}
