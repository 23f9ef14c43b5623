/* What a journal says became of a guest: the net of all changes, and nothing else. */

#include <sys/stat.h>

#include "guest/journal/journal.h"
#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/unit.h"

static const struct guest_file_attr plain = {.mode = 0644};

struct world {
    struct fake_guest *fake;
    struct guest *guest;
};

static void fill(struct fake_guest *fake)
{
    fake_add_file(fake, "/etc/hostname", 0644, 0, 0, "old\n");
    fake_add_file(fake, "/etc/shadow", 0640, 0, 42, "root:*:\n");
    fake_add_file(fake, "/srv/tree/a", 0600, 1, 1, "a");
    fake_add_file(fake, "/srv/tree/sub/b", 0600, 1, 1, "b");
    fake_add_link(fake, "/lib64", "usr/lib");
    fake_add_dir(fake, "/usr/lib");
    fake_add_link(fake, "/etc/resolv.conf", "../run/resolv.conf");
    fake_add_dir(fake, "/run");
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world->fake = fake_guest_new();
    fill(world->fake);
    if (guest_journal_open(&world->fake->guest, true, &world->guest, NULL) < 0)
        return -1;
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    fake_guest_free((struct fake_guest *)guest_journal_unwrap(world->guest));
    free(world);
    return 0;
}

static void put(struct guest *guest, const char *path, const char *text)
{
    assert_int_equal(guest_write(guest, path, text, strlen(text), &plain, NULL), 0);
}

/* "+ /a\n- /b\n": all that became of the guest. */
static void expect(struct guest *guest, const char *wanted)
{
    static const char signs[] = {
        [GUEST_CHANGE_CREATED] = '+',
        [GUEST_CHANGE_CONTENTS] = '~',
        [GUEST_CHANGE_ATTRIBUTES] = '=',
        [GUEST_CHANGE_REMOVED] = '-',
    };
    const struct guest_journal *journal = guest_journal_of(guest);
    assert_non_null(journal);
    struct str got = {0};
    for (size_t i = 0; i < journal->count; i++)
        str_appendf(&got, "%c %s\n", signs[journal->entries[i].change], journal->entries[i].path);
    assert_string_equal(got.data ? got.data : "", wanted);
    str_free(&got);
}

static const struct guest_journal_entry *entry_of(struct guest *guest, const char *path)
{
    const struct guest_journal *journal = guest_journal_of(guest);
    for (size_t i = 0; i < journal->count; i++)
        if (strcmp(journal->entries[i].path, path) == 0)
            return &journal->entries[i];
    fail_msg("%s is not in the journal", path);
    return NULL;
}

static void reading_changes_nothing(void **state)
{
    struct guest *guest = ((struct world *)*state)->guest;
    char *text;
    assert_int_equal(guest_read(guest, "/etc/hostname", 100, &text, NULL, NULL), 0);
    assert_string_equal(text, "old\n");
    free(text);
    expect(guest, "");
}

static void each_kind_of_change_is_told(void **state)
{
    struct guest *guest = ((struct world *)*state)->guest;
    put(guest, "/etc/hostname", "new\n");
    put(guest, "/etc/motd", "hello\n");
    assert_int_equal(guest_chmod(guest, "/etc/shadow", 0600, NULL), 0);
    assert_int_equal(guest_unlink(guest, "/srv/tree/a", NULL), 0);
    assert_int_equal(guest_mkdir(guest, "/opt", 0755, NULL), 0);
    assert_int_equal(guest_symlink(guest, "x", "/opt/link", NULL), 0);
    expect(guest, "~ /etc/hostname\n+ /etc/motd\n= /etc/shadow\n+ /opt\n+ /opt/link\n"
                  "- /srv/tree/a\n");
    const struct guest_journal_entry *entry = entry_of(guest, "/etc/hostname");
    assert_string_equal(entry->old_contents, "old\n");
    assert_int_equal(entry->old_mode, S_IFREG | 0644);
    assert_int_equal(entry_of(guest, "/etc/motd")->old_mode, 0);
    assert_string_equal(entry_of(guest, "/srv/tree/a")->old_contents, "a");
}

static void what_comes_to_nothing_is_not_told(void **state)
{
    struct guest *guest = ((struct world *)*state)->guest;
    put(guest, "/etc/hostname", "old\n");
    put(guest, "/tmp.1", "x");
    assert_int_equal(guest_unlink(guest, "/tmp.1", NULL), 0);
    put(guest, "/etc/shadow", "changed");
    put(guest, "/etc/shadow", "root:*:\n");
    assert_int_equal(guest_chmod(guest, "/srv/tree", 0700, NULL), 0);
    assert_int_equal(guest_chmod(guest, "/srv/tree", 0755, NULL), 0);
    assert_int_equal(guest_mkdir(guest, "/once", 0755, NULL), 0);
    put(guest, "/once/file", "x");
    assert_int_equal(guest_remove(guest, "/once", NULL), 0);
    assert_int_equal(guest_unlink(guest, "/lib64", NULL), 0);
    assert_int_equal(guest_symlink(guest, "usr/lib", "/lib64", NULL), 0);
    expect(guest, "");
}

static void a_file_replaced_by_its_like_is_unchanged(void **state)
{
    struct guest *guest = ((struct world *)*state)->guest;
    put(guest, "/etc/.hostname.new", "old\n");
    assert_int_equal(guest_rename(guest, "/etc/.hostname.new", "/etc/hostname", NULL), 0);
    expect(guest, "");
    put(guest, "/etc/.hostname.new", "other\n");
    assert_int_equal(guest_rename(guest, "/etc/.hostname.new", "/etc/hostname", NULL), 0);
    expect(guest, "~ /etc/hostname\n");
}

static void trees_are_told_file_by_file(void **state)
{
    struct guest *guest = ((struct world *)*state)->guest;
    assert_int_equal(guest_rename(guest, "/srv/tree", "/srv/moved", NULL), 0);
    expect(guest, "+ /srv/moved\n+ /srv/moved/a\n+ /srv/moved/sub\n+ /srv/moved/sub/b\n"
                  "- /srv/tree\n- /srv/tree/a\n- /srv/tree/sub\n- /srv/tree/sub/b\n");
    assert_int_equal(guest_rename(guest, "/srv/moved", "/srv/tree", NULL), 0);
    expect(guest, "");
    assert_int_equal(guest_remove(guest, "/srv", NULL), 0);
    expect(guest, "- /srv\n- /srv/tree\n- /srv/tree/a\n- /srv/tree/sub\n- /srv/tree/sub/b\n");
}

static void one_file_has_one_entry(void **state)
{
    struct guest *guest = ((struct world *)*state)->guest;
    put(guest, "/lib64/ld.so", "1");
    put(guest, "/usr/lib/ld.so", "2");
    put(guest, "/usr/../lib64/./ld.so", "3");
    put(guest, "/etc/resolv.conf", "nameserver");
    expect(guest, "+ /run/resolv.conf\n+ /usr/lib/ld.so\n");
}

static void a_directory_that_becomes_a_link_hides_its_files(void **state)
{
    struct guest *guest = ((struct world *)*state)->guest;
    put(guest, "/srv/tree/a", "changed");
    assert_int_equal(guest_rename(guest, "/srv/tree", "/srv/real", NULL), 0);
    assert_int_equal(guest_symlink(guest, "real", "/srv/tree", NULL), 0);
    expect(guest, "+ /srv/real\n+ /srv/real/a\n+ /srv/real/sub\n+ /srv/real/sub/b\n~ /srv/tree\n"
                  "- /srv/tree/a\n- /srv/tree/sub\n- /srv/tree/sub/b\n");
    put(guest, "/srv/tree/a", "again");
    put(guest, "/srv/tree/new", "n");
    assert_int_equal(entry_of(guest, "/srv/real/new")->change, GUEST_CHANGE_CREATED);
}

static void attributes_are_told_apart_from_contents(void **state)
{
    struct guest *guest = ((struct world *)*state)->guest;
    const struct guest_times times = {.atime = 5, .mtime = 6};
    assert_int_equal(guest_set_times(guest, "/srv/tree/a", &times, NULL), 0);
    assert_int_equal(guest_set_xattr(guest, "/etc/hostname", "user.x", "1", 1, NULL), 0);
    assert_int_equal(guest_lchown(guest, "/lib64", 7, 7, NULL), 0);
    expect(guest, "= /etc/hostname\n= /lib64\n= /srv/tree/a\n");
    assert_int_equal(guest_set_xattr(guest, "/etc/hostname", "user.x", NULL, 0, NULL), 0);
    assert_int_equal(guest_lchown(guest, "/lib64", 0, 0, NULL), 0);
    expect(guest, "= /srv/tree/a\n");
}

static void programs_leave_their_mark(void **state)
{
    struct world *world = *state;
    struct guest_run_result result = {0};
    assert_false(guest_journal_of(world->guest)->programs_ran);
    assert_int_equal(guest_run(world->guest, "true", &result, NULL), 0);
    guest_run_result_free(&result);
    assert_true(guest_journal_of(world->guest)->programs_ran);
    assert_null(guest_journal_of(&world->fake->guest));
}

static void failures_of_the_guest_come_through(void **state)
{
    struct world *world = *state;
    struct error *error = NULL;
    world->fake->fault = "write";
    world->fake->fault_errno = ENOSPC;
    assert_int_equal(guest_write(world->guest, "/etc/motd", "x", 1, &plain, &error), -ENOSPC);
    assert_non_null(strstr(error_message(error), "/etc/motd in the guest"));
    error_free(error);
    assert_int_equal(guest_unlink(world->guest, "/nowhere/at/all", NULL), -ENOENT);
    expect(world->guest, "");
}

static void large_files_count_as_changed_when_written(void **state)
{
    struct world *world = *state;
    size_t size = guest_journal_keep_max + 1;
    char *large = calloc(1, size);
    fake_add_bytes(world->fake, "/var/large", large, size);
    fake_add_bytes(world->fake, "/var/fits", large, size - 1);
    assert_int_equal(guest_write(world->guest, "/var/large", large, size, &plain, NULL), 0);
    assert_int_equal(guest_write(world->guest, "/var/fits", large, size - 1, &plain, NULL), 0);
    expect(world->guest, "~ /var/large\n");
    assert_null(entry_of(world->guest, "/var/large")->old_contents);
    free(large);
}

static void nothing_is_kept_unless_asked(void **state)
{
    (void)state;
    struct fake_guest *fake = fake_guest_new();
    struct guest *guest = NULL;
    fill(fake);
    assert_int_equal(guest_journal_open(&fake->guest, false, &guest, NULL), 0);
    put(guest, "/etc/hostname", "new\n");
    put(guest, "/etc/shadow", "root:*:\n");
    expect(guest, "~ /etc/hostname\n");
    assert_null(entry_of(guest, "/etc/hostname")->old_contents);
    fake_guest_free((struct fake_guest *)guest_journal_unwrap(guest));
}

#define journal_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        journal_test(reading_changes_nothing),
        journal_test(each_kind_of_change_is_told),
        journal_test(what_comes_to_nothing_is_not_told),
        journal_test(a_file_replaced_by_its_like_is_unchanged),
        journal_test(trees_are_told_file_by_file),
        journal_test(one_file_has_one_entry),
        journal_test(a_directory_that_becomes_a_link_hides_its_files),
        journal_test(attributes_are_told_apart_from_contents),
        journal_test(programs_leave_their_mark),
        journal_test(failures_of_the_guest_come_through),
        journal_test(large_files_count_as_changed_when_written),
        cmocka_unit_test(nothing_is_kept_unless_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
