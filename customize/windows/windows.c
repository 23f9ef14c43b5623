#include "customize/windows/windows.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/fdio.h"

int windows_require(const struct guest_info *info, struct error **err)
{
    const struct guest_windows *windows = info->windows;
    if (windows->trouble)
        return error_set(err, EOPNOTSUPP, "the guest's registry cannot be read: %s",
                         windows->trouble);
    if (windows->control_set && windows->major > 0)
        return 0;
    return error_set(err, EOPNOTSUPP, "the guest's registry has no version of Windows");
}

int windows_explain(int r, struct error **err)
{
    if (r == -EROFS)
        error_hint(err,
                   "Windows keeps its file system mounted while it is hibernated, and with its "
                   "fast startup while it is shut down as well: boot the guest and shut it "
                   "down by: shutdown /s /t 0");
    return r;
}

char *windows_description(const struct guest_info *info, struct error **err)
{
    const struct guest_windows *windows = info->windows;
    _cleanup_free_ char *variant = str_printable(windows->variant);
    if (!variant) {
        error_oom(err);
        return NULL;
    }
    return str_printf(err, "Windows %u.%u%s%s (build %u, %s)", windows->major, windows->minor,
                      *variant ? " " : "", variant, windows->build, info->arch);
}

/* The releases that virtio-win.iso has drivers for. */

enum edition { ANY, CLIENT, SERVER };

static const struct release {
    const char *names[2]; /* of directories */
    unsigned major, minor;
    enum edition edition;
    unsigned build, build_end; /* from build to before build_end; 0: no end */
} releases[] = {
    {{"xp", "winxp"}, 5, 1, ANY, 0, 0},
    {{"2k3", "win2003"}, 5, 2, ANY, 0, 0},
    {{"vista", "winvista"}, 6, 0, CLIENT, 0, 0},
    {{"2k8", "win2008"}, 6, 0, SERVER, 0, 0},
    {{"w7", "win7"}, 6, 1, CLIENT, 0, 0},
    {{"2k8r2", "win2008r2"}, 6, 1, SERVER, 0, 0},
    {{"w8", "win8"}, 6, 2, CLIENT, 0, 0},
    {{"2k12", "win2012"}, 6, 2, SERVER, 0, 0},
    {{"w8.1", "win8.1"}, 6, 3, CLIENT, 0, 0},
    {{"2k12r2", "win2012r2"}, 6, 3, SERVER, 0, 0},
    /* All that came since calls itself 10.0 (learn.microsoft.com: "Windows 11 release information",
     * "Windows Server release information"). */
    {{"w10", "win10"}, 10, 0, CLIENT, 0, 22000},
    {{"w11", "win11"}, 10, 0, CLIENT, 22000, 0},
    {{"2k16", "win2016"}, 10, 0, SERVER, 0, 17763},
    {{"2k19", "win2019"}, 10, 0, SERVER, 17763, 20348},
    {{"2k22", "win2022"}, 10, 0, SERVER, 20348, 26040},
    {{"2k25", "win2025"}, 10, 0, SERVER, 26040, 0},
};

static const struct {
    const char *directory, *arch;
} processors[] = {{"amd64", "x86_64"}, {"x86", "i386"}, {"i386", "i386"}, {"arm64", "aarch64"}};

static bool is_named(const char *part, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(part, name, length) == 0;
}

static bool release_fits(const struct release *release, const struct guest_windows *windows)
{
    bool client = strcasecmp(windows->variant, "Client") == 0;
    if (release->major != windows->major || release->minor != windows->minor ||
        windows->build < release->build ||
        (release->build_end && windows->build >= release->build_end))
        return false;
    return release->edition == ANY || (release->edition == CLIENT) == client;
}

/* Whether the directory is that of a release, and if so, whether of the guest's. */
static bool judge_release(const char *part, size_t length, const struct guest_windows *windows,
                          bool *fits)
{
    for (size_t i = 0; i < ARRAY_SIZE(releases); i++)
        for (size_t j = 0; j < ARRAY_SIZE(releases[i].names); j++)
            if (is_named(part, length, releases[i].names[j])) {
                *fits = release_fits(&releases[i], windows);
                return true;
            }
    return false;
}

static bool judge_processor(const char *part, size_t length, const char *arch, bool *fits)
{
    for (size_t i = 0; i < ARRAY_SIZE(processors); i++)
        if (is_named(part, length, processors[i].directory)) {
            *fits = strcmp(processors[i].arch, arch) == 0;
            return true;
        }
    return false;
}

/* One directory on the way must name the release and one the processor, in either order, and none
 * another one of them. */
bool windows_driver_fits(const struct guest_info *info, const char *path)
{
    bool release = false, processor = false;
    for (const char *part = path; strchr(part, '/'); part = strchr(part, '/') + 1) {
        size_t length = strcspn(part, "/");
        bool fits = true;
        if (judge_release(part, length, info->windows, &fits))
            release = true;
        else if (judge_processor(part, length, info->arch, &fits))
            processor = true;
        if (!fits)
            return false;
    }
    return release && processor;
}

bool windows_agent_fits(const struct guest_info *info, const char *path)
{
    static const struct {
        const char *arch, *name;
    } installers[] = {
        {"i386", "qemu-ga-i386.msi"},  {"i386", "qemu-ga-x86.msi"},
        {"i386", "rhev-qga.msi"},      {"x86_64", "qemu-ga-x86_64.msi"},
        {"x86_64", "qemu-ga-x64.msi"}, {"x86_64", "rhev-qga64.msi"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(installers); i++)
        if (strcmp(installers[i].arch, info->arch) == 0 &&
            strcasecmp(installers[i].name, path_name(path)) == 0)
            return true;
    return false;
}

bool windows_balloon_fits(const struct guest_info *info, const char *path)
{
    return strcasecmp(path_name(path), "blnsvr.exe") == 0 && windows_driver_fits(info, path);
}
