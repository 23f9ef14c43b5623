/* That each operation touches exactly its own paths, on guests of four families. */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/sysprep/world.h"

#include "tests/unit/sysprep/snapshot.h"
#include "tests/unit/sysprep/trees.h"

/* Those that change nothing in the tree by themselves. */
static const char *const without_files[] = {"customize", "fs-uuids",    "lvm-uuids",
                                            "script",    "swap-header", "zero-free"};

static const char *lookup(const struct snapshot *snapshot, const char *path)
{
    for (size_t i = 0; i < snapshot->paths.count; i++)
        if (strcmp(snapshot->paths.items[i], path) == 0)
            return snapshot->contents.items[i];
    return NULL;
}

/* By what comes behind the sign. */
static int compare_changes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a + 1, *(char *const *)b + 1);
}

static void diff(const struct snapshot *before, const struct snapshot *after, struct strv *changes)
{
    for (size_t i = 0; i < before->paths.count; i++) {
        const char *path = before->paths.items[i];
        const char *now = lookup(after, path);
        if (!now)
            strv_addf(changes, NULL, "-%s", path);
        else if (strcmp(now, before->contents.items[i]) != 0)
            strv_addf(changes, NULL, "=%s %s", path, now);
    }
    for (size_t i = 0; i < after->paths.count; i++)
        if (!lookup(before, after->paths.items[i]))
            strv_addf(changes, NULL, "+%s %s", after->paths.items[i], after->contents.items[i]);
    if (changes->count > 0)
        qsort(changes->items, changes->count, sizeof(*changes->items), compare_changes);
}

static void expect_from(const struct effect *effects, size_t count, const char *operation,
                        struct strv *expected)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; strcmp(effects[i].operation, operation) == 0 && effects[i].changes[j];
             j++)
            strv_add(expected, effects[i].changes[j], NULL);
}

static void check_operation(const struct tree *tree, const char *operation, struct strv *expected)
{
    struct world world;
    world_open(&world);
    world.info = tree->info;
    plant_fake(world.fake, common, ARRAY_SIZE(common));
    plant_fake(world.fake, tree->planted, tree->planted_count);
    struct snapshot before = {0};
    struct snapshot after = {0};
    struct strv changes = {0};
    snapshot_take(&world.fake->guest, "/", &before);
    if (world_do(&world, operation) < 0)
        fail_msg("%s, %s: %s", tree->name, operation, error_message(world.error));
    snapshot_take(&world.fake->guest, "/", &after);
    diff(&before, &after, &changes);
    expect_from(common_effects, ARRAY_SIZE(common_effects), operation, expected);
    expect_from(tree->effects, tree->effect_count, operation, expected);
    if (expected->count > 0)
        qsort(expected->items, expected->count, sizeof(*expected->items), compare_changes);
    for (size_t i = 0; i < expected->count || i < changes.count; i++) {
        const char *wanted = i < expected->count ? expected->items[i] : "(no more)";
        const char *got = i < changes.count ? changes.items[i] : "(no more)";
        if (strcmp(wanted, got) != 0)
            fail_msg("%s, %s:\n  wanted %s\n  got    %s", tree->name, operation, wanted, got);
    }
    strv_free(&changes);
    snapshot_free(&before);
    snapshot_free(&after);
    world_close(&world);
}

static void each_touches_exactly_its_own_paths(void **state)
{
    (void)state;
    for (size_t i = 0; i < sysprep_operation_count; i++) {
        const char *name = sysprep_operations[i]->name;
        size_t effects = 0;
        for (size_t t = 0; t < ARRAY_SIZE(trees); t++) {
            struct strv expected = {0};
            check_operation(&trees[t], name, &expected);
            effects += expected.count;
            strv_free(&expected);
        }
        bool exempt = false;
        for (size_t j = 0; j < ARRAY_SIZE(without_files); j++)
            exempt = exempt || strcmp(without_files[j], name) == 0;
        if ((effects == 0) != exempt)
            fail_msg("%s: %zu effects in all trees", name, effects);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_touches_exactly_its_own_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
