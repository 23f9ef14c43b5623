/* What the guest's own boot loader would boot. */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "guest/bootcfg/bls.h"
#include "guest/bootcfg/boot_files.h"
#include "guest/bootcfg/grub_script.h"
#include "guest/inspect/inspect.h"

#define CONFIG_MAX ((size_t)1 << 20)

/* The text of a file; *ret NULL: there is none. */
static int read_text(struct guest *guest, const char *path, char **ret, struct error **err)
{
    _cleanup_error_ struct error *error = NULL;
    *ret = NULL;
    int r = guest_read(guest, path, CONFIG_MAX, ret, NULL, &error);
    return r == 0 || r == -ENOENT || r == -ENOTDIR || r == -EISDIR
               ? 0
               : error_move(err, TAKE_PTR(error));
}

static int set_texts(struct guest_boot_entry *entry, const char *title, const char *options,
                     struct error **err)
{
    entry->title = str_printable(title ? title : "");
    entry->command_line = str_printable(options);
    return entry->title && entry->command_line ? 0 : error_oom(err);
}

/* systemd-boot, or whatever else reads the entries alone. */

/* Where the entries are, and the file system that their paths begin at. */
struct loader {
    struct boot_files *files;
    const char *dir; /* "/efi" */
    struct bls_list list;
};

static void loader_free(struct loader *loader)
{
    bls_list_free(&loader->list);
}
#define _cleanup_loader_ _cleanup_(loader_free)

static int read_entries(struct loader *loader, struct error **err)
{
    static const char *const dirs[] = {"/boot", "/efi", "/boot/efi"};
    for (size_t i = 0; i < ARRAY_SIZE(dirs) && loader->list.count == 0; i++) {
        _cleanup_free_ char *dir = str_printf(err, "%s/loader/entries", dirs[i]);
        loader->dir = dirs[i];
        int r = dir ? bls_read_dir(loader->files->guest, dir, &loader->list, err) : -ENOMEM;
        if (r < 0)
            return r;
    }
    return 0;
}

/* The pattern behind "default" in loader.conf; *ret NULL: there is none. */
static int read_pattern(struct loader *loader, char **ret, struct error **err)
{
    static const char *const paths[] = {"/boot/loader/loader.conf", "/efi/loader/loader.conf",
                                        "/boot/efi/loader/loader.conf"};
    _cleanup_free_ char *text = NULL;
    int r = 0;
    for (size_t i = 0; r == 0 && !text && i < ARRAY_SIZE(paths); i++)
        r = read_text(loader->files->guest, paths[i], &text, err);
    for (char *next = text; r == 0 && next;) {
        char *line = str_strip(strsep(&next, "\n"));
        if (str_starts(line, "default ") || str_starts(line, "default\t"))
            r = str_replace(ret, str_strip(line + strlen("default")), err);
    }
    return r;
}

/* Other programs of the firmware are entries as well, and may be what is started. */
static int refuse_programs(struct loader *loader, struct error **err)
{
    static const char *const dirs[] = {"/boot/EFI/Linux", "/efi/EFI/Linux", "/boot/efi/EFI/Linux"};
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
        _cleanup_grub_found_ struct grub_found found = {0};
        int r = boot_files_stat(loader->files, dirs[i], &found, NULL);
        if (r == 0 && found.kind == GRUB_DIRECTORY)
            return error_set(err, EOPNOTSUPP,
                             "the boot loader may start a program in %s, which "
                             "is not read here",
                             dirs[i]);
    }
    return 0;
}

static bool is_ours(const struct bls_entry *entry)
{
    return (*entry->kernel || *entry->efi) &&
           (!*entry->architecture || strcasecmp(entry->architecture, "x64") == 0);
}

static bool matches(const char *pattern, const struct bls_entry *entry)
{
    _cleanup_free_ char *file = str_printf(NULL, "%s.conf", entry->id);
    return fnmatch(pattern, entry->id, 0) == 0 || (file && fnmatch(pattern, file, 0) == 0);
}

static const struct bls_entry *choose(struct loader *loader, const char *pattern)
{
    const struct bls_entry *first = NULL;
    if (loader->list.count > 0)
        qsort(loader->list.items, loader->list.count, sizeof(*loader->list.items), bls_compare);
    for (size_t i = 0; i < loader->list.count; i++) {
        const struct bls_entry *entry = &loader->list.items[i];
        if (!is_ours(entry))
            continue;
        if (pattern && matches(pattern, entry))
            return entry;
        first = first ? first : entry;
    }
    return first;
}

/* Only GRUB knows variables, and without its configuration they have no values. */
static int refuse_variables(const struct bls_entry *entry, struct error **err)
{
    bool any = strchr(entry->options, '$') || strchr(entry->kernel, '$');
    for (size_t i = 0; i < entry->initrds.count; i++)
        any = any || strchr(entry->initrds.items[i], '$');
    return any ? error_set(err, EOPNOTSUPP,
                           "the boot entry %s has variables of GRUB, whose "
                           "configuration was not found",
                           entry->id)
               : 0;
}

static int locate(struct loader *loader, const char *path, const char *what, char **ret,
                  struct error **err)
{
    _cleanup_grub_found_ struct grub_found found = {0};
    int r = boot_files_guess(loader->files, loader->dir, path, &found, err);
    if (r < 0)
        return r;
    if (found.kind != GRUB_FILE)
        return error_set(err, ENOENT, "%s of the default boot entry, %s, does not exist", what,
                         path);
    *ret = TAKE_PTR(found.path);
    return 0;
}

static int boot_entry(struct loader *loader, const struct bls_entry *entry,
                      struct guest_boot_entry *ret, struct error **err)
{
    if (!*entry->kernel)
        return error_set(err, ENOENT, "the default boot entry, %s, is no Linux: it runs %s",
                         entry->id, entry->efi);
    int r = refuse_variables(entry, err);
    if (r == 0)
        r = locate(loader, entry->kernel, "the kernel", &ret->kernel, err);
    for (size_t i = 0; r == 0 && i < entry->initrds.count; i++) {
        char *initrd = NULL;
        r = locate(loader, entry->initrds.items[i], "an initrd", &initrd, err);
        if (r == 0)
            r = strv_take(&ret->initrds, initrd, err);
    }
    const char *title = *entry->title ? entry->title : entry->id;
    return r < 0 ? r : set_texts(ret, title, entry->options, err);
}

static int boot_loader(struct boot_files *files, struct guest_boot_entry *ret, struct error **err)
{
    _cleanup_loader_ struct loader loader = {.files = files};
    _cleanup_free_ char *pattern = NULL;
    int r = read_entries(&loader, err);
    if (r == 0 && loader.list.count > 0)
        r = read_pattern(&loader, &pattern, err);
    if (r == 0 && loader.list.count > 0)
        r = refuse_programs(&loader, err);
    if (r < 0)
        return r;
    const struct bls_entry *entry = choose(&loader, pattern);
    if (entry)
        return boot_entry(&loader, entry, ret, err);
    error_set(err, ENOENT, "the guest has no boot configuration that can be read");
    return error_hint(err, "looked for /boot/grub2/grub.cfg, /boot/grub/grub.cfg and "
                           "/boot/loader/entries");
}

/* GRUB. */

static int host_read(void *context, const char *path, char **ret, struct error **err)
{
    struct boot_files *files = context;
    return guest_read(files->guest, path, CONFIG_MAX, ret, NULL, err);
}

static int host_list_bls(void *context, const char *dir, struct bls_list *ret, struct error **err)
{
    struct boot_files *files = context;
    int r = bls_read_dir(files->guest, dir, ret, err);
    if (r == 0 && ret->count > 0)
        qsort(ret->items, ret->count, sizeof(*ret->items), bls_compare_by_id);
    return r;
}

static int boot_grub(struct boot_files *files, const char *path, const char *text,
                     struct guest_boot_entry *ret, struct error **err)
{
    const struct grub_host host = {.find = boot_files_find,
                                   .read = host_read,
                                   .find_device = boot_files_find_device,
                                   .uuid = boot_files_uuid,
                                   .list_bls = host_list_bls,
                                   .context = files};
    _cleanup_grub_boot_ struct grub_boot boot = {0};
    _cleanup_free_ char *device = NULL, *place = NULL;
    int r = boot_files_place(files, path, &device, &place, err);
    if (r == 0)
        r = grub_script_default(text, device, place, &host, &boot, err);
    if (r < 0)
        return error_wrap(err, "%s in the guest", path);
    ret->kernel = TAKE_PTR(boot.kernel);
    ret->initrds = boot.initrds;
    boot.initrds = (struct strv){0};
    return set_texts(ret, boot.title, boot.command_line, err);
}

/* GRUB for UEFI may have its configuration beside itself. */
struct beside {
    char *path;
    unsigned count;
    bool failed;
};

static int note_directory(void *context, const char *name, mode_t type)
{
    (void)type;
    struct beside *beside = context;
    if (strcasecmp(name, "BOOT") == 0)
        return 0;
    beside->count++;
    free(beside->path);
    beside->path = str_printf(NULL, "/boot/efi/EFI/%s/grub.cfg", name);
    beside->failed = beside->failed || !beside->path;
    return 0;
}

/* *ret_path NULL: there is none, or it cannot be told which. */
static int find_beside(struct guest *guest, char **ret_path, char **ret_text, struct error **err)
{
    _cleanup_error_ struct error *error = NULL;
    struct beside beside = {0};
    int r = guest_list(guest, "/boot/efi/EFI", note_directory, &beside, &error);
    _cleanup_free_ char *path = beside.path;
    if (beside.failed)
        return error_oom(err);
    if (r == -EOPNOTSUPP || r == -ENOMEM)
        return error_move(err, TAKE_PTR(error));
    if (r < 0 || beside.count != 1)
        return 0;
    r = read_text(guest, path, ret_text, err);
    if (r == 0 && *ret_text)
        *ret_path = TAKE_PTR(path);
    return r;
}

static int find_grub(struct guest *guest, char **ret_path, char **ret_text, struct error **err)
{
    static const char *const paths[] = {"/boot/grub2/grub.cfg", "/boot/grub/grub.cfg"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        int r = read_text(guest, paths[i], ret_text, err);
        if (r < 0)
            return r;
        if (*ret_text)
            return str_replace(ret_path, paths[i], err);
    }
    return find_beside(guest, ret_path, ret_text, err);
}

static int find_default(struct guest *guest, struct guest_boot_entry *entry, struct error **err)
{
    _cleanup_boot_files_ struct boot_files files = {0};
    _cleanup_free_ char *path = NULL, *text = NULL;
    int r = boot_files_read(guest, &files, err);
    if (r == 0)
        r = find_grub(guest, &path, &text, err);
    if (r < 0)
        return r;
    return path ? boot_grub(&files, path, text, entry, err) : boot_loader(&files, entry, err);
}

int guest_boot_default(struct guest *guest, struct guest_boot_entry *ret, struct error **err)
{
    _cleanup_guest_boot_entry_ struct guest_boot_entry entry = {0};
    int r = find_default(guest, &entry, err);
    if (r < 0)
        return r;
    *ret = entry;
    entry = (struct guest_boot_entry){0};
    return 0;
}

void guest_boot_entry_free(struct guest_boot_entry *entry)
{
    free(entry->title);
    free(entry->kernel);
    strv_free(&entry->initrds);
    free(entry->command_line);
    *entry = (struct guest_boot_entry){0};
}
