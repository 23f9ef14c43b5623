/*
 * Running programs of the guest, by way of guestfs_command(): it changes into the guest's root with
 * /dev, /proc and /sys mounted there, and, where the network is on, puts the appliance's
 * /etc/resolv.conf in the place of the guest's for as long as the command runs (libguestfs
 * daemon/sh.c; the guest's own file is renamed and comes back, whatever the command does).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/checked.h"
#include "base/str.h"
#include "guest/appliance/appliance.h"

#define OUTPUT_MAX ((size_t)1 << 20)
#define DIR_PREFIX "/tmp/kiln-run."

/* Architectures whose programs run on another one's processor, in libguestfs's names. */
static bool runs_on(const char *guest, const char *host)
{
    static const struct {
        const char *host, *guest;
    } pairs[] = {{"x86_64", "i386"}, {"aarch64", "arm"}, {"s390x", "s390"}, {"ppc64", "ppc"}};
    if (strcmp(guest, host) == 0 || strcmp(guest, "unknown") == 0)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
        if (strcmp(host, pairs[i].host) == 0 && strcmp(guest, pairs[i].guest) == 0)
            return true;
    return false;
}

int appliance_check_arch(struct appliance *appliance, struct error **err)
{
    struct utsname host;
    const char *guest = appliance->arch;
    /* The appliance has the host's kernel. */
    if (!guest || uname(&host) < 0 || runs_on(guest, host.machine))
        return 0;
    _cleanup_free_ char *shown = str_printable(guest);
    error_set(err, ENOEXEC, "the guest's programs are for %s, and the appliance's processor is %s",
              shown ? shown : "another processor", host.machine);
    return error_hint(err, "use a host of the guest's architecture, or --firstboot");
}

/* The end of a file, with its NULs made visible: the result is a string. */
static int read_end(struct guest *guest, const char *path, char **ret, struct error **err)
{
    guestfs_h *g = appliance_handle(guest);
    int64_t size = guestfs_filesize(g, path);
    if (size < 0)
        return appliance_fail(appliance_of(guest), err);
    uint64_t at = (uint64_t)size > OUTPUT_MAX ? (uint64_t)size - OUTPUT_MAX : 0;
    _cleanup_str_ struct str text = {0};
    while (at < (uint64_t)size) {
        size_t got;
        _cleanup_free_ char *part = guestfs_pread(
            g, path, (int)min_u64((uint64_t)size - at, OUTPUT_MAX), (int64_t)at, &got);
        if (!part)
            return appliance_fail(appliance_of(guest), err);
        if (got == 0)
            break;
        for (size_t i = 0; i < got; i++)
            if (part[i] == '\0')
                part[i] = '?';
        str_append_n(&text, part, got);
        at += got;
    }
    *ret = str_take(&text, err);
    return *ret ? 0 : -ENOMEM;
}

/* The script is a file, and its output another one: neither is limited in size, and what the shell
 * prints is its exit status alone. */
static int run_in(struct guest *guest, const char *dir, const char *script,
                  struct guest_run_result *ret, struct error **err)
{
    guestfs_h *g = appliance_handle(guest);
    _cleanup_free_ char *program = str_printf(err, "%s/script", dir);
    _cleanup_free_ char *output = program ? str_printf(err, "%s/output", dir) : NULL;
    if (!output)
        return -ENOMEM;
    if (guestfs_write(g, program, script, strlen(script)) < 0)
        return appliance_fail(appliance_of(guest), err);
    /* In a shell of its own, so that what the outer one says of its end is not in the output. */
    const char *command = "(exec /bin/sh \"$1\" </dev/null >\"$2\" 2>&1); echo $?";
    const char *argv[] = {"/bin/sh", "-c", command, "sh", program, output, NULL};
    _cleanup_free_ char *said = guestfs_command(g, (char *const *)argv);
    if (!said)
        return appliance_fail(appliance_of(guest), err);
    uint64_t status;
    if (parse_u64(str_strip(said), "exit status", &status, NULL) < 0 || status > 255)
        return error_set(err, EIO, "the guest's shell did not print the program's exit status");
    char *text = NULL;
    int r = read_end(guest, output, &text, err);
    if (r == 0)
        *ret = (struct guest_run_result){.status = (int)status, .output = text};
    return r;
}

int appliance_run(struct guest *guest, const char *script, struct guest_run_result *ret,
                  struct error **err)
{
    guestfs_h *g = appliance_handle(guest);
    struct appliance *appliance = appliance_of(guest);
    /* With /usr on a file system of its own, the root alone does not tell. */
    int r = appliance->arch ? 0 : appliance_find_arch(appliance, err);
    if (r == 0)
        r = appliance_check_arch(appliance, err);
    if (r < 0)
        return r;
    /* For root alone: scripts can hold secrets. */
    _cleanup_free_ char *dir = guestfs_mkdtemp(g, DIR_PREFIX "XXXXXX");
    if (!dir) {
        appliance_fail(appliance_of(guest), err);
        return error_wrap(err, "cannot make a directory in the guest's /tmp");
    }
    r = run_in(guest, dir, script, ret, err);
    if (guestfs_rm_rf(g, dir) < 0 && r == 0) {
        guest_run_result_free(ret);
        r = appliance_fail(appliance_of(guest), err);
    }
    return r < 0 ? error_wrap(err, "programs of the guest cannot be run") : 0;
}
