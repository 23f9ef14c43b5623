/* --root-password, --password, --password-crypto */

#include <crypt.h>

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

static const char shadow[] = "root:$6$old$hash:19000:0:99999:7:::\n"
                             "broken line without colons\n"
                             "\n"
                             "rooter:!:19000:0:99999:7:::\n"
                             "short:x\n"
                             "bob:!:19001:0:99999:7:::\n"
                             "root:second:1:::::";

static int set_up(void **state)
{
    if (world_set_up(state) < 0)
        return -1;
    struct world *w = *state;
    fake_add_file(w->fake, "/etc/shadow", 0640, 0, 42, shadow);
    return 0;
}

/* For tests where the kind of hash does not matter: yescrypt takes its time. */
static int set_up_sha512(void **state)
{
    if (set_up(state) < 0)
        return -1;
    struct world *w = *state;
    fake_add_file(w->fake, "/etc/login.defs", 0644, 0, 0, "ENCRYPT_METHOD SHA512\n");
    return 0;
}

/* The password field of the user's first entry; valid until the next call. */
static const char *field_of(struct world *w, const char *user)
{
    static char field[512];
    char start[64];
    snprintf(start, sizeof(start), "%s:", user);
    const char *line = fake_content(w->fake, "/etc/shadow");
    while (line && !str_starts(line, start)) {
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    assert_non_null(line);
    line += strlen(start);
    snprintf(field, sizeof(field), "%.*s", (int)strcspn(line, ":\n"), line);
    return field;
}

static void assert_hash_of(const char *field, const char *prefix, const char *password)
{
    struct crypt_data *work = calloc(1, sizeof(*work));
    assert_true(str_starts(field, prefix));
    assert_string_equal(crypt_rn(password, field, work, sizeof(*work)), field);
    free(work);
}

static void expect_field(struct world *w, const char *argument, const char *prefix,
                         const char *password)
{
    assert_int_equal(world_do(w, "root-password", argument), 0);
    assert_hash_of(field_of(w, "root"), prefix, password);
}

static void a_password_becomes_a_hash_and_nothing_else_changes(void **state)
{
    struct world *w = *state;
    expect_field(w, "password:s3cret", "$6$", "s3cret");
    const char *content = fake_content(w->fake, "/etc/shadow");
    const char *rest = strchr(content + strlen("root:"), ':');
    assert_string_equal(rest, strstr(shadow, ":19000"));
    assert_int_equal(fake_mode(w->fake, "/etc/shadow"), S_IFREG | 0640);
    assert_int_equal(w->context.generated_passwords.count, 0);
}

static void colons_belong_to_the_password(void **state)
{
    struct world *w = *state;
    expect_field(w, "password:a:b:", "$6$", "a:b:");
    assert_int_equal(world_do(w, "password", "bob:password:x:y"), 0);
    assert_hash_of(field_of(w, "bob"), "$6$", "x:y");
}

static void an_empty_password_is_set_with_a_warning(void **state)
{
    struct world *w = *state;
    expect_field(w, "password:", "$6$", "");
    assert_non_null(strstr(w->words.data, "0:The password of root is empty"));
}

static void the_first_line_of_a_file_is_the_password(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *content, *password;
    } cases[] = {{"s3cret", "s3cret"},
                 {"s3cret\n", "s3cret"},
                 {"s3cret\r\nmore\n", "s3cret"},
                 {" a b \nmore", " a b "},
                 {"\n", ""}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char argument[160];
        const char *path = world_file(w, "pw", cases[i].content, strlen(cases[i].content));
        snprintf(argument, sizeof(argument), "file:%s", path);
        expect_field(w, argument, "$6$", cases[i].password);
        unlink(path);
    }
}

static void password_files_are_read_before_the_guest_is_touched(void **state)
{
    struct world *w = *state;
    char argument[160];
    char longer[600];
    memset(longer, 'x', sizeof(longer));
    static const struct {
        const char *content;
        size_t size;
        int r;
    } cases[] = {{"", 0, -ENODATA}, {"a\0b\n", 4, -EILSEQ}, {NULL, 600, -EMSGSIZE}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *content = cases[i].content ? cases[i].content : longer;
        const char *path = world_file(w, "pw", content, cases[i].size);
        snprintf(argument, sizeof(argument), "file:%s", path);
        assert_int_equal(world_add(w, "root-password", argument), cases[i].r);
        assert_error_has(w, path);
        unlink(path);
    }
    snprintf(argument, sizeof(argument), "file:%s", w->directory);
    assert_int_equal(world_add(w, "root-password", argument), -EISDIR);
    snprintf(argument, sizeof(argument), "file:%s/none", w->directory);
    assert_int_equal(world_add(w, "root-password", argument), -ENOENT);
    assert_int_equal(w->fake->changes, 0);
}

static void a_pipe_serves_one_line_to_each(void **state)
{
    struct world *w = *state;
    int fds[2];
    char argument[64];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "one\ntwo\n", 8), 8);
    close(fds[1]);
    snprintf(argument, sizeof(argument), "file:/dev/fd/%d", fds[0]);
    assert_int_equal(world_add(w, "root-password", argument), 0);
    snprintf(argument, sizeof(argument), "bob:file:/dev/fd/%d", fds[0]);
    assert_int_equal(world_add(w, "password", argument), 0);
    close(fds[0]);
    assert_int_equal(world_run(w), 0);
    assert_hash_of(field_of(w, "root"), "$6$", "one");
    assert_hash_of(field_of(w, "bob"), "$6$", "two");
}

static void a_random_password_is_told_once(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_add(w, "root-password", "random"), 0);
    assert_int_equal(world_add(w, "password", "bob:random"), 0);
    assert_int_equal(world_run(w), 0);
    const struct strv *told = &w->context.generated_passwords;
    assert_int_equal(told->count, 2);
    assert_true(str_starts(told->items[0], "root\t"));
    assert_true(str_starts(told->items[1], "bob\t"));
    const char *password = told->items[0] + strlen("root\t");
    assert_int_equal(strlen(password), 16);
    assert_int_equal(strspn(password, "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"),
                     16);
    assert_string_not_equal(password, told->items[1] + strlen("bob\t"));
    assert_hash_of(field_of(w, "root"), "$6$", password);
    assert_null(strstr(w->words.data, password));
}

static void accounts_can_be_locked_and_disabled(void **state)
{
    struct world *w = *state;
    static const char *const cases[][2] = {{"disabled", "*"},          {"disable", "*"},
                                           {"locked", "!!*"},          {"lock", "!!*"},
                                           {"locked:disabled", "!!*"}, {"lock:locked", "!!*"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(world_do(w, "root-password", cases[i][0]), 0);
        assert_string_equal(field_of(w, "root"), cases[i][1]);
    }
    assert_int_equal(world_do(w, "root-password", "locked:password:x:y"), 0);
    assert_true(str_starts(field_of(w, "root"), "!!$6$"));
    assert_hash_of(field_of(w, "root") + 2, "$6$", "x:y");
    assert_int_equal(world_do(w, "password", "short:locked:random"), 0);
    assert_true(str_starts(field_of(w, "short"), "!!$6$"));
    assert_int_equal(w->context.generated_passwords.count, 1);
}

static void what_was_typed_is_never_shown(void **state)
{
    struct world *w = *state;
    static const char *const cases[] = {
        "hunter2",        "hunter2:x", "locked:hunter2",  "file:", "password:hunter2\n", "locked:",
        "random:hunter2", "",          "disabled:hunter2"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(world_add(w, "root-password", cases[i]), -EINVAL);
        assert_error_has(w, "--root-password");
        assert_null(strstr(error_message(w->error), "hunter2"));
        const char *remedy = error_remedy(w->error);
        assert_true(!remedy || !strstr(remedy, "hunter2"));
    }
    assert_int_equal(world_do(w, "password", "nobody:password:hunter2"), -ENOENT);
    assert_error_has(w, "nobody");
    assert_null(strstr(error_message(w->error), "hunter2"));
    w->fake->fault = "write";
    w->fake->fault_errno = EIO;
    assert_int_equal(world_do(w, "root-password", "password:hunter2"), -EIO);
    assert_null(strstr(error_message(w->error), "hunter2"));
    assert_null(strstr(w->words.data, "hunter2"));
    assert_true(customize_operation_find("password")->secret);
    assert_true(customize_operation_find("root-password")->secret);
}

static void one_password_an_account(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_add(w, "root-password", "random"), 0);
    assert_int_equal(world_add(w, "password", "bob:random"), 0);
    assert_int_equal(world_add(w, "password", "root:random"), -EINVAL);
    assert_error_has(w, "root is set twice");
    assert_int_equal(w->plan.count, 2);
}

static void guests_without_the_account_or_the_file_are_refused(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_do(w, "password", "alice:random"), -ENOENT);
    assert_error_has(w, "no account alice");
    assert_int_equal(w->context.generated_passwords.count, 0);
    assert_int_equal(world_do(w, "password", "roo:random"), -ENOENT);
    assert_string_equal(fake_content(w->fake, "/etc/shadow"), shadow);
    assert_int_equal(world_do(w, "delete", "/etc/shadow"), 0);
    assert_int_equal(world_do(w, "root-password", "random"), -ENOENT);
    assert_error_has(w, "no /etc/shadow");
}

/* pam_unix and busybox look into /etc/shadow only where /etc/passwd says "x". */
static void the_field_of_passwd_decides(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *passwd, *shadow, *new_passwd, *new_shadow; /* NULL: no file, or as it was */
    } cases[] = {
        {"root:x:0:0::/:/bin/sh\n", "root:a:1::\n", NULL, "root:*:1::\n"},
        {"root::0:0::/:/bin/sh\n", "root:a:1::\n", "root:x:0:0::/:/bin/sh\n", "root:*:1::\n"},
        {"root:$1$h:0:0::/:/bin/sh\n", "root:a:1::\n", "root:x:0:0::/:/bin/sh\n", "root:*:1::\n"},
        {"root:*NP*:0:0::/:/bin/sh\n", "root:a:1::\n", NULL, "root:*:1::\n"},
        {"root:##root:0:0::/:/bin/sh\n", "root:a:1::\n", NULL, "root:*:1::\n"},
        {"a:x:1:1:::\nroot:$1$h:0:0::/:/bin/sh\n", NULL, "a:x:1:1:::\nroot:*:0:0::/:/bin/sh\n",
         NULL},
        {"root::0:0::/:/bin/sh\n", "bin:*:1::\n", "root:*:0:0::/:/bin/sh\n", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(world_do(w, "delete", "/etc/{passwd,shadow}"), 0);
        fake_add_file(w->fake, "/etc/passwd", 0644, 0, 0, cases[i].passwd);
        if (cases[i].shadow)
            fake_add_file(w->fake, "/etc/shadow", 0640, 0, 42, cases[i].shadow);
        assert_int_equal(world_do(w, "root-password", "disabled"), 0);
        world_expect(w, "/etc/passwd", cases[i].new_passwd ? cases[i].new_passwd : cases[i].passwd);
        if (cases[i].shadow)
            world_expect(w, "/etc/shadow",
                         cases[i].new_shadow ? cases[i].new_shadow : cases[i].shadow);
    }
}

static void the_guest_tells_how_to_hash(void **state)
{
    struct world *w = *state;
    static const char debian_pam[] =
        "# password hashing: sha512\n"
        "password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt\n"
        "password requisite pam_deny.so\n";
    static const struct {
        const char *distro, *version, *init, *path, *content, *prefix;
    } cases[] = {
        {"debian", "12", "systemd", NULL, NULL, "$y$"},
        {"debian", "10", "systemd", NULL, NULL, "$6$"},
        {"debian", "4", "sysvinit", NULL, NULL, "$1$"},
        {"debian", "", "systemd", NULL, NULL, "$y$"},
        {"debian", "12", "busybox", NULL, NULL, "$6$"},
        {"ubuntu", "18.04", "systemd", NULL, NULL, "$6$"},
        {"rocky", "9.3", "systemd", NULL, NULL, "$y$"},
        {"rhel", "8.4", "systemd", NULL, NULL, "$6$"},
        {"centos", "5", "sysvinit", NULL, NULL, "$1$"},
        {"fedora", "39", "systemd", NULL, NULL, "$y$"},
        {"opensuse", "42.3", "systemd", NULL, NULL, "$6$"},
        {"alpinelinux", "3.18.4", "openrc", NULL, NULL, "$6$"},
        {"unheard-of", "1", "unknown", NULL, NULL, "$6$"},
        {"debian", "4", "systemd", "/etc/pam.d/common-password", debian_pam, "$y$"},
        {"rhel", "9.1", "systemd", "/etc/pam.d/system-auth",
         "auth required pam_unix.so yescrypt\n"
         "-password sufficient /lib64/security/pam_unix.so sha512 shadow # yescrypt\n",
         "$6$"},
        {"debian", "12", "systemd", "/etc/pam.d/common-password",
         "password sufficient my_pam_unix.so md5\npassword required pam_unix.so nullok\n", "$y$"},
        {"debian", "12", "systemd", "/etc/login.defs",
         "# ENCRYPT_METHOD DES\nENCRYPT_METHOD\tSHA256\nENCRYPT_METHOD_X MD5\n", "$5$"},
        {"debian", "12", "systemd", "/etc/login.defs", "ENCRYPT_METHOD BCRYPT\n", "$y$"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char distro[16];
        char version[16];
        char init[16];
        snprintf(distro, sizeof(distro), "%s", cases[i].distro);
        snprintf(version, sizeof(version), "%s", cases[i].version);
        snprintf(init, sizeof(init), "%s", cases[i].init);
        w->info.distro = distro;
        w->info.version = version;
        w->info.init = init;
        if (cases[i].path)
            fake_add_file(w->fake, cases[i].path, 0644, 0, 0, cases[i].content);
        expect_field(w, "password:x", cases[i].prefix, "x");
        if (cases[i].path)
            assert_int_equal(guest_unlink(&w->fake->guest, cases[i].path, NULL), 0);
    }
}

static void pam_counts_more_than_login_defs(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/etc/pam.d/common-password", 0644, 0, 0,
                  "password [success=1 default=ignore] pam_unix.so yescrypt\n");
    expect_field(w, "password:x", "$y$", "x");
}

static void the_user_can_choose_how_to_hash(void **state)
{
    struct world *w = *state;
    static const char *const cases[][2] = {
        {"md5", "$1$"}, {"sha256", "$5$"}, {"sha512", "$6$"}, {"yescrypt", "$y$"}};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        /* Before or behind the password: it is a setting. */
        assert_int_equal(world_add(w, "root-password", "password:x"), 0);
        assert_int_equal(world_add(w, "password-crypto", cases[i][0]), 0);
        assert_int_equal(world_run(w), 0);
        assert_hash_of(field_of(w, "root"), cases[i][1], "x");
    }
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up_sha512, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(a_password_becomes_a_hash_and_nothing_else_changes),
        T(colons_belong_to_the_password),
        T(an_empty_password_is_set_with_a_warning),
        T(the_first_line_of_a_file_is_the_password),
        T(password_files_are_read_before_the_guest_is_touched),
        T(a_pipe_serves_one_line_to_each),
        T(a_random_password_is_told_once),
        T(accounts_can_be_locked_and_disabled),
        T(what_was_typed_is_never_shown),
        T(one_password_an_account),
        T(guests_without_the_account_or_the_file_are_refused),
        T(the_field_of_passwd_decides),
        cmocka_unit_test_setup_teardown(the_guest_tells_how_to_hash, set_up, world_tear_down),
        T(pam_counts_more_than_login_defs),
        T(the_user_can_choose_how_to_hash),
    };
    return cmocka_run_group_tests_name("customize/password", tests, NULL, NULL);
}
