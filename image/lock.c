/*
 * QEMU's image locks, as a running QEMU 7.2 shows them in /proc/PID/fdinfo: a shared lock on byte
 * 100 + n means that permission n is in use, one on byte 200 + n that no other process may have
 * permission n. All locks are shared, so that several holders coexist; a conflict is found by a
 * query for the byte that contradicts ours.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "image/image.h"

enum permission {
    PERM_CONSISTENT_READ = 1 << 0,
    PERM_WRITE = 1 << 1,
    PERM_WRITE_UNCHANGED = 1 << 2,
    PERM_RESIZE = 1 << 3,
};

enum { permission_count = 4, used_base = 100, unshared_base = 200 };

struct lock_set {
    unsigned used;
    unsigned unshared;
};

/* Both modes keep others from writing, as QEMU does for its own disks. Writing includes growing. */
static const struct lock_set read_set = {
    .used = PERM_CONSISTENT_READ,
    .unshared = PERM_WRITE | PERM_RESIZE,
};
static const struct lock_set write_set = {
    .used = PERM_CONSISTENT_READ | PERM_WRITE | PERM_RESIZE,
    .unshared = PERM_WRITE | PERM_RESIZE,
};

static struct flock byte_lock(short type, int byte)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

static int set_bytes(int fd, short type, int base, unsigned bits)
{
    for (int i = 0; i < permission_count; i++) {
        struct flock lock = byte_lock(type, base + i);
        if ((bits & 1u << i) && fcntl(fd, F_OFD_SETLK, &lock) < 0)
            return -errno;
    }
    return 0;
}

static int set_locks(int fd, short type, const struct lock_set *set)
{
    int r = set_bytes(fd, type, used_base, set->used);
    return r < 0 ? r : set_bytes(fd, type, unshared_base, set->unshared);
}

/* *ret: the bits among `bits` on whose byte somebody else has any lock. */
static int held_by_others(int fd, int base, unsigned bits, unsigned *ret)
{
    *ret = 0;
    for (int i = 0; i < permission_count; i++) {
        /* A query for an exclusive lock finds the shared ones. */
        struct flock lock = byte_lock(F_WRLCK, base + i);
        if (!(bits & 1u << i))
            continue;
        if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
            return -errno;
        if (lock.l_type != F_UNLCK)
            *ret |= 1u << i;
    }
    return 0;
}

static int find_conflict(int fd, const struct lock_set *set, unsigned *ret_writers,
                         unsigned *ret_guards)
{
    int r = held_by_others(fd, used_base, set->unshared, ret_writers);
    return r < 0 ? r : held_by_others(fd, unshared_base, set->used, ret_guards);
}

/* Between the opening and the lock, another process may have put a new image in its place: an edit
 * of the old one would be lost. */
static int check_place(int fd, const char *name, struct error **err)
{
    struct stat held, there;
    if (fstat(fd, &held) < 0)
        return error_sys(err, errno, "%s: cannot look at the image", name);
    if (stat(name, &there) < 0 || (held.st_dev == there.st_dev && held.st_ino == there.st_ino))
        return 0;
    error_set(err, EBUSY, "%s: the image was replaced while it was being opened", name);
    return error_hint(err, "run the command again");
}

int image_lock(int fd, bool writable, const char *name, struct error **err)
{
    const struct lock_set *set = writable ? &write_set : &read_set;
    unsigned writers = 0, guards = 0;
    /* First take, then look: of two that start at once at least one sees the other. */
    int r = set_locks(fd, F_RDLCK, set);
    if (r == 0)
        r = find_conflict(fd, set, &writers, &guards);
    if (r == 0 && !writers && !guards)
        return check_place(fd, name, err);
    set_locks(fd, F_UNLCK, set);
    if (r == -EAGAIN || r == -EACCES)
        writers = PERM_WRITE; /* a byte is locked exclusively, which QEMU never does */
    else if (r < 0)
        return error_sys(err, -r, "%s: cannot lock the image", name);
    r = error_set(err, EBUSY, "%s: the image is in use: another process %s", name,
                  writers ? "writes to it" : "reads it and relies on it not to change");
    error_hint(err, "shut down the virtual machine that uses it, or work on a copy");
    return r;
}
