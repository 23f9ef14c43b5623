/* What the tests of sysprep share: a guest in memory, a selection, and the reporter's words.
 * Include fake_guest.c before it. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sysprep/operation.h"
#include "tests/unit/customize/fake_guest.h"
#include "tests/unit/unit.h"

struct world {
    struct reporter reporter; /* first, so that the callback finds the world */
    struct fake_guest *fake;
    struct guest_info info;
    struct customize_context customize;
    struct sysprep_settings settings;
    struct sysprep_selection selection;
    struct strv ran;
    struct str words; /* all messages, one a line, behind their level */
    struct error *error;
};

static inline void world_message(struct reporter *reporter, enum report_level level,
                                 const char *text)
{
    str_appendf(&((struct world *)reporter)->words, "%d:%s\n", (int)level, text);
}

static inline void world_open(struct world *world)
{
    static char type[] = "linux", distro[] = "debian", version[] = "12", init[] = "systemd",
                hostname[] = "old", manager[] = "apt";
    *world = (struct world){.reporter = {.message = world_message}, .fake = fake_guest_new()};
    world->info = (struct guest_info){.type = type,
                                      .distro = distro,
                                      .version = version,
                                      .init = init,
                                      .hostname = hostname,
                                      .package_manager = manager};
    assert_int_equal(sysprep_selection_new(&world->selection, NULL), 0);
}

static inline void world_close(struct world *world)
{
    customize_context_free(&world->customize);
    sysprep_selection_free(&world->selection);
    strv_free(&world->settings.remove_user_accounts);
    strv_free(&world->settings.keep_user_accounts);
    strv_free(&world->settings.scripts);
    strv_free(&world->ran);
    str_free(&world->words);
    error_free(world->error);
    fake_guest_free(world->fake);
}

static inline int world_set_up(void **state)
{
    *state = calloc(1, sizeof(struct world));
    world_open(*state);
    return 0;
}

static inline int world_tear_down(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static inline void world_select(struct world *world, const char *operations)
{
    assert_int_equal(sysprep_selection_set(&world->selection, operations, &world->error), 0);
}

/* Runs what is selected. */
static inline int world_run(struct world *world)
{
    customize_context_free(&world->customize);
    world->customize = (struct customize_context){
        .guest = &world->fake->guest, .info = &world->info, .reporter = &world->reporter};
    struct sysprep_context context = {&world->customize, &world->settings};
    error_clear(&world->error);
    strv_free(&world->ran);
    return sysprep_run(&world->selection, &context, &world->ran, &world->error);
}

/* Runs just that operation. */
static inline int world_do(struct world *world, const char *operation)
{
    world->selection.given = false;
    world_select(world, operation);
    return world_run(world);
}

static inline void world_file(struct world *world, const char *path, const char *content)
{
    fake_add_file(world->fake, path, 0644, 0, 0, content);
}

static inline void world_expect(struct world *world, const char *path, const char *content)
{
    const char *found = fake_content(world->fake, path);
    if (!content) {
        if (fake_mode(world->fake, path))
            fail_msg("%s is there", path);
        return;
    }
    if (!found)
        fail_msg("%s is not there", path);
    assert_string_equal(found, content);
}

static inline void assert_has(const char *text, const char *part)
{
    if (!text || !strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text ? text : "(nothing)");
}
