/* The appliance engine's guest in a directory of the host, by FUSE. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/proc.h"
#include "guest/appliance/appliance.h"

struct service {
    guestfs_h *handle;
    int status;
};

/* Serves the directory until it is unmounted. */
static void *serve(void *opaque)
{
    struct service *service = opaque;
    /* It would print each name that is looked up in vain; handlers are those of a thread. */
    guestfs_set_error_handler(service->handle, NULL, NULL);
    service->status = guestfs_mount_local_run(service->handle);
    return NULL;
}

/* After a lazy unmount the kernel goes on with the mount as long as a file of it is open. */
static bool join(pthread_t thread)
{
    enum { limit_s = 30 };
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += limit_s;
    if (pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0)
        return true;
    pthread_detach(thread);
    return false;
}

/* Runs before libguestfs's own handler, which would wait for the lock of the serving thread. */
static void end_now(int status, void *unused)
{
    (void)unused;
    fflush(NULL);
    _exit(status);
}

static int give_up(struct guest *guest, const char *directory, int r, struct error **err)
{
    appliance_of(guest)->abandoned = true;
    on_exit(end_now, NULL);
    if (r < 0)
        return r;
    error_set(err, EBUSY, "%s: a program keeps a file of the guest open", directory);
    return error_hint(err, "let the script wait for the programs that it starts, or end them");
}

/* Programs that were left behind may keep a file open for a while; what is still open then keeps
 * its view, but nothing new is seen in the directory. guestfs_umount_local() would wait for the
 * lock that the serving thread holds. */
static void unmount(const char *directory)
{
    enum { tries = 5, limit_ms = 10000 };
    for (unsigned i = 0; i <= tries; i++) {
        const char *how = i == tries ? "-uz" : "-u";
        const struct proc_options options = {
            .argv = (const char *const[]){"fusermount", how, directory, NULL}, PROC_OPTIONS_INIT};
        if (proc_check(&options, NULL, 0, 0, limit_ms, NULL, NULL) == 0)
            return;
        sleep(1);
    }
}

static int work_mounted(struct guest *guest, const char *directory, guest_work_fn *work,
                        void *context, struct error **err)
{
    /* Not on the stack: the thread may outlive this call. */
    struct service *service = calloc(1, sizeof(*service));
    pthread_t thread;
    if (service)
        service->handle = appliance_handle(guest);
    int r = service ? pthread_create(&thread, NULL, serve, service) : ENOMEM;
    if (r > 0) {
        free(service);
        unmount(directory);
        return error_sys(err, r, "%s: cannot start the thread that serves it", directory);
    }
    r = work(context, directory, err);
    unmount(directory);
    if (!join(thread))
        return give_up(guest, directory, r, err);
    if (r == 0 && service->status < 0)
        r = appliance_fail(appliance_of(guest), err);
    free(service);
    return r;
}

int appliance_mount_on_host(struct guest *guest, const char *directory, guest_work_fn *work,
                            void *context, struct error **err)
{
    if (guestfs_mount_local(appliance_handle(guest), directory, -1) < 0) {
        int r = appliance_fail(appliance_of(guest), err);
        error_wrap(err, "%s: the guest cannot be mounted there", directory);
        error_hint(err,
                   "this needs /dev/fuse, fusermount of the package fuse3, and an empty directory");
        return r;
    }
    return work_mounted(guest, directory, work, context, err);
}
