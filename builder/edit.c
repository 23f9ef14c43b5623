#include "builder/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/outfile.h"
#include "base/secret.h"
#include "builder/edit_guest.h"
#include "image/check.h"
#include "image/copy.h"
#include "image/seal.h"
#include "image/seal_write.h"

void edit_result_free(struct edit_result *result)
{
    free(result->engine);
    free(result->engine_reason);
    guest_info_free(&result->guest);
    strv_free(&result->operations);
    strv_free(&result->programs);
    secret_strv_free(&result->generated_passwords);
    strv_free(&result->changes);
    secret_free(result->difference); /* it may quote a file of keys */
    *result = (struct edit_result){0};
}

/* Every disk of the guest: calls until one fails. */
static int for_each_disk(const struct edit_request *request,
                         int (*call)(const char *path, struct error **err), struct error **err)
{
    int r = call(request->path, err);
    for (size_t i = 0; r == 0 && i < request->drive_count; i++)
        r = call(request->drives[i].path, err);
    return r;
}

static int check_request(const struct edit_request *request, struct error **err)
{
    bool network = request->work.network || request->work.dry_run;
    int r = customize_plan_require(request->work.operations, network, err);
    if (r == 0 && request->work.sysprep)
        r = sysprep_selection_check(request->work.sysprep, request->work.sysprep_settings, err);
    if (r == 0 && !request->work.dry_run && !request->unseal)
        r = for_each_disk(request, seal_check_unsealed, err);
    return r;
}

/* A copy beside the image, which takes its place when all is done. */
struct copy {
    struct outfile *file; /* NULL: the image itself is edited */
    int original;         /* keeps the lock */
    const char *path;     /* where the copy can be opened */
};

static void copy_release(struct copy *copy)
{
    outfile_abort(copy->file);
    if (copy->original >= 0)
        close(copy->original);
}

static int keep_owner(const struct copy *copy, const char *path, struct error **err)
{
    struct stat st, mine;
    int fd = outfile_fd(copy->file);
    if (fstat(copy->original, &st) < 0 || fstat(fd, &mine) < 0)
        return error_sys(err, errno, "%s: cannot be copied", path);
    bool same = st.st_uid == mine.st_uid && st.st_gid == mine.st_gid;
    if ((same || fchown(fd, st.st_uid, st.st_gid) == 0) && fchmod(fd, st.st_mode & 07777) == 0)
        return 0;
    error_sys(err, errno, "%s: a copy of it cannot have its owner and mode", path);
    return error_hint(err, "leave --atomic out, or run this as the image's owner");
}

static int open_original(const char *path, struct error **err)
{
    struct stat st;
    _cleanup_close_ int fd = file_open(path, O_RDWR, 0, err);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        error_set(err, EINVAL, "%s: is no file, so that no copy of it can take its place", path);
        return error_hint(err, "leave --atomic out");
    }
    int r = image_lock(fd, true, path, err);
    return r < 0 ? r : TAKE_FD(fd);
}

/* Checked before the copy is made. */
static int check_original(const struct edit_request *request, enum image_format *ret,
                          struct error **err)
{
    _cleanup_image_chain_ struct image_chain chain = {0};
    int r = image_check_path(request->path, request->format, request->resources.trust, &chain, err);
    if (r == 0)
        r = image_check_writable(&chain, err);
    if (r == 0)
        *ret = chain.layers[0].format;
    return r;
}

/* qcow2 images name others from where they lie, and so must their copies. */
static int name_copy(struct copy *copy, const struct edit_request *request,
                     enum image_format format, struct error **err)
{
    copy->path =
        format == IMAGE_RAW ? outfile_child_path(copy->file) : outfile_give_name(copy->file, err);
    return copy->path ? 0 : error_wrap(err, "%s: cannot be copied", request->path);
}

static int copy_make(const struct edit_request *request, struct copy *copy, struct error **err)
{
    if (request->drive_count > 0) {
        error_set(err, EINVAL, "several disks cannot be replaced all at once");
        return error_hint(err, "leave --atomic out");
    }
    enum image_format format = request->format;
    /* First: a commit that was interrupted is taken back, which takes the lock. */
    int r = check_original(request, &format, err);
    if (r < 0)
        return r;
    copy->original = open_original(request->path, err);
    if (copy->original < 0)
        return copy->original;
    /* It may have been sealed before the lock was taken. */
    r = request->unseal ? 0 : seal_check_unsealed(request->path, err);
    if (r < 0)
        return r;
    /* The file itself is replaced, not a link to it. */
    _cleanup_free_ char *real = realpath(request->path, NULL);
    if (!real)
        return error_sys(err, errno, "%s: cannot be found", request->path);
    r = outfile_open(real, 0600, &copy->file, err);
    if (r == 0)
        r = keep_owner(copy, request->path, err);
    if (r == 0)
        r = copy_file_sparse(copy->original, request->path, outfile_fd(copy->file), real,
                             request->work.reporter, NULL, err);
    return r < 0 ? r : name_copy(copy, request, format, err);
}

static const char *give_copy_name(void *opaque, struct error **err)
{
    return outfile_give_name(((struct copy *)opaque)->file, err);
}

static enum guest_staging choose_staging(const struct edit_request *request,
                                         const struct copy *copy)
{
    if (request->work.dry_run)
        return GUEST_THROW_AWAY;
    return copy->file ? GUEST_IN_PLACE : GUEST_STAGED;
}

static struct guest_open_options open_options(const struct edit_request *request, struct copy *copy)
{
    return (struct guest_open_options){
        .format = request->format,
        .resources = request->resources,
        .writable = true,
        .capabilities = edit_needs(&request->work),
        .lock = true,
        .unseal = request->unseal || request->work.dry_run,
        .give_name = copy->file ? give_copy_name : NULL,
        .give_name_context = copy,
        .drives = request->drives,
        .drive_count = request->drive_count,
        .mount_options = request->mount_options,
        .staging = choose_staging(request, copy),
        .reporter = request->work.reporter,
    };
}

static int check_ahead(const struct edit_request *request, struct error **err)
{
    struct copy none = {.original = -1};
    const struct guest_open_options options = open_options(request, &none);
    int r = edit_check_ahead(request->path, &options, &request->work, err);
    return r < 0 ? error_wrap(err, "%s is unchanged", request->path) : 0;
}

static int open_guest(const struct edit_request *request, struct copy *copy, struct guest **ret,
                      struct error **err)
{
    const struct guest_open_options options = open_options(request, copy);
    int r = guest_open(copy->path ? copy->path : request->path, &options, ret, err);
    if (r == 0)
        report(request->work.reporter, REPORT_DEBUG, "Engine %s: %s", guest_engine_used(*ret),
               guest_engine_reason(*ret));
    return r;
}

/* Makes the changes those of the image. The seal is removed first, so that none can be wrong. */
static int finish(const struct edit_request *request, struct copy *copy, struct guest *guest,
                  struct error **err)
{
    _cleanup_guest_ struct guest *owned = guest;
    if (request->work.dry_run)
        return 0;
    int r = request->unseal ? for_each_disk(request, seal_remove, err) : 0;
    if (r < 0)
        return error_wrap(err, "%s is unchanged", request->path);
    r = guest_close(TAKE_PTR(owned), err);
    if (r == -ETORN)
        return r;
    enum outfile_state state = OUTFILE_ABSENT;
    if (r == 0 && copy->file)
        r = outfile_commit(TAKE_PTR(copy->file), false, &state, err);
    return r < 0 && state == OUTFILE_ABSENT ? error_wrap(err, "%s is unchanged", request->path) : r;
}

static int edit(const struct edit_request *request, struct edit_result *result, struct error **err)
{
    _cleanup_(copy_release) struct copy copy = {.original = -1};
    _cleanup_guest_ struct guest *guest = NULL;
    int r = check_ahead(request, err);
    if (r == 0 && request->atomicity == EDIT_ATOMIC && !request->work.dry_run)
        r = copy_make(request, &copy, err);
    if (r == 0)
        r = open_guest(request, &copy, &guest, err);
    if (r < 0)
        return r;
    r = edit_guest(&guest, &request->work, result, err);
    if (r < 0)
        return error_wrap(err, "%s is unchanged", request->path);
    return finish(request, &copy, TAKE_PTR(guest), err);
}

int edit_image(const struct edit_request *request, struct edit_result *ret, struct error **err)
{
    uint64_t started = clock_now_ms();
    _cleanup_edit_result_ struct edit_result result = {0};
    int r = check_request(request, err);
    if (r == 0)
        r = edit(request, &result, err);
    if (r == 0 && request->seal && !request->work.dry_run)
        r = seal_write(request->path, &result.operations, request->resources.trust, err);
    if (r < 0)
        return r;
    result.duration_ms = clock_now_ms() - started;
    *ret = result;
    result = (struct edit_result){0};
    return 0;
}
