/* Repository definitions: where they are read from, which one counts, what a bad one costs. */

#include "repos/repo.h"
#include "tests/unit/repos/world.h"

static void load(struct world *world, struct repo_list *ret, const char *first, const char *second)
{
    _cleanup_error_ struct error *err = NULL;
    _cleanup_strv_ struct strv directories = {0};
    strv_addf(&directories, NULL, "%s/%s", world->dir, first);
    if (second)
        strv_addf(&directories, NULL, "%s/%s", world->dir, second);
    expect_success(repo_list_load(&directories, ret, &world->reporter, &err), &err);
}

static void a_definition_is_read(void **state)
{
    struct world *world = *state;
    _cleanup_repo_list_ struct repo_list list = {0};
    world_text(world, "d/b.conf",
               "# ours\r\n[images.example.org]\r\nuri = http://h/x\r\nuri=http://h/index.asc\r\n"
               "gpgkey=file:///etc/keys/a%20b.gpg\r\n\r\nproxy=off\r\nformat=native\r\nfuture=1\n"
               "[plain]\nuri=/srv/index\ngpgkey=/srv/key\nproxy=http://proxy:3128\n");
    world_text(world, "d/a.conf", "[first]\nuri=file:///srv/index\n\nformat=simplestreams\n");
    world_text(world, "d/ignored.txt", "[no]\nuri=/x\n");
    world_text(world, "d/.hidden.conf", "[no]\nuri=/x\n");
    load(world, &list, "d", NULL);
    /* The file with a blank before "=" is no virt-builder syntax: its section is left out. */
    assert_int_equal(list.count, 2);
    expect_warning(world, "d/b.conf:3: neither [section] nor field=value; repository "
                          "'images.example.org' is left out");
    assert_string_equal(list.items[0].name, "first");
    assert_int_equal(list.items[0].format, REPO_SIMPLESTREAMS);
    assert_null(list.items[0].gpgkey);
    assert_string_equal(list.items[1].gpgkey, "/srv/key");
    assert_string_equal(list.items[1].proxy, "http://proxy:3128");
    assert_true(str_ends(list.items[1].origin, "/d/b.conf:10"));
}

static void keys_and_proxies_are_normalised(void **state)
{
    struct world *world = *state;
    _cleanup_repo_list_ struct repo_list list = {0};
    world_text(world, "d/a.conf",
               "[a]\nuri=http://h/i\ngpgkey=file:///etc/keys/a%20b.gpg\nproxy=off\nformat=\n");
    load(world, &list, "d", NULL);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.items[0].gpgkey, "/etc/keys/a b.gpg");
    assert_string_equal(list.items[0].proxy, "no");
    assert_int_equal(list.items[0].format, REPO_NATIVE);
    assert_null(world->warnings.data);
}

static void broken_definitions_do_not_hide_others(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *text, *warning;
    } cases[] = {
        {"stray=1\n", ":1: a field before the first [section]; the line is ignored"},
        {"[x]\ngpgkey=/k\n", ":1: no uri= is given; repository 'x' is left out"},
        {"[x]\nuri=smb://h/i\n", ":2: uri=smb://h/i is no http, https, ftp or file URI"},
        {"[x]\nuri=relative/index\n", ":2: uri=relative/index is no"},
        {"[x]\nuri=http://u:secret@\n", ":2: uri=http:// is no"},
        {"[x]\nuri=/i\ngpgkey=http://h/key\n", ":3: gpgkey=http://h/key is no local key"},
        {"[x]\nuri=/i\ngpgkey=key\n", ":3: gpgkey=key is no local key"},
        {"[x]\nuri=/i\nformat=exotic\n", ":3: format=exotic is neither"},
        {"[x]\nuri=/i\n /j\n", ":3: an indented line"},
        {"[x\n", ":1: a section name is letters"},
        {"[x]\nuri=/i\nwords\n", ":3: neither [section] nor field=value"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_repo_list_ struct repo_list list = {0};
        _cleanup_free_ char *text = str_printf(NULL, "%s[good]\nuri=/srv/index\n", cases[i].text);
        world_text(world, "d/a.conf", text);
        load(world, &list, "d", NULL);
        expect_warning(world, cases[i].warning);
        assert_int_equal(list.count, 1);
        assert_string_equal(list.items[0].name, "good");
        str_free(&world->warnings);
    }
}

static void files_that_cannot_be_read_are_warnings(void **state)
{
    struct world *world = *state;
    _cleanup_repo_list_ struct repo_list list = {0};
    _cleanup_free_ char *dir = world_path(world, "d/dir.conf");
    _cleanup_free_ char *dangling = world_path(world, "d/dangling.conf");
    world_text(world, "d/z.conf", "[good]\nuri=/srv/index\n");
    assert_int_equal(mkdir(dir, 0755), 0);
    assert_int_equal(symlink("nowhere", dangling), 0);
    load(world, &list, "d", "absent");
    expect_warning(world, "d/dir.conf: is a directory");
    expect_warning(world, "d/dangling.conf: cannot open: No such file");
    assert_int_equal(list.count, 1);
}

static void the_more_important_directory_wins(void **state)
{
    struct world *world = *state;
    _cleanup_repo_list_ struct repo_list list = {0};
    world_text(world, "mine/a.conf", "[same]\nuri=/mine\n[same]\nuri=/again\n");
    world_text(world, "mine/off.conf", "");
    world_text(world, "system/b.conf", "[same]\nuri=/system\n[other]\nuri=/other\n");
    world_text(world, "system/off.conf", "[switched-off]\nuri=/off\n");
    load(world, &list, "mine", "system");
    assert_int_equal(list.count, 2);
    assert_string_equal(list.items[0].uri, "/mine");
    assert_string_equal(list.items[1].uri, "/other");
    expect_warning(world, "a.conf:3: repository 'same' is defined already at ");
    assert_null(strstr(world->warnings.data, "b.conf"));
}

static void directories_follow_the_environment(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "/c/kiln/repos.d", "/c/virt-builder/repos.d", "/x/kiln/repos.d", "/x/virt-builder/repos.d",
        "/y/kiln/repos.d", "/y/virt-builder/repos.d", "/v/kiln/repos.d", "/v/virt-builder/repos.d",
    };
    _cleanup_strv_ struct strv list = {0}, fallback = {0};
    setenv("XDG_CONFIG_HOME", "/c", 1);
    setenv("XDG_CONFIG_DIRS", "/x:relative::/y", 1);
    setenv("VIRT_BUILDER_DIRS", "/v", 1);
    assert_int_equal(repo_directories(&list, NULL), 0);
    assert_int_equal(list.count, ARRAY_SIZE(wanted));
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        assert_string_equal(list.items[i], wanted[i]);
    setenv("XDG_CONFIG_HOME", "relative", 1);
    setenv("HOME", "/h", 1);
    unsetenv("XDG_CONFIG_DIRS");
    unsetenv("VIRT_BUILDER_DIRS");
    assert_int_equal(repo_directories(&fallback, NULL), 0);
    assert_string_equal(fallback.items[1], "/h/.config/virt-builder/repos.d");
    assert_string_equal(fallback.items[3], "/etc/xdg/virt-builder/repos.d");
    assert_string_equal(fallback.items[5], "/etc/virt-builder/repos.d");
    assert_int_equal(fallback.count, 6);
}

static void a_source_is_added_with_its_fingerprint(void **state)
{
    (void)state;
    struct error *err = NULL;
    _cleanup_repo_list_ struct repo_list list = {0};
    _cleanup_free_ char *here = getcwd(NULL, 0);
    expect_success(repo_list_add(&list, "http://u:secret@h/index.asc",
                                 "0x7777 1F7b 63a1 9d8b 3a1f  d1a0 c6a1 1111 2222 3333", &err),
                   &err);
    assert_string_equal(list.items[0].name, "http://h/index.asc");
    assert_string_equal(list.items[0].uri, "http://u:secret@h/index.asc");
    assert_string_equal(list.items[0].fingerprint, "77771F7B63A19D8B3A1FD1A0C6A1111122223333");
    assert_string_equal(list.items[0].origin, "--source");
    expect_success(repo_list_add(&list, "sub/index", NULL, &err), &err);
    assert_true(str_starts(list.items[1].uri, here));
    assert_true(str_ends(list.items[1].uri, "/sub/index"));
    assert_null(list.items[1].fingerprint);
    expect_refusal(repo_list_add(&list, "http://h/i", "C6A1111122223333", &err), -EINVAL, &err,
                   "'C6A1111122223333' is no fingerprint", "gpg --fingerprint");
    expect_refusal(repo_list_add(&list, "http://h/i", "somebody@example.org", &err), -EINVAL, &err,
                   "is no fingerprint", NULL);
    expect_refusal(repo_list_add(&list, "smb://h/i", NULL, &err), -EINVAL, &err,
                   "'smb://h/i' is no http, https, ftp or file URI, nor a path", NULL);
    expect_refusal(repo_list_add(&list, "", NULL, &err), -EINVAL, &err, "'' is no", NULL);
    assert_int_equal(list.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_definition_is_read),
        world_test(keys_and_proxies_are_normalised),
        world_test(broken_definitions_do_not_hide_others),
        world_test(files_that_cannot_be_read_are_warnings),
        world_test(the_more_important_directory_wins),
        cmocka_unit_test(directories_follow_the_environment),
        cmocka_unit_test(a_source_is_added_with_its_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
