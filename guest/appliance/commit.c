/* Writing what the appliance's overlays hold into the images: image/commit.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/checked.h"
#include "guest/appliance/appliance.h"
#include "guest/ext_state.h"
#include "image/commit.h"
#include "image/nbd.h"
#include "image/qcow2.h"

/* One disk's commit, and what it needs. */
struct drive_commit {
    struct block *disk, *overlay;
    struct commit_source source;
    struct commit_guard *guards;
    size_t guard_count;
    struct commit *commit;
};

static void release(struct drive_commit *work)
{
    commit_free(work->commit);
    for (size_t i = 0; i < work->guard_count; i++)
        free(work->guards[i].bytes);
    free(work->guards);
    block_close(work->overlay);
    block_close(work->disk);
}

static int duplicate(int fd, const char *name, struct error **err)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? error_sys(err, errno, "%s: cannot duplicate a descriptor", name) : copy;
}

/* For writing. What is below the overlay is the image with its own backing files. */
static int open_disk(const struct appliance_drive *drive, struct block **ret, struct error **err)
{
    const struct nbd_options server = {.writable = true, .caller_locks = true};
    struct image_chain chain = {0};
    if (drive->chain.layers[1].format == IMAGE_RAW) {
        int fd = duplicate(drive->image_fd, drive->path, err);
        return fd < 0 ? fd : block_from_fd(fd, drive->path, true, ret, err);
    }
    int r = image_chain_copy(&drive->chain, &chain, err);
    if (r < 0)
        return r;
    image_chain_uncover(&chain);
    return nbd_block_open(&chain, &server, ret, err);
}

/* The overlay by itself: only what it has is asked for. */
static int open_overlay(const struct appliance_drive *drive, struct block **ret, struct error **err)
{
    struct block *nothing;
    int fd = memfd_create("nothing", MFD_CLOEXEC);
    if (fd < 0)
        return error_sys(err, errno, "cannot create a file in memory");
    int r = block_from_fd(fd, "nothing", false, &nothing, err);
    if (r < 0)
        return r;
    fd = duplicate(drive->overlay_fd, "overlay", err);
    if (fd < 0) {
        block_close(nothing);
        return fd;
    }
    return qcow2_open(fd, "overlay", nothing, ret, err);
}

static int next_run(void *context, uint64_t from, struct commit_run *ret, struct error **err)
{
    return qcow2_next_own(context, from, &ret->offset, &ret->length, &ret->zero, err);
}

/* In pieces of one cluster. */
static int add_guard(struct drive_commit *work, uint64_t offset, const uint8_t *bytes, size_t size,
                     struct error **err)
{
    const uint64_t cluster = 4096;
    while (size > 0) {
        size_t count = (size_t)min_u64(size, cluster - offset % cluster);
        struct commit_guard *guards =
            reallocarray(work->guards, work->guard_count + 1, sizeof(*guards));
        if (!guards)
            return error_oom(err);
        work->guards = guards;
        struct commit_guard guard = {.offset = offset, .size = count, .bytes = malloc(count)};
        if (!guard.bytes)
            return error_oom(err);
        memcpy(guard.bytes, bytes, count);
        guards[work->guard_count++] = guard;
        offset += count;
        bytes += count;
        size -= count;
    }
    return 0;
}

/* Every ext file system that lies on this disk as such: what is within LVM, LUKS or RAID has no
 * place here that is known, and the undo journal alone. */
static int add_guards(const struct appliance *appliance, unsigned disk, struct drive_commit *work,
                      struct error **err)
{
    uint8_t super[EXT_SUPER_SIZE];
    int r = 0;
    for (size_t i = 0; r == 0 && i < appliance->volumes.count; i++) {
        const struct volume *volume = &appliance->volumes.items[i];
        uint64_t at;
        if (volume->disk != disk || strcmp(volume->type, "ext") != 0 ||
            !checked_add(volume->offset, EXT_SUPER_OFFSET, &at) ||
            !range_within(at, sizeof(super), work->disk->size))
            continue;
        r = block_pread(work->disk, super, sizeof(super), at, err);
        ext_state_guard(super);
        if (r == 0)
            r = add_guard(work, at, super, sizeof(super), err);
    }
    return r;
}

/* No other process took it in between: the readers' lock becomes a writer's. */
static int prepare(const struct appliance *appliance, unsigned disk, struct drive_commit *work,
                   struct error **err)
{
    const struct appliance_drive *drive = &appliance->drives[disk];
    int r = appliance->lock ? image_lock(drive->image_fd, true, drive->path, err) : 0;
    if (r == 0)
        r = open_disk(drive, &work->disk, err);
    if (r == 0)
        r = open_overlay(drive, &work->overlay, err);
    if (r == 0)
        r = add_guards(appliance, disk, work, err);
    if (r < 0)
        return r;
    work->source = (struct commit_source){next_run, work->overlay, work->overlay};
    const struct commit_options options = {
        .image = drive->path,
        .format = drive->format,
        .guards = work->guards,
        .guard_count = work->guard_count,
    };
    return commit_prepare(work->disk, &work->source, &options, &work->commit, err);
}

static int commit_drives(struct appliance *appliance, struct error **err)
{
    size_t count = appliance->drive_count;
    _cleanup_free_ struct drive_commit *works = calloc(count, sizeof(*works));
    _cleanup_free_ struct commit **commits = calloc(count, sizeof(struct commit *));
    int r = works && commits ? 0 : error_oom(err);
    for (unsigned i = 0; r == 0 && i < count; i++) {
        r = prepare(appliance, i, &works[i], err);
        commits[i] = works[i].commit;
    }
    if (r == 0) {
        r = commit_all(commits, count, err);
    } else {
        /* Those that are prepared have their journals. */
        for (size_t i = 0; commits && i < count; i++)
            if (commits[i])
                commit_roll_back(commits[i], NULL);
    }
    for (size_t i = 0; works && i < count; i++)
        release(&works[i]);
    return r;
}

int appliance_commit(struct guest *guest, struct error **err)
{
    struct appliance *appliance = appliance_of(guest);
    if (appliance->staging == GUEST_THROW_AWAY)
        return 0;
    int r = appliance_unmount_all(appliance, err);
    if (r == 0)
        r = appliance_check_outcome(appliance, err);
    if (r < 0 || appliance->staging == GUEST_IN_PLACE)
        return r;
    /* With its end, the appliance has written everything into the layers. */
    if (guestfs_shutdown(appliance->handle) < 0)
        return appliance_fail(appliance, err);
    appliance_stop_servers(appliance);
    return commit_drives(appliance, err);
}
