/* --ssh-inject */

#include <utime.h>

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

#define ED25519 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM+PajjlSv54D+NNTYHnOHIb0Keq+DH3Kbdsbo88iO69"
#define ECDSA                                                                                      \
    "ecdsa-sha2-nistp256 "                                                                         \
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBAoanQFzVfUB44gqHklpLTKb6sQXUzPmScfcldSu" \
    "tjfW1IFM1aBAWI/Vdz0Be47/LLLiDGApSTi1sWxOIHUWC04="

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
                             "bobby:x:1:1::/home/bobby:/bin/sh\n"
                             "bob:x:1000:1001:Bob,,,:/home/bob:/bin/sh\n"
                             "lost:x:1002:1002::/home/lost:/bin/sh\n"
                             "bad:x:minus:0::/home/bad:/bin/sh\n"
                             "huge:x:4294967295:0::/home/bad:/bin/sh\n"
                             "nohome:x:5:5:::/bin/sh\n"
                             "relative:x:6:6::home/x:/bin/sh\n"
                             "short:x:7\n"
                             "last:x:8:9::/home/bob";

static int set_up(void **state)
{
    if (world_set_up(state) < 0)
        return -1;
    struct world *w = *state;
    fake_add_file(w->fake, "/etc/passwd", 0644, 0, 0, passwd);
    fake_add_dir(w->fake, "/root");
    fake_add_dir(w->fake, "/home/bob");
    return 0;
}

static void expect_owner(struct world *w, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
    struct guest_stat st;
    assert_int_equal(guest_stat(&w->fake->guest, path, false, &st, NULL), 0);
    assert_int_equal(st.mode, mode);
    assert_int_equal(st.uid, uid);
    assert_int_equal(st.gid, gid);
}

static void the_user_owns_what_is_made(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_do(w, "ssh-inject", "bob:string:" ED25519 " bob@home"), 0);
    world_expect(w, "/home/bob/.ssh/authorized_keys", ED25519 " bob@home\n");
    expect_owner(w, "/home/bob/.ssh", S_IFDIR | 0700, 1000, 1001);
    expect_owner(w, "/home/bob/.ssh/authorized_keys", S_IFREG | 0600, 1000, 1001);
    assert_int_equal(world_do(w, "ssh-inject", "root:string:" ED25519), 0);
    expect_owner(w, "/root/.ssh", S_IFDIR | 0700, 0, 0);
}

static void keys_are_added_once(void **state)
{
    struct world *w = *state;
    static const char file[] = "/root/.ssh/authorized_keys";
    fake_add_file(w->fake, file, 0640, 3, 4, "# mine\nfrom=\"10.0.0.1\" " ED25519 " x\n" ECDSA);
    assert_int_equal(world_do(w, "ssh-inject", "root:string:" ECDSA " again"), 0);
    assert_int_equal(world_do(w, "ssh-inject", "root:string:" ED25519 " y"), 0);
    assert_int_equal(world_do(w, "ssh-inject", "root:string:" ED25519 " z"), 0);
    world_expect(w, file, "# mine\nfrom=\"10.0.0.1\" " ED25519 " x\n" ECDSA "\n" ED25519 " y\n");
    expect_owner(w, file, S_IFREG | 0640, 3, 4);
    /* What a guest's comments are made of does not matter. */
    fake_add_file(w->fake, file, 0640, 3, 4, ECDSA " Andr\xe9\r\n");
    assert_int_equal(world_do(w, "ssh-inject", "root:string:" ECDSA), 0);
    world_expect(w, file, ECDSA " Andr\xe9\r\n");
}

static void a_file_may_hold_several_keys(void **state)
{
    struct world *w = *state;
    static const char keys[] =
        "# work\r\n" ED25519 " a\r\n\n   \n  no-pty,command=\"echo \\\" hi\" " ECDSA
        " b c \n" ED25519 " twice";
    char argument[160];
    const char *path = world_file(w, "keys.pub", keys, strlen(keys));
    snprintf(argument, sizeof(argument), "last:file:%s", path);
    assert_int_equal(world_do(w, "ssh-inject", argument), 0);
    unlink(path);
    world_expect(w, "/home/bob/.ssh/authorized_keys",
                 ED25519 " a\nno-pty,command=\"echo \\\" hi\" " ECDSA " b c\n");
    expect_owner(w, "/home/bob/.ssh", S_IFDIR | 0700, 8, 9);
}

static void what_is_no_public_key_is_refused(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "the key given: holds no key"},
        {"\n# nothing\n", "the key given: holds no key"},
        {"ssh-ed25519", "the key given: the key behind its type is not valid base64"},
        {"ssh-ed25519 AAAA.... user@localhost", "not valid base64"},
        {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM+PajjlSv54D+NNTYHnOHIb0Keq+DH3Kbdsbo88iO6",
         "not valid base64"},
        {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM+PajjlSv54D+NNTYHnOHIb0Keq+DH3Kbdsbo88",
         "cut short"},
        {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "cut short"},
        {"ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIM+PajjlSv54D+NNTYHnOHIb0Keq+DH3Kbdsbo88iO69",
         "of another type"},
        {ED25519 "\nrubbish", "the key given:2: is no OpenSSH public key"},
        {"AAAAC3NzaC1lZDI1NTE5AAAAIM+PajjlSv54D+NNTYHnOHIb0Keq+DH3Kbdsbo88iO69",
         "no known key type"},
        {"command=\"x ssh-ed25519 " ED25519, "quote in the options is not closed"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char argument[512];
        snprintf(argument, sizeof(argument), "root:string:%s", cases[i].text);
        assert_int_equal(world_add(w, "ssh-inject", argument), -EINVAL);
        assert_error_has(w, cases[i].message);
    }
    assert_int_equal(
        world_add(w, "ssh-inject", "root:string:-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNz"),
        -EINVAL);
    assert_non_null(strstr(error_remedy(w->error), ".pub"));
}

static void key_files_are_read_at_once(void **state)
{
    struct world *w = *state;
    char argument[160];
    snprintf(argument, sizeof(argument), "root:file:%s/none", w->directory);
    assert_int_equal(world_add(w, "ssh-inject", argument), -ENOENT);
    snprintf(argument, sizeof(argument), "root:file:%s", w->directory);
    assert_int_equal(world_add(w, "ssh-inject", argument), -EISDIR);
    const char *path = world_file(w, "k", ED25519 "\0", sizeof(ED25519));
    snprintf(argument, sizeof(argument), "root:file:%s", path);
    assert_int_equal(world_add(w, "ssh-inject", argument), -EINVAL);
    unlink(path);
    assert_int_equal(world_add(w, "ssh-inject", "root:file:"), -EINVAL);
}

static void accounts_come_from_the_guest(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *user, *part;
        int r;
    } cases[] = {
        {"alice", "no user alice", -ENOENT},
        {"bo", "no user bo", -ENOENT},
        {"lost", "/home/lost", -ENOENT},
        {"bad", "no valid user and group id for user bad", -EINVAL},
        {"huge", "no valid user and group id for user huge", -EINVAL},
        {"nohome", "no valid home", -EINVAL},
        {"relative", "no valid home", -EINVAL},
        {"short", "no user short", -ENOENT},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char argument[256];
        snprintf(argument, sizeof(argument), "%s:string:%s", cases[i].user, ED25519);
        assert_int_equal(world_do(w, "ssh-inject", argument), cases[i].r);
        assert_error_has(w, cases[i].part);
        assert_int_equal(w->fake->changes, 0);
    }
}

static void a_failing_guest_is_reported(void **state)
{
    struct world *w = *state;
    static const char *const faults[] = {"mkdir", "chmod", "chown", "write", "read"};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        w->fake->fault = faults[i];
        w->fake->fault_errno = EIO;
        assert_int_equal(world_do(w, "ssh-inject", "root:string:" ED25519), -EIO);
        assert_error_has(w, "--ssh-inject");
        w->fake->fault = NULL;
        assert_int_equal(world_do(w, "delete", "/root/.ssh"), 0);
    }
}

static void put_key(const char *directory, const char *name, const char *key, time_t mtime)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/.ssh/%s", directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(key, file);
    assert_int_equal(fclose(file), 0);
    const struct utimbuf times = {mtime, mtime};
    assert_int_equal(utime(path, &times), 0);
}

static void the_newest_own_key_is_the_default(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"id_old.pub", "id_new.pub", "id_new-cert.pub", "other.pub",
                                        "id_new"};
    char path[160];
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    assert_int_equal(setenv("HOME", w->directory, 1), 0);
    assert_int_equal(world_add(w, "ssh-inject", "root"), -ENOENT);
    snprintf(path, sizeof(path), "%s/.ssh", w->directory);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(world_add(w, "ssh-inject", "root"), -ENOENT);
    assert_non_null(strstr(error_remedy(w->error), "ssh-keygen"));
    put_key(w->directory, names[0], ECDSA "\n", 1000);
    put_key(w->directory, names[1], ED25519 " new\n", 2000);
    for (size_t i = 2; i < ARRAY_SIZE(names); i++)
        put_key(w->directory, names[i], "rubbish\n", 3000);
    assert_int_equal(world_do(w, "ssh-inject", "root"), 0);
    world_expect(w, "/root/.ssh/authorized_keys", ED25519 " new\n");
    assert_int_equal(world_do(w, "ssh-inject", "bob:"), 0);
    world_expect(w, "/home/bob/.ssh/authorized_keys", ED25519 " new\n");
    unsetenv("HOME");
    assert_int_equal(world_add(w, "ssh-inject", "root"), -ENOENT);
    assert_error_has(w, "HOME");

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof(path), "%s/.ssh/%s", w->directory, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/.ssh", w->directory);
    rmdir(path);
    if (home)
        setenv("HOME", home, 1);
    free(home);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(the_user_owns_what_is_made),   T(keys_are_added_once),
        T(a_file_may_hold_several_keys), T(what_is_no_public_key_is_refused),
        T(key_files_are_read_at_once),   T(accounts_come_from_the_guest),
        T(a_failing_guest_is_reported),  T(the_newest_own_key_is_the_default),
    };
    return cmocka_run_group_tests_name("customize/ssh", tests, NULL, NULL);
}
