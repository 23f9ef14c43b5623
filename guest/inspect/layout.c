/* What is mounted by type below the root: systemd-gpt-auto-generator(8) as of systemd 252 to 256
 * (src/gpt-auto-generator, src/shared/dissect-image.c). */
#include "guest/inspect/layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "guest/inspect/cmdline.h"
#include "guest/inspect/inspect.h"
#include "guest/inspect/layout_parts.h"
#include "guest/inspect/machine_uuid.h"

#define MACHINE_ID_MAX 64

bool layout_names(const struct fstab *fstab, const char *dir)
{
    size_t length = strlen(dir);
    for (size_t i = 0; i < fstab->count; i++) {
        const char *at = fstab->items[i].dir;
        if (strncmp(at, dir, length) == 0 && at[length + strspn(at + length, "/")] == '\0')
            return true;
    }
    return false;
}

enum part_role layout_role(const struct volume *volume)
{
    const struct part_type *type = part_type_find(volume->part_type);
    return type ? type->role : ROLE_NONE;
}

/* The first partition of the root's disk with that role; NULL where there is none. */
static const struct volume *find_role(const struct layout *layout, enum part_role role)
{
    for (size_t i = 0; i < layout->volumes->count; i++) {
        const struct volume *volume = &layout->volumes->items[i];
        if (volume->disk == layout->root->disk && layout_role(volume) == role &&
            !(volume->part_attributes & PART_NO_AUTO))
            return volume;
    }
    return NULL;
}

bool layout_has_verity(const struct volumes *volumes, const struct volume *root)
{
    for (size_t i = 0; i < volumes->count; i++)
        if (volumes->items[i].disk == root->disk &&
            layout_role(&volumes->items[i]) == ROLE_ROOT_VERITY)
            return layout_role(root) == ROLE_ROOT;
    return false;
}

static int find_any(void *context, const char *name, mode_t type)
{
    (void)context, (void)name, (void)type;
    return -EEXIST;
}

/* Whether the generator mounts there: on an empty directory, and on one that it has to make. */
static bool is_free(const struct layout *layout, const char *dir)
{
    struct guest_stat st;
    int r = guest_stat(layout->guest, dir, true, &st, NULL);
    if (r < 0)
        return r == -ENOENT;
    return S_ISDIR(st.mode) && guest_list(layout->guest, dir, find_any, NULL, NULL) == 0;
}

/* systemd takes a generator away where a file of its name in /etc leads to /dev/null or is empty
 * (systemd.generator(7)). */
static bool has_generator(struct guest *guest)
{
    static const char *const paths[] = {
        "/usr/lib/systemd/system-generators/systemd-gpt-auto-generator",
        "/lib/systemd/system-generators/systemd-gpt-auto-generator"};
    static const char own[] = "/etc/systemd/system-generators/systemd-gpt-auto-generator";
    struct guest_stat st;
    if (guest_stat(guest, own, false, &st, NULL) == 0)
        return S_ISREG(st.mode) && st.size > 0;
    return guest_exists(guest, paths[0]) || guest_exists(guest, paths[1]);
}

static int is_switched_off(const char *command_line, bool *ret, struct error **err)
{
    _cleanup_free_ char *value = NULL;
    int r = cmdline_value(command_line, "systemd.gpt_auto", &value, err);
    *ret = value && cmdline_is_false(value);
    return r;
}

static int mount_role(struct layout *layout, enum part_role role, const char *dir,
                      struct error **err)
{
    const struct volume *volume = find_role(layout, role);
    if (!volume || layout_names(layout->fstab, dir) || !is_free(layout, dir))
        return 0;
    const struct layout_mount mount = {
        .dir = dir, .spec = volume->device, .why = "by the type of its partition"};
    return layout->mount(layout->context, &mount, err);
}

/* /var belongs to one machine: the partition's UUID is derived from the machine id. */
static int mount_var(struct layout *layout, struct error **err)
{
    const struct volume *volume = find_role(layout, ROLE_VAR);
    _cleanup_free_ char *id = NULL;
    char uuid[37];
    if (!volume ||
        guest_read(layout->guest, "/etc/machine-id", MACHINE_ID_MAX, &id, NULL, NULL) < 0)
        return 0;
    int r = machine_uuid(str_strip(id), PART_VAR_GUID, uuid, err);
    if (r < 0 || r == 0 || strcmp(uuid, volume->part_uuid) != 0)
        return r < 0 ? r : 0;
    return mount_role(layout, ROLE_VAR, "/var", err);
}

/* The EFI system partition comes on /boot where nothing else does, else on /efi. */
static int mount_boot(struct layout *layout, struct error **err)
{
    bool apart = find_role(layout, ROLE_XBOOTLDR);
    if (apart) {
        int r = mount_role(layout, ROLE_XBOOTLDR, "/boot", err);
        return r < 0 ? r : mount_role(layout, ROLE_ESP, "/efi", err);
    }
    bool boot = guest_is_dir(layout->guest, "/boot") && is_free(layout, "/boot") &&
                !layout_names(layout->fstab, "/boot");
    return mount_role(layout, ROLE_ESP, boot ? "/boot" : "/efi", err);
}

static int mount_by_type(struct layout *layout, const char *command_line, struct error **err)
{
    static const struct {
        enum part_role role;
        const char *dir;
    } places[] = {{ROLE_HOME, "/home"}, {ROLE_SRV, "/srv"}, {ROLE_TMP, "/var/tmp"}};
    bool off;
    int r = is_switched_off(command_line, &off, err);
    if (r < 0 || off || !has_generator(layout->guest))
        return r;
    r = mount_var(layout, err);
    if (r == 0)
        r = mount_boot(layout, err);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(places); i++)
        r = mount_role(layout, places[i].role, places[i].dir, err);
    return r;
}

/* The command line costs reading the boot loader's configuration; "" where none can be read. */
static int read_command_line(struct layout *layout, char **ret, struct error **err)
{
    _cleanup_guest_boot_entry_ struct guest_boot_entry entry = {0};
    struct error *error = NULL;
    int r = guest_boot_default(layout->guest, &entry, &error);
    if (r == -ENOMEM)
        return error_move(err, error);
    error_free(error);
    return str_replace(ret, r == 0 ? entry.command_line : "", err);
}

/* Whether the disks hold anything that could be mounted and that neither is the root nor is named
 * by fstab. */
static bool has_more(const struct layout *layout)
{
    for (size_t i = 0; i < layout->volumes->count; i++) {
        const struct volume *volume = &layout->volumes->items[i];
        bool named =
            volume == layout->root || *volume->type == '\0' || strcmp(volume->type, "swap") == 0;
        for (size_t j = 0; !named && j < layout->fstab->count; j++)
            named = volumes_find(layout->volumes, layout->fstab->items[j].spec) == volume;
        if (!named)
            return true;
    }
    return false;
}

int layout_mount_all(struct layout *layout, struct error **err)
{
    _cleanup_free_ char *command_line = NULL;
    bool more = has_more(layout);
    int r =
        more ? read_command_line(layout, &command_line, err) : str_replace(&command_line, "", err);
    if (r == 0)
        r = layout_mount_usr(layout, command_line, err);
    return r < 0 || !more ? r : mount_by_type(layout, command_line, err);
}
