/* --copy-in */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

/* A path below the world's directory; valid until the fourth call from now. */
static const char *local(struct world *w, const char *name)
{
    static char paths[4][160];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", w->directory, name);
    return path;
}

static void make_tree(struct world *w)
{
    assert_int_equal(mkdir(local(w, "t"), 0755), 0);
    assert_int_equal(mkdir(local(w, "t/sub"), 0755), 0);
    world_file(w, "t/f", "one", 3);
    assert_int_equal(chmod(local(w, "t/f"), 04751), 0);
    assert_int_equal(link(local(w, "t/f"), local(w, "t/sub/again")), 0);
    assert_int_equal(symlink("../away", local(w, "t/link")), 0);
    assert_int_equal(mkfifo(local(w, "t/pipe"), 0600), 0);
    assert_int_equal(chmod(local(w, "t/sub"), 01750), 0);
    const struct timespec times[] = {{.tv_sec = 1000}, {.tv_sec = 2000}};
    static const char *const names[] = {"t/f", "t/link", "t/sub", "t"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        assert_int_equal(utimensat(AT_FDCWD, local(w, names[i]), times, AT_SYMLINK_NOFOLLOW), 0);
}

static void remove_tree(struct world *w)
{
    static const char *const names[] = {"t/sub/again", "t/sub",  "t/f", "t/link",
                                        "t/pipe",      "t/sock", "t"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        remove(local(w, names[i]));
}

static int copy_in(struct world *w, const char *name, const char *directory)
{
    char argument[256];
    snprintf(argument, sizeof(argument), "%s:%s", local(w, name), directory);
    return world_do(w, "copy-in", argument);
}

static void trees_keep_what_tar_keeps(void **state)
{
    struct world *w = *state;
    make_tree(w);
    fake_add_file(w->fake, "/srv/t/kept", 0644, 0, 0, "kept");
    fake_add_link(w->fake, "/srv/t/f", "kept");
    assert_int_equal(copy_in(w, "t/", "/srv/"), 0);
    struct stat st;
    assert_int_equal(stat(local(w, "t/f"), &st), 0);
    struct guest_stat file = world_stat(w, "/srv/t/f");
    assert_int_equal(file.mode, st.st_mode);
    assert_int_equal(file.uid, st.st_uid);
    assert_int_equal(file.gid, st.st_gid);
    assert_int_equal(file.mtime, 2000);
    assert_int_equal(file.links, 2);
    assert_int_equal(world_stat(w, "/srv/t/sub/again").inode, file.inode);
    assert_int_equal(world_stat(w, "/srv/t/sub").mode, S_IFDIR | 01750);
    assert_int_equal(world_stat(w, "/srv/t/sub").mtime, 2000);
    assert_int_equal(world_stat(w, "/srv/t").mtime, 2000);
    assert_int_equal(world_stat(w, "/srv/t/link").mtime, 2000);
    assert_true(S_ISLNK(world_stat(w, "/srv/t/link").mode));
    assert_int_equal(world_stat(w, "/srv/t/pipe").mode, S_IFIFO | 0600);
    world_expect(w, "/srv/t/f", "one");
    world_expect(w, "/srv/t/kept", "kept");
    remove_tree(w);
}

static void single_files_and_links_go_in_as_they_are(void **state)
{
    struct world *w = *state;
    make_tree(w);
    fake_add_dir(w->fake, "/srv");
    assert_int_equal(copy_in(w, "t/f", "/srv"), 0);
    world_expect(w, "/srv/f", "one");
    assert_int_equal(copy_in(w, "t/link", "/srv"), 0);
    assert_true(S_ISLNK(fake_mode(w->fake, "/srv/link")));
    assert_int_equal(copy_in(w, "t/.", "/srv"), 0);
    world_expect(w, "/srv/sub/again", "one");
    remove_tree(w);
}

static void sockets_are_left_out(void **state)
{
    struct world *w = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    make_tree(w);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", local(w, "t/sock"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    fake_add_dir(w->fake, "/srv");
    assert_int_equal(copy_in(w, "t", "/srv"), 0);
    assert_int_equal(fake_mode(w->fake, "/srv/t/sock"), 0);
    assert_non_null(strstr(w->words.data, "is a socket"));
    remove_tree(w);
}

static void what_cannot_be_copied_is_told(void **state)
{
    struct world *w = *state;
    char argument[256];
    snprintf(argument, sizeof(argument), "%s:/srv", local(w, "absent"));
    assert_int_equal(world_add(w, "copy-in", argument), -ENOENT);
    assert_int_equal(world_add(w, "copy-in", "/etc"), -EINVAL);
    assert_int_equal(world_add(w, "copy-in", "/etc:srv"), -EINVAL);
    assert_int_equal(world_do(w, "copy-in", "/:/"), -EINVAL);
    make_tree(w);
    assert_int_equal(copy_in(w, "t", "/absent"), -ENOENT);
    fake_add_file(w->fake, "/file", 0644, 0, 0, "");
    assert_int_equal(copy_in(w, "t", "/file"), -ENOTDIR);
    fake_add_dir(w->fake, "/srv");
    w->fake->fault = "upload";
    w->fake->fault_errno = ENOSPC;
    assert_int_equal(copy_in(w, "t", "/srv"), -ENOSPC);
    assert_error_has(w, "t/f");
    remove_tree(w);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(trees_keep_what_tar_keeps),
        T(single_files_and_links_go_in_as_they_are),
        T(sockets_are_left_out),
        T(what_cannot_be_copied_is_told),
    };
    return cmocka_run_group_tests_name("customize/copy-in", tests, NULL, NULL);
}
