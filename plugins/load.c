#include "plugins/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "plugins/abi.h"

static struct plugin *const plugins[] = {
    &plugin_appliance, &plugin_archive,  &plugin_digest, &plugin_domain,
    &plugin_expand,    &plugin_fetch,    &plugin_nbd,    &plugin_password,
    &plugin_regex,     &plugin_registry, &plugin_slirp,  &plugin_yaml,
};

static const char self[] = "/proc/self/exe";

/* Found by where the program lies, and never by a list of folders: those may be written by others.
 */
static char *plugin_path(const struct plugin *plugin, struct error **err)
{
    char program[PATH_MAX];
    ssize_t n = readlink(self, program, sizeof(program) - 1);
    if (n < 0) {
        error_sys(err, errno, "%s: cannot be read", self);
        error_hint(err, "mount /proc");
        return NULL;
    }
    program[n] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(program, '/');
        if (slash)
            *slash = '\0';
    }
    return str_printf(err, "%s/lib/kiln/%s.so", program, plugin->name);
}

/* The program itself is trusted already: so are its owner and root. */
static int check_owner(int fd, const char *path, struct error **err)
{
    struct stat st, program;
    if (fstat(fd, &st) < 0)
        return error_sys(err, ELIBACC, "%s: cannot be examined", path);
    if (stat(self, &program) < 0)
        return error_sys(err, ELIBACC, "%s: cannot be examined", self);
    if (!S_ISREG(st.st_mode))
        return error_set(err, ELIBACC, "%s: is not a regular file", path);
    if ((st.st_uid == 0 || st.st_uid == program.st_uid) && !(st.st_mode & (S_IWGRP | S_IWOTH)))
        return 0;
    error_set(err, ELIBACC, "%s: could have been written by others than root and the owner of kiln",
              path);
    return error_hint(err, "install kiln anew, as root");
}

static int check_version(void *object, const char *path, struct error **err)
{
    static const struct plugin_abi ours = PLUGIN_ABI;
    const struct plugin_abi *theirs = dlsym(object, "kiln_plugin_abi");
    if (theirs && theirs->size == ours.size && memcmp(theirs, &ours, sizeof(ours)) == 0)
        return 0;
    error_set(err, ELIBBAD, "%s: does not come from the same build as this kiln " KILN_VERSION,
              path);
    return error_hint(err, "install kiln and its folder lib/kiln from one build");
}

static int resolve(struct plugin *plugin, void *object, const char *path, struct error **err)
{
    for (size_t i = 0; plugin->symbols[i]; i++) {
        void *function = dlsym(object, plugin->symbols[i]);
        if (!function)
            return error_set(err, ELIBBAD, "%s: lacks the function %s", path, plugin->symbols[i]);
        memcpy((char *)plugin->functions + i * sizeof(function), &function, sizeof(function));
    }
    return 0;
}

/* Loads the very file that was checked, whatever has its name by now. */
static int load_fd(struct plugin *plugin, int fd, const char *path, struct error **err)
{
    char name[32];
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    void *object = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!object) {
        error_set(err, ELIBACC, "%s: cannot be loaded: %s", path, dlerror());
        return error_hint(err, "install %s", plugin->packages);
    }
    int r = check_version(object, path, err);
    if (r == 0)
        r = resolve(plugin, object, path, err);
    if (r < 0)
        dlclose(object);
    return r;
}

static int load(struct plugin *plugin, struct error **err)
{
    _cleanup_free_ char *path = plugin_path(plugin, err);
    if (!path)
        return -ELIBACC;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        error_set(err, ELIBACC, "%s: %s", path, strerror(errno));
        return error_hint(err, "this part of kiln is looked for beside the program's own folder: "
                               "install kiln with 'make install'");
    }
    int r = check_owner(fd, path, err);
    if (r == 0)
        r = load_fd(plugin, fd, path, err);
    /* The loader takes two files of one name for the same, so that the number stays in use. */
    if (r == 0)
        fd = -1;
    return r;
}

int plugin_load(struct plugin *plugin, struct error **err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (__atomic_load_n(&plugin->loaded, __ATOMIC_ACQUIRE))
        return 0;
    pthread_mutex_lock(&lock);
    int r = plugin->loaded ? 0 : load(plugin, err);
    if (r == 0)
        __atomic_store_n(&plugin->loaded, true, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&lock);
    return r;
}

int plugin_load_nth(size_t number, struct error **err)
{
    return number < ARRAY_SIZE(plugins) ? plugin_load(plugins[number], err) : 1;
}
