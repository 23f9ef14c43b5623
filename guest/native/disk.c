/* The native engine: what concerns whole file systems. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/uuid.h"
#include "guest/ext_state.h"
#include "guest/native/native.h"

/* Types that get no new identity: tools for it are missing, or what is on them is not a guest's
 * own. */
static bool keeps_identity(const struct volume *volume)
{
    static const char *const types[] = {"",         "vfat", "exfat",    "iso9660",
                                        "squashfs", "ntfs", "BitLocker"};
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (strcmp(volume->type, types[i]) == 0)
            return true;
    return false;
}

static struct ext_fs *mounted(const struct native *native, const struct volume *volume)
{
    for (size_t i = 0; i < native->mount_count; i++)
        if (native->mounts[i].volume == volume && native->mounts[i].fs)
            return native->mounts[i].fs;
    return NULL;
}

/* The volume's file system, mounted or not; *ret_own is to be closed then. */
static int open_volume(struct native *native, const struct volume *volume, struct ext_fs **ret,
                       struct ext_fs **ret_own, struct error **err)
{
    *ret = mounted(native, volume);
    if (*ret)
        return 0;
    int r = ext_open(native->block, volume->offset, volume->length, native->guest.writable,
                     volume->device, ret_own, err);
    if (r == 0)
        *ret = *ret_own;
    return r;
}

int native_check_state(const struct native *native, const struct volume *volume,
                       const struct ext_fs *fs, struct error **err)
{
    const char *image = native->guest.path;
    if (!native->guest.writable)
        return 0;
    int r = ext_state_check(volume->ext_state, image, volume->device, err);
    if (r == 0 && ext_damage(fs))
        r = ext_state_refuse(ext_damage(fs), image, volume->device, err);
    return r;
}

static int check_file_system(struct native *native, const struct volume *volume, struct error **err)
{
    if (keeps_identity(volume) || strcmp(volume->type, "swap") == 0)
        return 0;
    if (strcmp(volume->type, "ext") != 0)
        return native_set_lack(native, err, "%s is to get a new UUID, and is %s", volume->device,
                               volume->type);
    struct ext_fs *fs, *own = NULL;
    int r = open_volume(native, volume, &fs, &own, err);
    if (r < 0)
        return r;
    r = native_check_state(native, volume, fs, err);
    const char *blocker = r == 0 ? ext_renew_blocker(fs) : NULL;
    if (blocker)
        r = native_set_lack(native, err, "%s is to get a new UUID: %s", volume->device, blocker);
    ext_close(own);
    return r;
}

/* The other engine cannot open what is encrypted, either. */
static bool may_hold_lvm(const struct volume *volume)
{
    return strcmp(volume->type, "LVM2_member") == 0 ||
           strcmp(volume->type, "linux_raid_member") == 0;
}

int native_check_renew(struct native *native, enum guest_identity what, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && !native->lack && i < native->volumes.count; i++) {
        const struct volume *volume = &native->volumes.items[i];
        if (what == GUEST_FILE_SYSTEM_UUIDS)
            r = check_file_system(native, volume, err);
        else if (may_hold_lvm(volume))
            r = native_set_lack(native, err, "the LVM volumes of %s are to get new UUIDs",
                                volume->device);
    }
    return r;
}

/* Linux swap.h: the header has no checksum. */
static int renew_swap(struct native *native, struct volume *volume, struct error **err)
{
    uint8_t uuid[16];
    const uint64_t uuid_at = 1036;
    int r = uuid_random(uuid, err);
    if (r == 0)
        r = block_pwrite(native->block, uuid, sizeof(uuid), volume->offset + uuid_at, err);
    if (r == 0)
        volume_set_uuid(volume, uuid);
    return r;
}

static int renew_ext(struct native *native, struct volume *volume, struct error **err)
{
    struct ext_fs *fs, *own = NULL;
    uint8_t uuid[16];
    int r = open_volume(native, volume, &fs, &own, err);
    if (r == 0)
        r = ext_renew_uuid(fs, uuid, err);
    if (r == 0)
        volume_set_uuid(volume, uuid);
    if (r == 0 && own)
        r = ext_sync(own, err);
    ext_close(own);
    return r;
}

int native_renew(struct guest *guest, enum guest_identity what, struct error **err)
{
    struct native *native = native_of(guest);
    /* All or nothing, as far as it can be checked before. */
    int r = native_check_renew(native, what, err);
    if (r == 0 && native->lack) {
        error_set(err, EOPNOTSUPP, "%s", native->lack);
        free(TAKE_PTR(native->lack));
        return error_hint(err, "use --engine appliance");
    }
    for (size_t i = 0; r == 0 && what == GUEST_FILE_SYSTEM_UUIDS && i < native->volumes.count;
         i++) {
        struct volume *volume = &native->volumes.items[i];
        if (strcmp(volume->type, "swap") == 0)
            r = renew_swap(native, volume, err);
        else if (strcmp(volume->type, "ext") == 0)
            r = renew_ext(native, volume, err);
    }
    return r;
}

int native_trim(struct guest *guest, uint64_t *ret_freed, struct error **err)
{
    struct native *native = native_of(guest);
    uint64_t freed = 0;
    for (size_t i = 0; i < native->mount_count; i++) {
        const struct native_mount *mount = &native->mounts[i];
        int r = mount->fs && !mount->verity ? ext_trim(mount->fs, &freed, err) : 0;
        if (r < 0)
            return r;
    }
    *ret_freed = freed;
    return 0;
}

/* ext2, ext3 or ext4; "ext" where it cannot be opened. */
static const char *kind_of(struct native *native, const struct volume *volume)
{
    struct ext_fs *fs = mounted(native, volume), *own = NULL;
    if (strcmp(volume->type, "ext") != 0)
        return volume->type;
    if (!fs && ext_open(native->block, volume->offset, volume->length, false, volume->device, &own,
                        NULL) == 0)
        fs = own;
    const char *kind = fs ? ext_kind(fs) : "ext";
    ext_close(own);
    return kind;
}

int native_file_systems(struct guest *guest, struct guest_file_systems *ret, struct error **err)
{
    struct native *native = native_of(guest);
    int r = 0;
    for (size_t i = 0; r == 0 && i < native->volumes.count; i++) {
        struct volume *volume = &native->volumes.items[i];
        const struct guest_file_system item = {
            .device = volume->device,
            .type = (char *)kind_of(native, volume),
            .label = volume->label,
            .uuid = volume->uuid,
            .size = volume->length,
        };
        struct guest_file_system *added = guest_file_systems_add(ret, &item, err);
        r = added ? 0 : -ENOMEM;
        for (size_t j = 0; r == 0 && j < native->mount_count; j++)
            if (native->mounts[j].volume == volume)
                r = strv_add(&added->mount_points, native->mounts[j].dir, err);
    }
    return r;
}
