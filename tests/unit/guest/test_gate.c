/* What every guest path and every engine's outcome passes through. */
#include "guest/journal/journal.h"
#include "tests/unit/guest/fake.h"

static void paths_are_checked(void **state)
{
    (void)state;
    char name[300], path[5000];
    memset(name, 'n', sizeof(name));
    memset(path, '/', sizeof(path));
    name[256] = '\0';
    name[0] = '/';
    path[4097] = '\0';
    assert_fails(EINVAL, guest_path_check("", err));
    assert_fails(EINVAL, guest_path_check("etc/passwd", err));
    assert_fails(ENAMETOOLONG, guest_path_check(path, err));
    assert_ok(guest_path_check(name, err));
    name[256] = 'n';
    name[257] = '\0';
    assert_fails(ENAMETOOLONG, guest_path_check(name, err));
    assert_ok(guest_path_check("/", err));
    assert_ok(guest_path_check("/../..//a/./b/", err));
    assert_ok(guest_path_check("/\xff\x01", err));
}

static void messages_name_the_object(void **state)
{
    (void)state;
    const struct fake_file files[] = {{0}};
    struct fake_guest fake = fake_guest(files);
    struct guest_stat st;
    struct error *error = NULL;
    assert_int_equal(guest_stat(&fake.guest, "/etc/\x1b[31mred", true, &st, &error), -ENOENT);
    assert_string_equal(error_message(error), "/etc/\\x1b[31mred in the guest: no such file");
    error_free(error);
}

static void what_was_opened_for_reading_is_not_changed(void **state)
{
    (void)state;
    const struct fake_file files[] = {{0}};
    struct fake_guest fake = fake_guest(files);
    struct guest *guest = &fake.guest;
    struct guest_file_attr attr = {.mode = 0644};
    assert_fails(EROFS, guest_write(guest, "/a", "", 0, &attr, err));
    assert_fails(EROFS, guest_upload(guest, 0, "/a", &attr, err));
    assert_fails(EROFS, guest_mkdir(guest, "/a", 0755, err));
    assert_fails(EROFS, guest_symlink(guest, "b", "/a", err));
    assert_fails(EROFS, guest_rename(guest, "/a", "/b", err));
    assert_fails(EROFS, guest_unlink(guest, "/a", err));
    assert_fails(EROFS, guest_rmdir(guest, "/a", err));
    assert_fails(EROFS, guest_chmod(guest, "/a", 0644, err));
    assert_fails(EROFS, guest_chown(guest, "/a", 0, 0, err));
    assert_ok(guest_sync(guest, err));
}

static void arguments_are_checked_before_the_engine_sees_them(void **state)
{
    (void)state;
    const struct fake_file files[] = {{0}};
    struct fake_guest fake = fake_guest(files);
    fake.guest.writable = true; /* the fake cannot write: a call would crash */
    struct guest *guest = &fake.guest;
    struct guest_file_attr attr = {.mode = 0100644};
    char *target = calloc(1, 5000);
    memset(target, 't', 4999);
    assert_fails(EINVAL, guest_write(guest, "/a", "", 0, &attr, err));
    assert_fails(EINVAL, guest_mkdir(guest, "/a", 010755, err));
    assert_fails(EINVAL, guest_chmod(guest, "/a", 010755, err));
    assert_fails(EINVAL, guest_unlink(guest, "a", err));
    assert_fails(ENOENT, guest_symlink(guest, "", "/a", err));
    assert_fails(ENAMETOOLONG, guest_symlink(guest, target, "/a", err));
    free(target);
}

/* The engine would write it where the guest does not look; also behind a journal, and by links. */
static void below_what_is_not_served_nothing_changes(void **state)
{
    (void)state;
    const struct fake_file files[] = {
        {"/usr", NULL}, {"/usr/lib", NULL}, {"/lib", LINK "/usr/lib"}, {"/usrlocal", NULL}, {0}};
    static const char *const blocked[] = {"/usr", "/usr/here", "/usr/lib/new/here", "/lib/here"};
    struct fake_guest fake = fake_guest(files);
    struct guest_file_attr attr = {.mode = 0644};
    fake.guest.writable = true; /* the fake cannot write: a call would crash */
    assert_ok(strv_add(&fake.guest.unserved, "/usr", err));
    assert_ok(strv_add(&fake.guest.unserved, "/dev/sda3 is missing", err));
    struct guest *journal;
    assert_ok(guest_journal_open(&fake.guest, false, &journal, err));
    for (size_t i = 0; i < ARRAY_SIZE(blocked); i++) {
        _cleanup_error_ struct error *error = NULL;
        assert_int_equal(guest_write(journal, blocked[i], "", 0, &attr, &error), -EROFS);
        assert_non_null(strstr(error_message(error), "below /usr: /dev/sda3 is missing"));
        assert_fails(EROFS, guest_mkdir(&fake.guest, blocked[i], 0755, err));
    }
    assert_true(guest_is_dir(journal, "/usr/lib"));
    guest_discard(journal);
}

static void a_failed_flush_fails_the_close(void **state)
{
    (void)state;
    const struct fake_file files[] = {{0}};
    struct fake_guest fake = fake_guest(files);
    fake.guest.writable = true;
    fake.sync_result = -ENOSPC;
    assert_fails(ENOSPC, guest_close(&fake.guest, err));
    assert_int_equal(fake.closed, 1);
    fake.guest.writable = false;
    assert_ok(guest_close(&fake.guest, err));
    assert_int_equal(fake.closed, 2);
    guest_discard(NULL);
}

static void engines_have_names(void **state)
{
    (void)state;
    enum guest_engine engine;
    assert_ok(guest_engine_parse("appliance", &engine, err));
    assert_int_equal(engine, GUEST_ENGINE_APPLIANCE);
    assert_string_equal(guest_engine_name(GUEST_ENGINE_NATIVE), "native");
    assert_fails(EINVAL, guest_engine_parse("libguestfs", &engine, err));
}

static void a_missing_image_is_said(void **state)
{
    (void)state;
    struct guest_open_options options = {0};
    struct guest *guest = NULL;
    for (int engine = GUEST_ENGINE_AUTO; engine <= GUEST_ENGINE_APPLIANCE; engine++) {
        options.resources.engine = (enum guest_engine)engine;
        assert_fails(ENOENT, guest_open("/nonexistent/disk.img", &options, &guest, err));
    }
    options.resources.engine = GUEST_ENGINE_NATIVE;
    options.capabilities = GUEST_CAN_RUN;
    assert_fails(EOPNOTSUPP, guest_open("/nonexistent/disk.img", &options, &guest, err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_checked),
        cmocka_unit_test(messages_name_the_object),
        cmocka_unit_test(what_was_opened_for_reading_is_not_changed),
        cmocka_unit_test(arguments_are_checked_before_the_engine_sees_them),
        cmocka_unit_test(below_what_is_not_served_nothing_changes),
        cmocka_unit_test(a_failed_flush_fails_the_close),
        cmocka_unit_test(engines_have_names),
        cmocka_unit_test(a_missing_image_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
