/* The default operations on a real ext4 image, through the native engine: the image stays sound,
 * and what is left is the same as in a guest in memory. */

#include <stdio.h>
#include <unistd.h>

#include "base/proc.h"
#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/sysprep/world.h"

#include "tests/unit/sysprep/snapshot.h"
#include "tests/unit/sysprep/trees.h"

/* What the engine needs to know it for a guest. */
static const struct planted system_files[] = {
    {"/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n"},
    {"/etc/fstab", "LABEL=root / ext4 defaults 0 1\n"},
    {"/etc/debian_version", "12.5\n"},
    {"/usr/lib/systemd/systemd", "elf"},
    {"/usr/bin/apt-get", "elf"},
    {"/bin", "->usr/bin"},
    {"/sbin", "->usr/sbin"},
};

struct fixture {
    char directory[64];
    char tree[96];
    char image[96];
};

/* The exit status, or a negative errno. */
static int run(const char *const *argv)
{
    const struct proc_options options = {.argv = argv, PROC_OPTIONS_INIT};
    _cleanup_proc_output_ struct proc_output output = {0};
    int r = proc_run(&options, NULL, 0, 1 << 20, 60000, &output, NULL);
    return r < 0 ? r : output.status;
}

static void plant_host(const struct fixture *f, const struct planted *planted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof(path), "%s%s", f->tree, planted[i].path);
        for (char *slash = path + strlen(f->tree) + 1; (slash = strchr(slash, '/'));
             *slash++ = '/') {
            *slash = '\0';
            mkdir(path, 0755);
        }
        const char *content = planted[i].content;
        if (!content) {
            mkdir(path, 0755);
        } else if (str_starts(content, "->")) {
            assert_int_equal(symlink(content + 2, path), 0);
        } else {
            FILE *file = fopen(path, "w");
            assert_non_null(file);
            assert_true(fputs(content, file) >= 0);
            assert_int_equal(fclose(file), 0);
        }
    }
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const char *tmp = getenv("TMPDIR");
    snprintf(f->directory, sizeof(f->directory), "%s/kiln-unit.XXXXXX",
             tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(f->directory))
        return -1;
    snprintf(f->tree, sizeof(f->tree), "%s/tree", f->directory);
    snprintf(f->image, sizeof(f->image), "%s/disk.img", f->directory);
    *state = f;
    return mkdir(f->tree, 0755);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = {"rm", "-rf", f->directory, NULL};
    int r = run(argv);
    free(f);
    return r;
}

static struct guest *open_image(const struct fixture *f)
{
    const struct guest_open_options options = {
        .format = IMAGE_RAW, .resources.engine = GUEST_ENGINE_NATIVE, .writable = true};
    struct guest *guest = NULL;
    _cleanup_error_ struct error *err = NULL;
    if (guest_open(f->image, &options, &guest, &err) < 0)
        fail_msg("%s", error_message(err));
    return guest;
}

static void prepare(struct guest *guest, struct world *world)
{
    _cleanup_guest_info_ struct guest_info info = {0};
    _cleanup_strv_ struct strv ran = {0};
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(guest_inspect(guest, &info, NULL), 0);
    assert_string_equal(info.distro, "debian");
    assert_string_equal(info.init, "systemd");
    struct customize_context customize = {.guest = guest, .info = &info};
    struct sysprep_context context = {&customize, &world->settings};
    if (sysprep_run(&world->selection, &context, &ran, &err) < 0)
        fail_msg("%s", error_message(err));
    customize_context_free(&customize);
}

static void compare(struct guest *guest, struct guest *expected)
{
    struct snapshot got = {0};
    struct snapshot wanted = {0};
    assert_int_equal(guest_remove(guest, "/lost+found", NULL), 0);
    snapshot_take(guest, "/", &got);
    snapshot_take(expected, "/", &wanted);
    for (size_t i = 0; i < got.paths.count && i < wanted.paths.count; i++) {
        assert_string_equal(got.paths.items[i], wanted.paths.items[i]);
        assert_string_equal(got.contents.items[i], wanted.contents.items[i]);
    }
    assert_int_equal(got.paths.count, wanted.paths.count);
    snapshot_free(&got);
    snapshot_free(&wanted);
}

static void the_defaults_leave_a_sound_image(void **state)
{
    const struct fixture *f = *state;
    struct world world;
    world_open(&world);
    plant_fake(world.fake, system_files, ARRAY_SIZE(system_files));
    plant_fake(world.fake, common, ARRAY_SIZE(common));
    plant_fake(world.fake, debian, ARRAY_SIZE(debian));
    plant_host(f, system_files, ARRAY_SIZE(system_files));
    plant_host(f, common, ARRAY_SIZE(common));
    plant_host(f, debian, ARRAY_SIZE(debian));
    const char *const mke2fs[] = {"/sbin/mke2fs",   "-q", "-t",    "ext4",   "-L",  "root", "-E",
                                  "root_owner=0:0", "-d", f->tree, f->image, "16M", NULL};
    assert_int_equal(run(mke2fs), 0);
    /* Twice: what was prepared once has nothing left to remove. */
    for (int round = 0; round < 2; round++) {
        struct guest *guest = open_image(f);
        prepare(guest, &world);
        assert_int_equal(guest_close(guest, NULL), 0);
        const char *const e2fsck[] = {"/sbin/e2fsck", "-fn", f->image, NULL};
        assert_int_equal(run(e2fsck), 0);
    }
    if (world_run(&world) < 0)
        fail_msg("%s", error_message(world.error));
    struct guest *guest = open_image(f);
    compare(guest, &world.fake->guest);
    guest_discard(guest);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_defaults_leave_a_sound_image, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
