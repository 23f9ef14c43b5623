/* The appliance engine's look at the state of ext file systems: guest/ext_state.h. */
#include <string.h>

#include "base/endian.h"
#include "guest/appliance/appliance.h"
#include "guest/ext_state.h"

static const struct volume *find_volume(const struct appliance *appliance, const char *device)
{
    for (size_t i = 0; i < appliance->volumes.count; i++)
        if (strcmp(appliance->volumes.items[i].device, device) == 0)
            return &appliance->volumes.items[i];
    return NULL;
}

/* Whether what is mounted may be ext: libguestfs's inspection has names of its own for devices. */
static bool may_be_ext(const struct volume *volume, const char *device)
{
    return volume ? strcmp(volume->type, "ext") == 0 : device[0] == '/';
}

/* As the device holds it now. What is no ext file system is in order here. */
static int check_device(struct appliance *appliance, const char *device, struct error **err)
{
    struct {
        le16_t magic, state;
    } mark;
    size_t size;
    _cleanup_free_ char *bytes =
        guestfs_pread_device(appliance->handle, device, sizeof(mark), EXT_MAGIC_OFFSET, &size);
    if (!bytes)
        return appliance_fail(appliance, err);
    if (size < sizeof(mark))
        return 0;
    memcpy(&mark, bytes, sizeof(mark));
    if (le16_get(mark.magic) != EXT_MAGIC)
        return 0;
    return ext_state_check(le16_get(mark.state), appliance->guest.path, device, err);
}

int appliance_check_states(struct appliance *appliance, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && appliance->guest.writable && i < appliance->mount_count; i++) {
        const char *device = appliance->mounts[i].device;
        const struct volume *volume = find_volume(appliance, device);
        if (!may_be_ext(volume, device))
            continue;
        /* To read a device takes a program in the appliance. */
        r = volume ? ext_state_check(volume->ext_state, appliance->guest.path, device, err)
                   : check_device(appliance, device, err);
    }
    return r;
}

int appliance_check_outcome(struct appliance *appliance, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < appliance->mount_count; i++) {
        const char *device = appliance->mounts[i].device;
        if (may_be_ext(find_volume(appliance, device), device))
            r = check_device(appliance, device, err);
    }
    return r < 0 ? error_wrap(err, "the appliance's kernel found errors while it made the changes")
                 : 0;
}
