#include "cli/lazy_load.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Strings in the order of the slots: the functions of a library stand behind an empty string and
 * its name. Two empty strings end the list.
 */
extern const char lazy_names[] __attribute__((visibility("hidden")));
extern void *lazy_slots[] __attribute__((visibility("hidden")));

_Noreturn static void give_up(void)
{
    const char *reason = dlerror();
    fprintf(stderr, "kiln: %s\n", reason ? reason : "a library cannot be loaded");
    exit(127);
}

static const char *next(const char *name)
{
    return name + strlen(name) + 1;
}

static void fill(const char *library, void **slots)
{
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        give_up();
    for (const char *name = next(library); *name; name = next(name)) {
        void *function = dlsym(handle, name);
        if (!function)
            give_up();
        /* Other threads may be jumping through it. */
        __atomic_store_n(slots++, function, __ATOMIC_RELEASE);
    }
}

void lazy_load(void **slot)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    void **slots = lazy_slots;
    pthread_mutex_lock(&lock);
    for (const char *library = next(lazy_names); *library;) {
        void **first = slots;
        const char *name = next(library);
        for (; *name; name = next(name))
            slots++;
        if (slot >= first && slot < slots)
            fill(library, first);
        library = next(name);
    }
    pthread_mutex_unlock(&lock);
}
