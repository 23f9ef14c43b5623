#include "cli/boot_seed.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/quote.h"
#include "datasource/nocloud.h"
#include "vmm/results.h"

/* In the background, as cloud-init's last stage waits for its scripts, and is what is waited for
 * here. systemd does not kill it (KillMode=process of cloud-final.service). The port is found by
 * its name in sysfs: links in /dev/virtio-ports are udev's, which not every guest has. */
static const char waiting[] =
    "find_port() {\n"
    "    for entry in /sys/class/virtio-ports/*; do\n"
    "        [ \"$(cat \"$entry/name\" 2>/dev/null)\" = " RESULTS_PORT " ] || continue\n"
    "        port=/dev/${entry##*/}\n"
    "        [ -c \"$port\" ] && return 0\n"
    "    done\n"
    "    return 1\n"
    "}\n"
    "send() {\n"
    "    size=$(wc -c <\"$2\") || return\n"
    "    { printf '%s %d\\n' \"$1\" \"$size\"; cat \"$2\"; echo; } >&3\n"
    "}\n"
    "tell() {\n"
    "    find_port || { modprobe virtio_console; sleep 2; find_port; } || exit 0\n"
    "    exec 3>\"$port\" || exit 0\n"
    "    printf '" /* the header comes here */;

static const char telling[] =
    "\\n' >&3\n"
    "    work=$(mktemp -d /run/kiln.XXXXXX || mktemp -d) || exit 0\n"
    "    until [ -e /run/cloud-init/result.json ]; do sleep 1; done\n"
    "    cp -L /run/cloud-init/status.json \"$work/status\" && send status \"$work/status\"\n"
    "    grep -hE '\\[(WARNING|ERROR|CRITICAL)\\]|- (WARNING|ERROR|CRITICAL) -' "
    "/var/log/cloud-init.log | head -n 20 | head -c 20000 >\"$work/log\"\n"
    "    send log \"$work/log\"\n"
    "    if [ -n \"$command\" ]; then\n"
    "        sh -c \"$command\" 3>&- >\"$work/all-out\" 2>\"$work/all-err\"\n"
    "        echo $? >\"$work/exit\"\n"
    "        head -c 1048576 \"$work/all-out\" >\"$work/stdout\"\n"
    "        head -c 1048576 \"$work/all-err\" >\"$work/stderr\"\n"
    "        for section in exit stdout stderr; do send $section \"$work/$section\"; done\n"
    "    fi\n"
    "    printf 'end 0\\n\\n' >&3\n"
    "    rm -rf \"$work\"\n"
    "}\n"
    "cd /\n"
    "export HOME=/root\n"
    "tell </dev/null >/dev/null 2>&1 &\n";

static char *make_script(const char *command, struct error **err)
{
    struct str script = {0};
    str_append(&script, "#!/bin/sh\n# Reports to kiln boot how cloud-init ended.\ncommand=");
    quote_shell(&script, command ? command : "");
    str_append(&script, "\n");
    str_append(&script, waiting);
    /* Without the newline, which printf is to write. */
    str_append_n(&script, RESULTS_HEADER, sizeof(RESULTS_HEADER) - 2);
    str_append(&script, telling);
    return str_take(&script, err);
}

int boot_seed_copy(const char *path, const char *command, struct error **err)
{
    _cleanup_nocloud_seed_ struct nocloud_seed seed = {0};
    _cleanup_free_ char *script = make_script(command, err);
    if (!script)
        return -ENOMEM;
    int r = nocloud_read_iso(path, &seed, err);
    if (r == 0)
        r = nocloud_add_vendor_script(&seed, "kiln-results", script, err);
    if (r < 0)
        return r;
    _cleanup_close_ int fd = memfd_create("seed", MFD_CLOEXEC);
    if (fd < 0)
        return error_sys(err, errno, "cannot create a file in memory");
    r = nocloud_write_iso(&seed, fd, path, err);
    return r < 0 ? r : TAKE_FD(fd);
}
