/* Labels in the guest: of what was touched, of everything, at the next boot, of nothing. */

#include "customize/selinux/selinux.h"
#include "guest/journal/journal.h"
#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

#define LABEL    "security.selinux"
#define CONTEXTS "/etc/selinux/targeted/contexts/files/file_contexts"

#define DEFAULT "system_u:object_r:default_t:s0"
#define ETC     "system_u:object_r:etc_t:s0"

#define DEFAULT "system_u:object_r:default_t:s0"
#define ETC     "system_u:object_r:etc_t:s0"

static const char policy[] = "/.* system_u:object_r:default_t:s0\n"
                             "/etc/.* system_u:object_r:etc_t:s0\n"
                             "/etc/motd -- system_u:object_r:motd_t:s0\n"
                             "/proc(/.*)? <<none>>\n"
                             "/home/[^/]+ -l system_u:object_r:link_t:s0\n";

/* The guest that operations see: it keeps a journal over the fake. */
static struct guest *journal;
/* A file that others than the plan make, after it; NULL: none. */
static const char *made_afterwards;

static void plant(struct world *w)
{
    fake_add_file(w->fake, "/etc/selinux/config", 0644, 0, 0,
                  "# SELINUXTYPE=minimum\nSELINUX=enforcing\n SELINUXTYPE=targeted \n");
    fake_add_file(w->fake, CONTEXTS, 0644, 0, 0, policy);
    fake_add_file(w->fake, "/etc/hosts", 0644, 0, 0, "localhost\n");
    fake_add_xattr(w->fake, "/etc/hosts", LABEL, "joe:joe:net_conf_t:s0");
    fake_add_file(w->fake, "/etc/bare", 0644, 0, 0, "x");
    fake_add_dir(w->fake, "/home");
    w->info.selinux = true;
}

static int set_up(void **state)
{
    if (world_set_up(state) < 0)
        return -1;
    plant(*state);
    return 0;
}

/* Runs the plan on the journal and ends as builders do. */
static int finish(struct world *w)
{
    customize_context_free(&w->context);
    w->context = (struct customize_context){
        .guest = journal ? journal : &w->fake->guest,
        .info = &w->info,
        .reporter = &w->reporter,
    };
    error_clear(&w->error);
    int r = customize_run(&w->plan, &w->context, &w->error);
    if (r == 0 && made_afterwards)
        fake_add_file(w->fake, made_afterwards, 0644, 0, 0, "x");
    if (r == 0)
        r = selinux_apply(&w->context, &w->error);
    if (r == 0 && journal && w->context.settings.labels == CUSTOMIZE_LABEL_TOUCHED)
        r = selinux_label_touched(journal, &w->info, guest_journal_of(journal), &w->reporter,
                                  &w->error);
    customize_plan_free(&w->plan);
    return r;
}

static void open_journal(struct world *w)
{
    assert_int_equal(guest_journal_open(&w->fake->guest, false, &journal, NULL), 0);
}

static int tear_down(void **state)
{
    made_afterwards = NULL;
    struct world *w = *state;
    if (journal) {
        guest_discard(journal); /* takes the fake with it */
        w->fake = fake_guest_new();
    }
    journal = NULL;
    return world_tear_down(state);
}

static void expect_label(struct world *w, const char *path, const char *label)
{
    const char *found = fake_xattr(w->fake, path, LABEL);
    if (!found != !label || (label && strcmp(found, label) != 0))
        fail_msg("%s: %s instead of %s", path, found ? found : "none", label ? label : "none");
}

static void what_was_created_gets_its_label(void **state)
{
    struct world *w = *state;
    open_journal(w);
    assert_int_equal(world_add(w, "write", "/etc/motd:hello"), 0);
    assert_int_equal(world_add(w, "mkdir", "/srv/deep"), 0);
    assert_int_equal(world_add(w, "link", "/etc/motd:/home/joe"), 0);
    assert_int_equal(world_add(w, "append-line", "/etc/hosts:x"), 0);
    assert_int_equal(world_add(w, "append-line", "/etc/bare:x"), 0);
    assert_int_equal(finish(w), 0);
    expect_label(w, "/etc/motd", "system_u:object_r:motd_t:s0");
    expect_label(w, "/srv", DEFAULT);
    expect_label(w, "/srv/deep", DEFAULT);
    expect_label(w, "/home/joe", "system_u:object_r:link_t:s0");
    expect_label(w, "/etc/hosts", "joe:joe:net_conf_t:s0");
    expect_label(w, "/etc/bare", ETC);
    expect_label(w, "/home", NULL);
    expect_label(w, CONTEXTS, NULL);
    assert_null(fake_content(w->fake, "/.autorelabel"));
}

/* The new directory is another one, though it looks like the old one. */
static void what_was_made_again_gets_its_label(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/srv");
    fake_add_xattr(w->fake, "/srv", LABEL, "joe:joe:old_t:s0");
    open_journal(w);
    assert_int_equal(world_add(w, "delete", "/srv"), 0);
    assert_int_equal(world_add(w, "mkdir", "/srv"), 0);
    assert_int_equal(finish(w), 0);
    expect_label(w, "/srv", DEFAULT);
}

static void nothing_is_done_without_selinux_or_when_told_so(void **state)
{
    struct world *w = *state;
    open_journal(w);
    assert_int_equal(world_add(w, "write", "/etc/motd:hello"), 0);
    assert_int_equal(world_add(w, "no-selinux-relabel", NULL), 0);
    assert_int_equal(finish(w), 0);
    expect_label(w, "/etc/motd", NULL);
    w->info.selinux = false;
    assert_int_equal(world_add(w, "write", "/etc/motd2:hello"), 0);
    assert_int_equal(finish(w), 0);
    expect_label(w, "/etc/motd2", NULL);
}

static void everything_is_labelled_on_request(void **state)
{
    struct world *w = *state;
    w->fake->ops.run = NULL;
    w->fake->ops.capabilities = GUEST_CAN_EDIT;
    fake_add_file(w->fake, "/proc/1/status", 0444, 0, 0, "");
    fake_add_file(w->fake, "/dev/null", 0666, 0, 0, "");
    fake_add_file(w->fake, "/srv/keep/a", 0644, 0, 0, "");
    fake_add_file(w->fake, "/srv/keeper", 0644, 0, 0, "");
    fake_add_file(w->fake, "/.autorelabel", 0644, 0, 0, "");
    open_journal(w);
    assert_int_equal(world_add(w, "selinux-relabel-exclude", "/srv/keep/"), 0);
    assert_int_equal(world_add(w, "selinux-relabel", NULL), 0);
    assert_int_equal(finish(w), 0);
    expect_label(w, "/", DEFAULT);
    expect_label(w, "/etc/hosts", ETC);
    expect_label(w, CONTEXTS, ETC);
    expect_label(w, "/dev", DEFAULT);
    expect_label(w, "/dev/null", NULL);
    expect_label(w, "/proc", NULL);
    expect_label(w, "/srv/keep", NULL);
    expect_label(w, "/srv/keep/a", NULL);
    expect_label(w, "/srv/keeper", DEFAULT);
    assert_null(fake_content(w->fake, "/.autorelabel"));
    assert_non_null(strstr(w->words.data, "SELinux: labelled "));
}

static void engines_that_run_programs_let_the_guest_do_it(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_add(w, "selinux-relabel-exclude", "/srv/it's"), 0);
    assert_int_equal(world_add(w, "selinux-relabel", NULL), 0);
    assert_int_equal(finish(w), 0);
    assert_int_equal(w->fake->ran.count, 1);
    assert_string_equal(w->fake->ran.items[0],
                        "exec setfiles -F -e /proc -e /sys -e /dev -e /selinux -e '/srv/it'\\''s' "
                        "'" CONTEXTS "' / </dev/null");
    expect_label(w, "/etc/bare", NULL);
    /* A guest without setfiles. */
    const struct fake_answer answers[] = {{"setfiles", 127, "", 0}, {0}};
    w->fake->answers = answers;
    assert_int_equal(world_add(w, "selinux-relabel", NULL), 0);
    assert_int_equal(finish(w), 0);
    expect_label(w, "/etc/bare", ETC);
}

static void what_programs_made_is_found_by_its_missing_label(void **state)
{
    struct world *w = *state;
    const struct fake_answer answers[] = {{"setfiles", 127, "", 0}, {0}};
    w->fake->answers = answers;
    fake_add_dir(w->fake, "/tmp");
    open_journal(w);
    assert_int_equal(world_add(w, "run-command", "true"), 0);
    assert_int_equal(finish(w), 0);
    assert_int_equal(w->fake->ran.count, 2);
    assert_null(strstr(w->fake->ran.items[1], "-F"));
    expect_label(w, "/etc/bare", ETC);
    expect_label(w, "/etc/hosts", "joe:joe:net_conf_t:s0");
}

static void the_guest_can_do_it_at_its_next_boot(void **state)
{
    struct world *w = *state;
    open_journal(w);
    assert_int_equal(world_add(w, "selinux-relabel-at-boot", NULL), 0);
    assert_int_equal(world_add(w, "write", "/etc/motd:hello"), 0);
    assert_int_equal(finish(w), 0);
    world_expect(w, "/.autorelabel", "");
    expect_label(w, "/etc/motd", NULL);
}

static void other_guests_are_left_alone_with_a_word(void **state)
{
    struct world *w = *state;
    fake_guest_free(w->fake);
    w->fake = fake_guest_new();
    w->info.selinux = false;
    static const char *const options[] = {"selinux-relabel", "selinux-relabel-at-boot"};
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        assert_int_equal(world_add(w, options[i], NULL), 0);
        assert_int_equal(finish(w), 0);
        assert_null(fake_content(w->fake, "/.autorelabel"));
        assert_int_equal(w->fake->changes, 0);
    }
    assert_non_null(strstr(w->words.data, "1:SELinux: this guest has none"));
}

static void choices_exclude_each_other(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_add(w, "selinux-relabel", NULL), 0);
    assert_int_equal(world_add(w, "selinux-relabel", NULL), 0);
    assert_int_equal(world_add(w, "no-selinux-relabel", NULL), -EINVAL);
    assert_error_has(w, "--selinux-relabel and --no-selinux-relabel");
    assert_int_equal(world_add(w, "selinux-relabel-at-boot", NULL), -EINVAL);
    assert_int_equal(world_add(w, "selinux-relabel-exclude", "srv"), -EINVAL);
}

static void a_policy_that_cannot_be_used_is_left_to_the_guest(void **state)
{
    struct world *w = *state;
    static const char *const configs[] = {"SELINUX=enforcing\nSELINUXTYPE=absent\n",
                                          "SELINUX=enforcing\nSELINUXTYPE=../../etc\n", ""};
    for (size_t i = 0; i < ARRAY_SIZE(configs); i++) {
        if (i > 0)
            assert_int_equal(guest_remove(&w->fake->guest, CONTEXTS, NULL), 0);
        fake_add_file(w->fake, "/etc/selinux/config", 0644, 0, 0, configs[i]);
        assert_int_equal(world_add(w, "selinux-relabel", NULL), 0);
        assert_int_equal(finish(w), 0);
        world_expect(w, "/.autorelabel", "");
        assert_non_null(strstr(w->words.data, "0:the guest has no SELinux policy"));
        assert_int_equal(guest_remove(&w->fake->guest, "/.autorelabel", NULL), 0);
    }
}

static void a_policy_that_takes_for_ever_is_left_to_the_guest(void **state)
{
    struct world *w = *state;
    w->fake->ops.capabilities = GUEST_CAN_EDIT;
    fake_add_file(w->fake, CONTEXTS, 0644, 0, 0, "/etc/(x+)+[yz] a:b:c\n");
    char name[200] = "/etc/";
    memset(name + 5, 'x', 150);
    fake_add_file(w->fake, name, 0644, 0, 0, "");
    assert_int_equal(world_add(w, "selinux-relabel", NULL), 0);
    assert_int_equal(finish(w), 0);
    world_expect(w, "/.autorelabel", "");
}

/* As the native engine with the ESP: the mount point is there, what is in it cannot be seen. */
static int (*plain_list)(struct guest *guest, const char *path, guest_dirent_fn *entry,
                         void *context, struct error **err);

static int list_but_esp(struct guest *guest, const char *path, guest_dirent_fn *entry,
                        void *context, struct error **err)
{
    if (strcmp(path, "/boot/efi") == 0)
        return error_set(err, EOPNOTSUPP, "is vfat");
    return plain_list(guest, path, entry, context, err);
}

/* As sysprep's machine-id and random-seed, which come behind the user's own changes. */
static void what_comes_behind_the_plan_is_labelled_too(void **state)
{
    struct world *w = *state;
    w->fake->ops.capabilities = GUEST_CAN_EDIT;
    made_afterwards = "/etc/late";
    assert_int_equal(world_add(w, "selinux-relabel", NULL), 0);
    assert_int_equal(finish(w), 0);
    expect_label(w, "/etc/late", ETC);
    expect_label(w, "/etc/bare", ETC);
}

static void mount_points_out_of_reach_are_passed_over(void **state)
{
    struct world *w = *state;
    plain_list = w->fake->ops.list;
    w->fake->ops.list = list_but_esp;
    w->fake->ops.capabilities = GUEST_CAN_EDIT;
    fake_add_file(w->fake, "/boot/efi/grub", 0644, 0, 0, "");
    fake_add_file(w->fake, "/boot/vmlinuz", 0644, 0, 0, "");
    assert_int_equal(world_add(w, "selinux-relabel", NULL), 0);
    assert_int_equal(finish(w), 0);
    expect_label(w, "/boot/vmlinuz", DEFAULT);
    expect_label(w, "/boot/efi/grub", NULL);
}

static void file_systems_without_labels_are_passed_over(void **state)
{
    struct world *w = *state;
    static const char *const calls[] = {"list_xattrs", "set_xattr"};
    w->fake->ops.capabilities = GUEST_CAN_EDIT;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        w->fake->fault = calls[i];
        w->fake->fault_errno = EOPNOTSUPP;
        assert_int_equal(world_add(w, "selinux-relabel", NULL), 0);
        assert_int_equal(finish(w), 0);
        expect_label(w, "/etc/bare", NULL);
        w->fake->fault_errno = EIO;
        assert_int_equal(world_add(w, "selinux-relabel", NULL), 0);
        assert_int_equal(finish(w), -EIO);
        assert_error_has(w, "SELinux labels");
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_was_created_gets_its_label),
        T(what_was_made_again_gets_its_label),
        T(nothing_is_done_without_selinux_or_when_told_so),
        T(everything_is_labelled_on_request),
        T(engines_that_run_programs_let_the_guest_do_it),
        T(what_programs_made_is_found_by_its_missing_label),
        T(the_guest_can_do_it_at_its_next_boot),
        T(other_guests_are_left_alone_with_a_word),
        T(choices_exclude_each_other),
        T(a_policy_that_cannot_be_used_is_left_to_the_guest),
        T(a_policy_that_takes_for_ever_is_left_to_the_guest),
        T(what_comes_behind_the_plan_is_labelled_too),
        T(mount_points_out_of_reach_are_passed_over),
        T(file_systems_without_labels_are_passed_over),
    };
    return cmocka_run_group_tests_name("customize/selinux", tests, NULL, NULL);
}
