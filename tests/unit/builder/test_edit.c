/* Editing images: all or nothing, what is told about it, and that secrets are not. */

#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/digest.h"
#include "builder/edit.h"
#include "image/seal.h"
#include "tests/unit/guest/fixture.h"

struct world {
    struct fixture fx;
    struct customize_plan plan;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    fixture_setup(&world->fx);
    fixture_root(&world->fx);
    fixture_file(&world->fx, "/etc/hostname", "old\n");
    fixture_file(&world->fx, "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    fixture_file(&world->fx, "/etc/secret", "old secret\n");
    _cleanup_free_ char *secret = fixture_path(&world->fx, "/etc/secret");
    assert_int_equal(chmod(secret, 0640), 0);
    fixture_file_n(&world->fx, "/etc/binary", "a\0b", 3);
    fixture_link(&world->fx, "/usr/share/zoneinfo/UTC", "/etc/localtime");
    fixture_mkfs(&world->fx, "ext4", "16M", NULL);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    customize_plan_free(&world->plan);
    fixture_teardown(&world->fx);
    free(world);
    return 0;
}

static void add(struct world *world, const char *name, const char *argument)
{
    const struct customize_operation *operation = customize_operation_find(name);
    assert_non_null(operation);
    assert_ok(customize_plan_add(&world->plan, operation, argument, err));
}

static struct edit_request request_for(const struct world *world)
{
    return (struct edit_request){.path = world->fx.image,
                                 .work = {.operations = &world->plan, .tell_changes = true}};
}

static char *digest_of(const struct world *world)
{
    char *hex = calloc(1, DIGEST_MAX_HEX);
    int fd = open(world->fx.image, O_RDONLY | O_CLOEXEC);
    assert_ok(digest_fd(DIGEST_SHA256, fd, "image", hex, err));
    close(fd);
    return hex;
}

static void expect_file(const struct world *world, const char *path, const char *text)
{
    struct guest *guest = fixture_open(&world->fx, false);
    fixture_expect(guest, path, text);
    guest_discard(guest);
}

static void changes_are_made_and_told(void **state)
{
    struct world *world = *state;
    struct edit_request request = request_for(world);
    _cleanup_edit_result_ struct edit_result result = {0};
    add(world, "hostname", "new");
    add(world, "write", "/etc/motd:hello");
    add(world, "delete", "/etc/secret");
    assert_ok(edit_image(&request, &result, err));
    assert_string_equal(result.engine, "native");
    assert_true(strv_contains(&result.changes, "~ /etc/hostname"));
    assert_true(strv_contains(&result.changes, "+ /etc/motd"));
    assert_true(strv_contains(&result.changes, "- /etc/secret"));
    assert_string_equal(result.operations.items[0], "hostname");
    assert_int_equal(result.programs.count, 0);
    assert_null(result.difference);
    expect_file(world, "/etc/hostname", "new\n");
    fixture_check_clean(world->fx.image);
}

static void a_failure_leaves_the_image_as_it_was(void **state)
{
    struct world *world = *state;
    struct edit_request request = request_for(world);
    struct edit_result result;
    _cleanup_free_ char *before = digest_of(world);
    struct error *error = NULL;
    add(world, "hostname", "new");
    add(world, "append-line", "/etc:line");
    assert_true(edit_image(&request, &result, &error) < 0);
    assert_true(str_starts(error_message(error), world->fx.image));
    assert_non_null(strstr(error_message(error), "is unchanged: --append-line"));
    error_free(error);
    _cleanup_free_ char *after = digest_of(world);
    assert_string_equal(before, after);
}

/* An appliance could not be started here at all. */
static void what_the_guest_cannot_do_is_refused_before_an_appliance_starts(void **state)
{
    struct world *world = *state;
    static const char *const steps[][2] = {{"install", "nginx"}, {"update", NULL}};
    fixture_file(&world->fx, "/usr/lib/os-release", "ID=lfs\n");
    fixture_mkfs(&world->fx, "ext4", "16M", NULL);
    assert_int_equal(setenv("LIBGUESTFS_PATH", "/nonexistent", 1), 0);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct edit_request request = request_for(world);
        struct edit_result result;
        _cleanup_error_ struct error *error = NULL;
        request.work.network = true;
        request.atomicity = i == 0 ? EDIT_AUTO : EDIT_ATOMIC;
        add(world, steps[i][0], steps[i][1]);
        assert_int_equal(edit_image(&request, &result, &error), -EOPNOTSUPP);
        assert_non_null(strstr(error_message(error), "no package manager was found"));
        assert_non_null(strstr(error_message(error), "is unchanged: --"));
        customize_plan_free(&world->plan);
    }
    unsetenv("LIBGUESTFS_PATH");
}

static void a_rehearsal_writes_nothing_and_runs_nothing(void **state)
{
    struct world *world = *state;
    struct edit_request request = request_for(world);
    _cleanup_edit_result_ struct edit_result result = {0};
    _cleanup_free_ char *before = digest_of(world);
    request.work.dry_run = true;
    add(world, "hostname", "new");
    add(world, "run-command", "rm -rf /");
    add(world, "write", "/etc/motd:hello");
    assert_ok(edit_image(&request, &result, err));
    assert_string_equal(result.engine, "native");
    assert_true(strv_contains(&result.changes, "~ /etc/hostname"));
    assert_true(strv_contains(&result.changes, "+ /etc/motd"));
    assert_int_equal(result.programs.count, 1);
    assert_string_equal(result.programs.items[0], "--run-command rm -rf /");
    _cleanup_free_ char *after = digest_of(world);
    assert_string_equal(before, after);
}

static void differences_leave_out_secrets(void **state)
{
    struct world *world = *state;
    struct edit_request request = request_for(world);
    _cleanup_edit_result_ struct edit_result result = {0};
    request.work.tell_difference = true;
    add(world, "write", "/etc/hostname:new\n");
    add(world, "write", "/etc/secret:new secret\n");
    add(world, "write", "/etc/binary:text");
    add(world, "write", "/etc/motd:hello\n");
    add(world, "delete", "/etc/passwd");
    add(world, "link", "/etc/hostname:/etc/name");
    assert_ok(edit_image(&request, &result, err));
    const char *text = result.difference;
    assert_non_null(
        strstr(text, "--- a/etc/hostname\n+++ b/etc/hostname\n@@ -1 +1 @@\n-old\n+new\n"));
    assert_non_null(strstr(text, "--- /dev/null\n+++ b/etc/motd\n@@ -0,0 +1 @@\n+hello\n"));
    assert_non_null(strstr(text, "--- a/etc/passwd\n+++ /dev/null\n"));
    assert_non_null(strstr(text, "Binary files a/etc/binary and b/etc/binary differ\n"));
    assert_non_null(strstr(text, "+/etc/hostname\n"));
    assert_non_null(strstr(text, "Files a/etc/secret and b/etc/secret differ (contents not shown"));
    assert_null(strstr(text, "new secret"));
    assert_null(strstr(text, "old secret"));
}

static void an_atomic_edit_replaces_the_file(void **state)
{
    struct world *world = *state;
    struct edit_request request = request_for(world);
    _cleanup_edit_result_ struct edit_result result = {0};
    struct stat before, after;
    request.atomicity = EDIT_ATOMIC;
    assert_int_equal(chmod(world->fx.image, 0604), 0);
    assert_int_equal(stat(world->fx.image, &before), 0);
    add(world, "hostname", "new");
    assert_ok(edit_image(&request, &result, err));
    assert_int_equal(stat(world->fx.image, &after), 0);
    assert_true(before.st_ino != after.st_ino);
    assert_int_equal(after.st_mode, before.st_mode);
    assert_int_equal(after.st_uid, before.st_uid);
    expect_file(world, "/etc/hostname", "new\n");

    edit_result_free(&result);
    add(world, "append-line", "/etc:line");
    assert_true(edit_image(&request, &result, NULL) < 0);
    struct stat failed;
    assert_int_equal(stat(world->fx.image, &failed), 0);
    assert_int_equal(failed.st_ino, after.st_ino);
    fixture_check_clean(world->fx.image);
}

/* Stands before that of the C library: a disk that fails once the file has been replaced. */
static bool directories_fail;
int fsync(int fd)
{
    struct stat st;
    if (directories_fail && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

static void a_replaced_image_is_not_called_unchanged(void **state)
{
    struct world *world = *state;
    struct edit_request request = request_for(world);
    _cleanup_edit_result_ struct edit_result result = {0};
    _cleanup_error_ struct error *error = NULL;
    request.atomicity = EDIT_ATOMIC;
    add(world, "hostname", "new");
    directories_fail = true;
    int r = edit_image(&request, &result, &error);
    directories_fail = false;
    assert_int_equal(r, -EIO);
    assert_null(strstr(error_message(error), "is unchanged"));
    assert_non_null(strstr(error_message(error), "the output is complete, but"));
    expect_file(world, "/etc/hostname", "new\n");
}

static void what_cannot_be_replaced_is_refused(void **state)
{
    struct world *world = *state;
    struct edit_request request = request_for(world);
    struct edit_result result;
    const struct guest_drive second = {.path = world->fx.image};
    request.atomicity = EDIT_ATOMIC;
    add(world, "hostname", "new");
    request.drives = &second;
    request.drive_count = 1;
    assert_fails(EINVAL, edit_image(&request, &result, err));
    request.drive_count = 0;
    request.path = "/dev/null";
    assert_fails(EINVAL, edit_image(&request, &result, err));
}

static void the_network_is_asked_for_beforehand(void **state)
{
    struct world *world = *state;
    struct edit_request request = request_for(world);
    struct edit_result result;
    add(world, "install", "nginx");
    request.path = "/nowhere/at/all";
    assert_fails(EINVAL, edit_image(&request, &result, err));
}

static void sealed_images_stay_as_they_are(void **state)
{
    struct world *world = *state;
    struct edit_request request = request_for(world);
    _cleanup_edit_result_ struct edit_result result = {0};
    _cleanup_seal_ struct seal seal = {0};
    request.seal = true;
    add(world, "hostname", "new");
    assert_ok(edit_image(&request, &result, err));
    assert_ok(seal_read(world->fx.image, &seal, err));
    assert_string_equal(seal.operations.items[0], "hostname");
    edit_result_free(&result);
    request.seal = false;
    assert_fails(EPERM, edit_image(&request, &result, err));
    request.atomicity = EDIT_ATOMIC;
    assert_fails(EPERM, edit_image(&request, &result, err));
    request.unseal = true;
    assert_ok(edit_image(&request, &result, err));
    assert_int_equal(seal_check_unsealed(world->fx.image, NULL), 0);
}

static void preparing_and_customizing_go_together(void **state)
{
    struct world *world = *state;
    struct edit_request request = request_for(world);
    _cleanup_edit_result_ struct edit_result result = {0};
    _cleanup_sysprep_selection_ struct sysprep_selection selection = {0};
    const struct sysprep_settings settings = {.customizations = &world->plan};
    assert_ok(sysprep_selection_new(&selection, err));
    assert_ok(sysprep_selection_set(&selection, "tmp-files,customize", err));
    request.work.sysprep = &selection;
    request.work.sysprep_settings = &settings;
    add(world, "hostname", "new");
    assert_ok(edit_image(&request, &result, err));
    assert_true(strv_contains(&result.operations, "tmp-files"));
    assert_true(strv_contains(&result.operations, "hostname"));
    expect_file(world, "/etc/hostname", "new\n");
}

#define edit_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        edit_test(changes_are_made_and_told),
        edit_test(a_failure_leaves_the_image_as_it_was),
        edit_test(what_the_guest_cannot_do_is_refused_before_an_appliance_starts),
        edit_test(a_rehearsal_writes_nothing_and_runs_nothing),
        edit_test(differences_leave_out_secrets),
        edit_test(an_atomic_edit_replaces_the_file),
        edit_test(a_replaced_image_is_not_called_unchanged),
        edit_test(what_cannot_be_replaced_is_refused),
        edit_test(the_network_is_asked_for_beforehand),
        edit_test(sealed_images_stay_as_they_are),
        edit_test(preparing_and_customizing_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
