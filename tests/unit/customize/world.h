/* What the tests of operations share: a fake guest, a plan, and the reporter's words. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "customize/operation.h"
#include "tests/unit/customize/fake_guest.h"
#include "tests/unit/unit.h"

struct world {
    struct reporter reporter; /* first, so that the callback finds the world */
    struct fake_guest *fake;
    struct guest_info info;
    struct customize_plan plan;
    struct customize_context context;
    struct str words; /* all messages, one a line */
    struct error *error;
    char directory[64]; /* on the host; removed with what make_file() put there */
};

static inline void world_message(struct reporter *reporter, enum report_level level,
                                 const char *text)
{
    str_appendf(&((struct world *)reporter)->words, "%d:%s\n", (int)level, text);
}

static inline int world_set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    const char *tmp = getenv("TMPDIR");
    snprintf(world->directory, sizeof(world->directory), "%s/kiln-unit.XXXXXX",
             tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(world->directory))
        return -1;
    world->reporter.message = world_message;
    world->fake = fake_guest_new();
    static char type[] = "linux", distro[] = "debian", version[] = "12", init[] = "systemd";
    world->info =
        (struct guest_info){.type = type, .distro = distro, .version = version, .init = init};
    *state = world;
    return 0;
}

static inline int world_tear_down(void **state)
{
    struct world *world = *state;
    customize_plan_free(&world->plan);
    customize_context_free(&world->context);
    fake_guest_free(world->fake);
    str_free(&world->words);
    error_free(world->error);
    /* Fails, and so fails the test, when something was left behind. */
    int r = rmdir(world->directory);
    free(world);
    return r;
}

/* Adds a step; the error is left in world->error. */
static inline int world_add(struct world *world, const char *name, const char *argument)
{
    const struct customize_operation *operation = customize_operation_find(name);
    assert_non_null(operation);
    error_clear(&world->error);
    return customize_plan_add(&world->plan, operation, argument, &world->error);
}

/* Runs the plan and empties it. */
static inline int world_run(struct world *world)
{
    customize_context_free(&world->context);
    world->context = (struct customize_context){
        .guest = &world->fake->guest,
        .info = &world->info,
        .reporter = &world->reporter,
    };
    error_clear(&world->error);
    int r = customize_run(&world->plan, &world->context, &world->error);
    customize_plan_free(&world->plan);
    return r;
}

/* One operation, from its argument to its effect. */
static inline int world_do(struct world *world, const char *name, const char *argument)
{
    int r = world_add(world, name, argument);
    return r < 0 ? r : world_run(world);
}

static inline void world_expect(struct world *world, const char *path, const char *content)
{
    const char *found = fake_content(world->fake, path);
    assert_non_null(found);
    assert_string_equal(found, content);
}

/* A file on the host; the path is valid until the next call. */
static inline const char *world_file(struct world *world, const char *name, const void *data,
                                     size_t size)
{
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", world->directory, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline void assert_error_has(const struct world *world, const char *part)
{
    assert_non_null(world->error);
    if (!strstr(error_message(world->error), part))
        fail_msg("'%s' is not in '%s'", part, error_message(world->error));
}

/* Of the object itself, which must exist. */
static inline struct guest_stat world_stat(struct world *w, const char *path)
{
    struct guest_stat st = {0};
    assert_int_equal(guest_stat(&w->fake->guest, path, false, &st, NULL), 0);
    return st;
}

static inline void world_expect_link(struct world *w, const char *path, const char *target)
{
    char *found = NULL;
    assert_int_equal(guest_readlink(&w->fake->guest, path, &found, NULL), 0);
    assert_string_equal(found, target);
    free(found);
}
