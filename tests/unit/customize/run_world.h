/* For tests of what runs in the guest: the fake looks at the script when it runs. */
#pragma once

#include "tests/unit/customize/fake_guest.h"
#include "tests/unit/customize/world.h"

/* What the script that was run with a command held, as it was when it ran. */
static char *seen_script;
static char *seen_secret;
static mode_t seen_mode, seen_secret_mode, seen_directory_mode;

static inline char *copy_of(struct fake_guest *fake, const char *directory, const char *name,
                            mode_t *mode)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    const char *content = fake_content(fake, path);
    *mode = fake_mode(fake, path);
    return content ? strdup(content) : NULL;
}

/* What the fake itself does. */
static int (*spied_run)(struct guest *guest, const char *script, struct guest_run_result *ret,
                        struct error **err);

/* Finds the directory in the wrapper's text and looks at the files in it. */
static inline int spy_run(struct guest *guest, const char *script, struct guest_run_result *ret,
                          struct error **err)
{
    struct fake_guest *fake = (struct fake_guest *)guest;
    const char *at = strstr(script, "\"$@\" ");
    assert_non_null(at);
    at += strlen("\"$@\" ");
    const char *end = strstr(at, "/script");
    assert_non_null(end);
    char directory[100];
    snprintf(directory, sizeof(directory), "%.*s", (int)(end - at), at);
    free(seen_script);
    free(seen_secret);
    seen_script = copy_of(fake, directory, "script", &seen_mode);
    seen_secret = copy_of(fake, directory, "secret", &seen_secret_mode);
    seen_directory_mode = fake_mode(fake, directory);
    return spied_run(guest, script, ret, err);
}

static inline int set_up(void **state)
{
    if (world_set_up(state) < 0)
        return -1;
    struct world *w = *state;
    static char manager[] = "apt";
    w->info.package_manager = manager;
    spied_run = w->fake->ops.run;
    w->fake->ops.run = spy_run;
    fake_add_dir(w->fake, "/tmp");
    return 0;
}

static inline int tear_down(void **state)
{
    free(seen_script);
    free(seen_secret);
    seen_script = seen_secret = NULL;
    return world_tear_down(state);
}

static inline int count_names(void *count, const char *name, mode_t type)
{
    (void)type;
    (void)name;
    ++*(unsigned *)count;
    return 0;
}

static inline void expect_empty(struct world *w, const char *directory)
{
    unsigned count = 0;
    assert_int_equal(guest_list(&w->fake->guest, directory, count_names, &count, NULL), 0);
    assert_int_equal(count, 0);
}
