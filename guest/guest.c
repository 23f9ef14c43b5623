#include "guest/guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/engine.h"

static const char *const engine_names[] = {
    [GUEST_ENGINE_AUTO] = "auto",
    [GUEST_ENGINE_NATIVE] = "native",
    [GUEST_ENGINE_APPLIANCE] = "appliance",
};

const char *guest_engine_name(enum guest_engine engine)
{
    return engine_names[engine];
}

int guest_engine_parse(const char *name, enum guest_engine *ret, struct error **err)
{
    for (size_t i = 0; i < ARRAY_SIZE(engine_names); i++)
        if (strcmp(name, engine_names[i]) == 0) {
            *ret = (enum guest_engine)i;
            return 0;
        }
    return error_set(err, EINVAL, "unknown engine '%s': auto, native or appliance", name);
}

/* An engine may have something to add. */
static int with_reason(struct guest *guest, const char *reason, struct guest **ret,
                       struct error **err)
{
    const char *remark = guest->reason;
    char *whole = str_printf(err, "%s%s%s", reason, remark ? "; " : "", remark ? remark : "");
    free(guest->reason);
    guest->reason = whole;
    if (!whole) {
        guest_discard(guest);
        return -ENOMEM;
    }
    *ret = guest;
    return 0;
}

static int start_appliance(const char *path, const struct guest_open_options *options,
                           struct guest **ret, struct error **err)
{
    if (options->give_name)
        path = options->give_name(options->give_name_context, err);
    return path ? appliance_open(path, options, ret, err) : error_wrap(err, "the disk has no name");
}

static int open_appliance(const char *path, const struct guest_open_options *options,
                          const char *reason, struct guest **ret, struct error **err)
{
    struct guest *guest;
    report(options->reporter, REPORT_DEBUG, "%s: starting the appliance: %s", path, reason);
    int r = start_appliance(path, options, &guest, err);
    if (r < 0)
        return error_wrap(err, "the appliance engine is needed (%s)", reason);
    return with_reason(guest, reason, ret, err);
}

/* What the native engine lacks of what is asked, as the reason for another one; NULL: nothing. */
static const char *native_lack(const struct guest_open_options *options)
{
    static const struct {
        unsigned capability;
        const char *reason;
    } reasons[] = {
        {GUEST_CAN_RUN, "programs of the guest must run"},
        {GUEST_CAN_NETWORK, "the guest must reach the network"},
        {GUEST_CAN_MOUNT, "the guest must be mounted on the host"},
        {GUEST_CAN_RENEW | GUEST_CAN_RENEW_FS, "file systems must get new identities"},
    };
    unsigned lacking = options->capabilities & ~native_capabilities;
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
        if (lacking & reasons[i].capability)
            return reasons[i].reason;
    if (options->drive_count > 0)
        return "the guest has several disks";
    return options->mount_options ? "mount options were given" : NULL;
}

static int open_auto(const char *path, const struct guest_open_options *options, struct guest **ret,
                     struct error **err)
{
    const char *lack = native_lack(options);
    if (lack)
        return open_appliance(path, options, lack, ret, err);

    struct guest_opening opening;
    int r = native_open(path, options, &opening, err);
    if (r < 0)
        return r;
    if (opening.guest)
        return with_reason(opening.guest, "all file systems can be edited in-process", ret, err);
    _cleanup_free_ char *reason = opening.lack;
    return open_appliance(path, options, reason, ret, err);
}

static int open_native(const char *path, const struct guest_open_options *options,
                       struct guest **ret, struct error **err)
{
    struct guest_opening opening = {0};
    const char *lack = native_lack(options);
    int r = lack ? 0 : native_open(path, options, &opening, err);
    if (r < 0)
        return r;
    if (opening.guest)
        return with_reason(opening.guest, "asked for", ret, err);
    _cleanup_free_ char *reason = opening.lack;
    error_set(err, EOPNOTSUPP, "%s: the native engine cannot serve this: %s", path,
              reason ? reason : lack);
    return error_hint(err, "use --engine appliance");
}

int guest_open(const char *path, const struct guest_open_options *options, struct guest **ret,
               struct error **err)
{
    struct guest *guest;
    int r;
    if (options->staging != GUEST_IN_PLACE && !options->writable)
        return error_set(err, EINVAL, "%s: is opened for reading only, and nothing can be staged",
                         path);
    switch (options->resources.engine) {
    case GUEST_ENGINE_NATIVE:
        return open_native(path, options, ret, err);
    case GUEST_ENGINE_APPLIANCE:
        r = start_appliance(path, options, &guest, err);
        return r < 0 ? r : with_reason(guest, "asked for", ret, err);
    case GUEST_ENGINE_AUTO:
        break;
    }
    return open_auto(path, options, ret, err);
}

bool guest_is_complete(const struct guest *guest)
{
    return guest->unserved.count == 0;
}

const char *guest_engine_used(const struct guest *guest)
{
    return guest->ops->name;
}

const char *guest_engine_reason(const struct guest *guest)
{
    return guest->reason;
}

int guest_close(struct guest *guest, struct error **err)
{
    int r = guest->writable ? guest_sync(guest, err) : 0;
    if (r == 0 && guest->writable && guest->ops->commit)
        r = guest->ops->commit(guest, err);
    guest_discard(guest);
    return r;
}

void guest_discard(struct guest *guest)
{
    if (!guest)
        return;
    free(guest->path);
    free(guest->reason);
    strv_free(&guest->unserved);
    guest->path = guest->reason = NULL;
    guest->ops->close(guest);
}

void guest_root_free(struct guest_root *root)
{
    free(root->device);
    free(root->fs);
    free(root->uuid);
    *root = (struct guest_root){0};
}
