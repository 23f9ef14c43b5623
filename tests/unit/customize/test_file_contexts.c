/* Which label a path gets: by lines such as real policies have, and by hostile ones. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/str.h"
#include "customize/selinux/file_contexts.h"
#include "tests/unit/unit.h"

#define L(type) "u:r:" type

static const char policy[] = "# a comment\n"
                             "/.*\t\t\tu:r:default_t\n"
                             "/[^/]+\t--\tu:r:etc_runtime_t\n"
                             "/a?quota\\.(user|group)\t--\tu:r:quota_db_t\n"
                             "/nsr(/.*)?\tu:r:var_t\n"
                             "/sys(/.*)?\t<<none>>\n"
                             "/etc/.*\tu:r:etc_t\n"
                             "/usr/.*\tu:r:usr_t\n"
                             "/var/.*\tu:r:var_t\n"
                             "/dev/[^/]*\t-c\tu:r:device_t\n"
                             "/etc/rc\\.d/init\\.d/.*\t--\tu:r:initrc_exec_t\n"
                             "/usr/(.*/)?lib(/.*)?\tu:r:lib_t\n"
                             "/usr/bin/.*\tu:r:bin_t\n"
                             "/usr/lib/systemd/system(/.*)?\tu:r:systemd_unit_file_t\n"
                             "/usr/lib/.*/program(/.*)?\tu:r:bin_t\n"
                             "/var/run/.*\\.*pid\t<<none>>\n"
                             "/var/lib/random-seed\t--\tu:r:random_seed_t\n"
                             "/etc/shadow[~-]?\t--\tu:r:shadow_t\n"
                             "/etc/passwd[~-]?\t--\tu:r:passwd_file_t\n"
                             "/etc/localtime\t-l\tu:r:etc_t\n"
                             "/etc/localtime\t--\tu:r:locale_t\n"
                             "/etc\t-d\tu:r:etc_t\n"
                             "/\t-d\tu:r:root_t\n"
                             "/run/initctl\t-p\tu:r:initctl_t\n"
                             "/etc/hostname\t--\tu:r:hostname_etc_t:s0:c1,c2\n";

static const char homedirs[] = "/home/[^/]+\t-d\tunconfined_u:object_r:user_home_dir_t:s0\n"
                               "/home/[^/]+/.+\tunconfined_u:object_r:user_home_t:s0\n"
                               "/home/[^/]+/\\.ssh(/.*)?\tunconfined_u:object_r:ssh_home_t:s0\n"
                               "/root/\\.ssh(/.*)?\tu:r:ssh_home_t\n";

static struct file_contexts *contexts_of(const char *text)
{
    struct file_contexts *contexts = NULL;
    assert_int_equal(file_contexts_new(&contexts, NULL), 0);
    assert_int_equal(file_contexts_add(contexts, text, strlen(text), NULL), 0);
    return contexts;
}

static void expect(struct file_contexts *contexts, const char *path, mode_t type,
                   const char *wanted)
{
    const char *label = "unset";
    assert_int_equal(file_contexts_lookup(contexts, path, type, &label, NULL), 0);
    if (!label != !wanted || (label && strcmp(label, wanted) != 0))
        fail_msg("%s: %s instead of %s", path, label ? label : "none", wanted ? wanted : "none");
}

static void paths_get_the_label_of_the_last_line_that_fits(void **state)
{
    (void)state;
    _cleanup_file_contexts_ struct file_contexts *contexts = contexts_of(policy);
    static const struct {
        const char *path;
        mode_t type;
        const char *label;
    } cases[] = {
        {"/", S_IFDIR, L("root_t")},
        {"/etc", S_IFDIR, L("etc_t")},
        {"/etc/shadow", S_IFREG, L("shadow_t")},
        {"/etc/shadow-", S_IFREG, L("shadow_t")},
        {"/etc/shadowy", S_IFREG, L("etc_t")},
        {"/etc/shadow", S_IFLNK, L("etc_t")},
        {"/etc/localtime", S_IFLNK, L("etc_t")},
        {"/etc/localtime", S_IFREG, L("locale_t")},
        {"/etc/hostname", S_IFREG, "u:r:hostname_etc_t:s0:c1,c2"},
        {"/etc/rc.d/init.d/x", S_IFREG, L("initrc_exec_t")},
        {"/etc/rcxd/init.d/x", S_IFREG, L("etc_t")},
        {"/aquota.user", S_IFREG, L("quota_db_t")},
        {"/quota.group", S_IFREG, L("quota_db_t")},
        {"/.autorelabel", S_IFREG, L("etc_runtime_t")},
        {"/srv", S_IFDIR, L("default_t")},
        {"/srv/www/x", S_IFREG, L("default_t")},
        {"/nsr", S_IFDIR, L("var_t")},
        {"/usr/share/x", S_IFREG, L("usr_t")},
        {"/usr/lib/x", S_IFREG, L("lib_t")},
        {"/usr/share/lib", S_IFDIR, L("lib_t")},
        {"/usr/lib/systemd/system/guestfs-firstboot.service", S_IFREG, L("systemd_unit_file_t")},
        {"/usr/lib/libreoffice/program/soffice", S_IFREG, L("bin_t")},
        {"/usr/bin/ls", S_IFREG, L("bin_t")},
        {"/sys/kernel", S_IFDIR, NULL},
        {"/var/run/sshd.pid", S_IFREG, NULL},
        {"/dev/null", S_IFCHR, L("device_t")},
        {"/dev/sda", S_IFBLK, L("default_t")},
        {"/run/initctl", S_IFIFO, L("initctl_t")},
        {"//etc///shadow", S_IFREG, L("shadow_t")},
        {"/etc/", S_IFDIR, L("etc_t")},
        {"/etc/a\nb", S_IFREG, L("etc_t")},
        {"/etc/\xff\xfe", S_IFREG, L("etc_t")},
        {"/etc/shadow\n", S_IFREG, L("etc_t")},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        expect(contexts, cases[i].path, cases[i].type, cases[i].label);
}

static void later_files_come_first(void **state)
{
    (void)state;
    _cleanup_file_contexts_ struct file_contexts *contexts = contexts_of(policy);
    static const char local[] = "/srv/www(/.*)?  " L("httpd_sys_content_t") "\r\n"
                                                                            "/etc/s.*  u:r:mine_t\n"
                                                                            "/usr/bin/ls u:r:ls_t";
    assert_int_equal(file_contexts_add(contexts, homedirs, strlen(homedirs), NULL), 0);
    assert_int_equal(file_contexts_add(contexts, local, strlen(local), NULL), 0);
    expect(contexts, "/home/joe", S_IFDIR, "unconfined_u:object_r:user_home_dir_t:s0");
    expect(contexts, "/home/joe/a b", S_IFREG, "unconfined_u:object_r:user_home_t:s0");
    expect(contexts, "/home/joe/.ssh/authorized_keys", S_IFREG,
           "unconfined_u:object_r:ssh_home_t:s0");
    expect(contexts, "/root/.ssh", S_IFDIR, L("ssh_home_t"));
    expect(contexts, "/srv/www", S_IFDIR, L("httpd_sys_content_t"));
    expect(contexts, "/srv/wwwx", S_IFDIR, L("default_t"));
    expect(contexts, "/etc/shadow", S_IFREG, L("mine_t"));
    expect(contexts, "/usr/bin/ls", S_IFREG, L("ls_t"));
}

static void aliases_are_applied_first(void **state)
{
    (void)state;
    _cleanup_file_contexts_ struct file_contexts *contexts = contexts_of(policy);
    static const char dist[] = "# aliases\n/bin /usr/bin\n/lib64 /usr/lib\n/etc/init.d "
                               "/etc/rc.d/init.d\n\nodd\n/x /\n";
    static const char local[] = "/srv/bin /bin\n";
    assert_int_equal(
        file_contexts_add_aliases(contexts, FILE_CONTEXTS_DISTRIBUTION, dist, strlen(dist), NULL),
        0);
    assert_int_equal(
        file_contexts_add_aliases(contexts, FILE_CONTEXTS_LOCAL, local, strlen(local), NULL), 0);
    expect(contexts, "/bin/sh", S_IFREG, L("bin_t"));
    expect(contexts, "/binx/sh", S_IFREG, L("default_t"));
    expect(contexts, "/srv/bin/sh", S_IFREG, L("bin_t"));
    expect(contexts, "/lib64", S_IFDIR, L("lib_t"));
    expect(contexts, "/etc/init.d/x", S_IFREG, L("initrc_exec_t"));
    expect(contexts, "/x/etc/shadow", S_IFREG, L("shadow_t"));
}

static void lines_that_cannot_be_understood_are_passed_over(void **state)
{
    (void)state;
    _cleanup_file_contexts_ struct file_contexts *contexts =
        contexts_of("/a\n"
                    "/b -q u:r:x_t\n"
                    "/c -- u:r:x_t more\n"
                    "/d nolabel\n"
                    "/e system_u:object_r:\x01:s0\n"
                    "/f[ " L("x_t") "\n"
                                    "/var/run/spice-vdagentd.\\pid -- " L(
                                        "x_t") "\n"
                                               "/g(*) " L("x_t") "\n"
                                                                 "   \n\t/good " L("good_t") "\n");
    static const char *const paths[] = {"/a", "/b", "/c", "/d", "/e", "/f", "/f[", "/g"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        expect(contexts, paths[i], S_IFREG, NULL);
    expect(contexts, "/good", S_IFREG, L("good_t"));
}

static void prefixes_do_not_hide_what_a_pattern_means(void **state)
{
    (void)state;
    _cleanup_file_contexts_ struct file_contexts *contexts = contexts_of("/ab?c " L(
        "optional_t") "\n"
                      "/d*e " L(
                          "star_t") "\n"
                                    "/f{2}g " L(
                                        "count_t") "\n"
                                                   "/one|/two/.* " L(
                                                       "either_t") "\n"
                                                                   "/p\\.q\\+r " L(
                                                                       "escaped_t") "\n"
                                                                                    "/n\\d+ " L(
                                                                                        "digit_"
                                                                                        "t") "\n"
                                                                                             "/"
                                                                                             "k"
                                                                                             "["
                                                                                             "|"
                                                                                             "]"
                                                                                             "("
                                                                                             "/"
                                                                                             "x"
                                                                                             ")"
                                                                                             "?"
                                                                                             " " L(
                                                                                                 "c"
                                                                                                 "l"
                                                                                                 "a"
                                                                                                 "s"
                                                                                                 "s"
                                                                                                 "_"
                                                                                                 "t") "\n"
                                                                                                      "/m[]|] " L(
                                                                                                          "bracket_t") "\n"
                                                                                                                       "/z(a|b)y " L(
                                                                                                                           "inner_t") "\n");
    expect(contexts, "/ac", S_IFREG, L("optional_t"));
    expect(contexts, "/abc", S_IFREG, L("optional_t"));
    expect(contexts, "/e", S_IFREG, L("star_t"));
    expect(contexts, "/ddde", S_IFREG, L("star_t"));
    expect(contexts, "/ffg", S_IFREG, L("count_t"));
    expect(contexts, "/fg", S_IFREG, NULL);
    expect(contexts, "/one", S_IFREG, L("either_t"));
    expect(contexts, "/two/x", S_IFREG, L("either_t"));
    expect(contexts, "/p.q+r", S_IFREG, L("escaped_t"));
    expect(contexts, "/n42", S_IFREG, L("digit_t"));
    expect(contexts, "/k|", S_IFREG, L("class_t"));
    expect(contexts, "/k|/x", S_IFREG, L("class_t"));
    expect(contexts, "/m]", S_IFREG, L("bracket_t"));
    expect(contexts, "/zby", S_IFREG, L("inner_t"));
}

static void patterns_that_explode_are_given_up(void **state)
{
    (void)state;
    static const char *const patterns[] = {
        "/(a+)+b", "/(a|a)*b", "/(.*)*x(.*)*y", "/(a*)*(a*)*(a*)*c", "/(?:(?:a?){50}){50}b",
    };
    char path[300] = "/";
    memset(path + 1, 'a', sizeof(path) - 2);
    path[sizeof(path) - 1] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
        char text[100];
        snprintf(text, sizeof(text), "%s %s\n", patterns[i], L("x_t"));
        _cleanup_file_contexts_ struct file_contexts *contexts = contexts_of(text);
        const char *label = "unset";
        clock_t started = clock();
        int r = file_contexts_lookup(contexts, path, S_IFREG, &label, NULL);
        assert_true(r == 0 || r == -E2BIG);
        assert_true(r < 0 || !label);
        assert_true(clock() - started < 5 * CLOCKS_PER_SEC);
    }
}

static void a_pattern_that_explodes_is_an_error(void **state)
{
    (void)state;
    _cleanup_file_contexts_ struct file_contexts *contexts = contexts_of("/(a+)+[bc] u:r:x_t\n");
    struct error *error = NULL;
    const char *label = "unset";
    expect(contexts, "/aab", S_IFREG, "u:r:x_t");
    assert_int_equal(file_contexts_lookup(contexts, "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                          S_IFREG, &label, &error),
                     -E2BIG);
    assert_string_equal(label, "unset");
    assert_non_null(strstr(error_message(error), "too long"));
    error_free(error);
}

static void monsters_are_no_patterns(void **state)
{
    (void)state;
    struct str text = {0};
    str_append(&text, "/deep");
    for (unsigned i = 0; i < 500; i++)
        str_append(&text, "(");
    for (unsigned i = 0; i < 500; i++)
        str_append(&text, "x)");
    str_append(&text, " u:r:x_t\n/long");
    for (unsigned i = 0; i < 10000; i++)
        str_append(&text, "x?");
    str_append(&text, " u:r:x_t\n/huge(((x{999}){999}){999}) u:r:x_t\n");
    str_append(&text, "(*UTF)/utf.* u:r:x_t\n/good.* u:r:good_t\n");
    char *policy_text = str_take(&text, NULL);
    _cleanup_file_contexts_ struct file_contexts *contexts = contexts_of(policy_text);
    expect(contexts, "/deepx", S_IFREG, NULL);
    expect(contexts, "/longxx", S_IFREG, NULL);
    expect(contexts, "/hugexx", S_IFREG, NULL);
    expect(contexts, "/utf\xff", S_IFREG, NULL);
    expect(contexts, "/good", S_IFREG, L("good_t"));
    free(policy_text);
}

static void there_are_no_more_than_a_policy_has(void **state)
{
    (void)state;
    struct str text = {0};
    for (unsigned i = 0; i < 100001; i++)
        str_append(&text, "/x(a)? a:b:c\n");
    char *policy_text = str_take(&text, NULL);
    struct file_contexts *contexts = NULL;
    struct error *error = NULL;
    assert_int_equal(file_contexts_new(&contexts, NULL), 0);
    assert_int_equal(file_contexts_add(contexts, policy_text, strlen(policy_text), &error), -E2BIG);
    assert_non_null(error);
    error_free(error);
    file_contexts_free(contexts);
    file_contexts_free(NULL);
    free(policy_text);
}

static void paths_that_aliases_blow_up_have_no_label(void **state)
{
    (void)state;
    _cleanup_file_contexts_ struct file_contexts *contexts = contexts_of("/.* a:b:c\n");
    char alias[8300] = "/a /";
    memset(alias + 4, 'x', sizeof(alias) - 5);
    alias[sizeof(alias) - 1] = '\0';
    assert_int_equal(
        file_contexts_add_aliases(contexts, FILE_CONTEXTS_LOCAL, alias, strlen(alias), NULL), 0);
    expect(contexts, "/a/b", S_IFREG, NULL);
    expect(contexts, "/b", S_IFREG, "a:b:c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_get_the_label_of_the_last_line_that_fits),
        cmocka_unit_test(later_files_come_first),
        cmocka_unit_test(aliases_are_applied_first),
        cmocka_unit_test(lines_that_cannot_be_understood_are_passed_over),
        cmocka_unit_test(prefixes_do_not_hide_what_a_pattern_means),
        cmocka_unit_test(patterns_that_explode_are_given_up),
        cmocka_unit_test(a_pattern_that_explodes_is_an_error),
        cmocka_unit_test(monsters_are_no_patterns),
        cmocka_unit_test(there_are_no_more_than_a_policy_has),
        cmocka_unit_test(paths_that_aliases_blow_up_have_no_label),
    };
    return cmocka_run_group_tests_name("customize/file_contexts", tests, NULL, NULL);
}
