#include "customize/random_seed.h"

#include <string.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/random.h"
#include "guest/text/distro.h"

enum { seed_min = 512, seed_max = 8192 };

/* random-seed files by the systems that read them. */
static const char *const seed_paths[] = {
    "/var/lib/random-seed",         /* Fedora and Red Hat before systemd */
    "/var/lib/systemd/random-seed", /* systemd-random-seed.service(8) */
    "/var/lib/urandom/random-seed", /* Debian before systemd */
    "/var/lib/misc/random-seed",    /* SUSE, Gentoo */
    "/etc/random-seed",             /* CirrOS */
};

static const char systemd_seed[] = "/var/lib/systemd/random-seed";

static int fill(struct guest *guest, const char *path, const struct guest_stat *existing,
                struct error **err)
{
    uint8_t seed[seed_max];
    size_t size = seed_min;
    if (existing)
        size = (size_t)max_u64(seed_min, min_u64(existing->size, seed_max));
    int r = random_bytes(seed, size, err);
    if (r == 0 && existing) {
        r = guest_replace(guest, path, seed, size, err);
    } else if (r == 0) {
        static const struct guest_file_attr attr = {.mode = 0600};
        r = guest_write(guest, path, seed, size, &attr, err);
    }
    explicit_bzero(seed, sizeof(seed));
    return r;
}

static int create(struct customize_context *context, const char *path, bool *done,
                  struct error **err)
{
    _cleanup_free_ char *dir = strndup(path, (size_t)(strrchr(path, '/') - path));
    if (!dir)
        return error_oom(err);
    if (!guest_is_dir(context->guest, dir))
        return 0;
    *done = true;
    return fill(context->guest, path, NULL, err);
}

int random_seed_set(struct customize_context *context, struct error **err)
{
    const struct guest_info *info = context->info;
    if (!info->type || strcmp(info->type, "linux") != 0)
        return 0;
    report(context->reporter, REPORT_INFO, "Setting a random seed");
    bool done = false;
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(seed_paths); i++) {
        struct guest_stat st;
        if (guest_stat(context->guest, seed_paths[i], false, &st, NULL) < 0 || !S_ISREG(st.mode))
            continue;
        r = fill(context->guest, seed_paths[i], &st, err);
        done = true;
    }
    if (r == 0 && !done && info->init && strcmp(info->init, "systemd") == 0)
        r = create(context, systemd_seed, &done, err);
    const char *by_distro = distro_facts_of(info)->random_seed;
    if (r == 0 && !done && by_distro)
        r = create(context, by_distro, &done, err);
    if (r < 0) {
        error_wrap(err, "cannot set a random seed");
        return r;
    }
    if (!done)
        report(context->reporter, REPORT_DEBUG, "The guest has no place for a random seed");
    return 0;
}
