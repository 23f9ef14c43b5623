/*
 * Parts of kiln that few commands need, and that bring many libraries along, are shared objects
 * in ../lib/kiln of the program's folder. Such a part is loaded when one of its functions is first
 * called. plugins/NAME.c has those functions for the program: each passes its arguments on to the
 * function of the same name in NAME.so. Tests link the real functions instead.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct plugin {
    const char *name;           /* of the file, without ".so" */
    const char *packages;       /* with the libraries that it needs, for the message */
    const char *const *symbols; /* of its functions; NULL-terminated */
    void *functions;            /* a pointer for each of them, in the same order */
    bool loaded;
};

/*
 * Fills plugin->functions; nothing is done where that was done before. May be called by several
 * threads. -ELIBACC where the file or a library that it needs is missing, or where others than root
 * and the owner of this program could have written it; -ELIBBAD where it is of another version.
 */
int plugin_load(struct plugin *plugin, struct error **err);

/* Loads the plugin of that number, counted from 0. 1: there are not so many. */
int plugin_load_nth(size_t number, struct error **err);

#define PLUGIN_POINTER(function) __typeof__(&function) function;
#define PLUGIN_SYMBOL(function)  #function,

/* Defines `plugin_NAME` and `late`, the struct of pointers to its functions. FUNCTIONS(X) is X(f)
 * for each of them. */
#define PLUGIN_DEFINE(plugin_name, needs, FUNCTIONS)                                               \
    static struct {                                                                                \
        FUNCTIONS(PLUGIN_POINTER)                                                                  \
    } late;                                                                                        \
    static const char *const late_symbols[] = {FUNCTIONS(PLUGIN_SYMBOL) NULL};                     \
    struct plugin plugin_##plugin_name = {                                                         \
        .name = #plugin_name,                                                                      \
        .packages = needs,                                                                         \
        .symbols = late_symbols,                                                                   \
        .functions = &late,                                                                        \
    }

extern struct plugin plugin_appliance, plugin_archive, plugin_digest, plugin_domain, plugin_expand,
    plugin_fetch, plugin_nbd, plugin_password, plugin_regex, plugin_registry, plugin_slirp,
    plugin_yaml;
