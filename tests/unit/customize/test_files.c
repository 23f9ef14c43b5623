/* --write, --upload, --mkdir, --delete, --append-line */

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

static void write_takes_the_content_as_it_is(void **state)
{
    struct world *w = *state;
    fake_add_dir(w->fake, "/etc");
    assert_int_equal(world_do(w, "write", "/etc/motd:a:b c\n"), 0);
    world_expect(w, "/etc/motd", "a:b c\n");
    assert_int_equal(fake_mode(w->fake, "/etc/motd"), S_IFREG | 0644);
    assert_int_equal(world_do(w, "write", "/etc/empty:"), 0);
    world_expect(w, "/etc/empty", "");
}

static void write_keeps_mode_and_owner_and_follows_links(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/etc/secret", 0600, 7, 8, "old");
    fake_add_link(w->fake, "/etc/link", "secret");
    assert_int_equal(world_do(w, "write", "/etc/link:new"), 0);
    world_expect(w, "/etc/secret", "new");
    assert_int_equal(fake_mode(w->fake, "/etc/secret"), S_IFREG | 0600);
    assert_true(S_ISLNK(fake_mode(w->fake, "/etc/link")));
    assert_int_equal(world_do(w, "write", "/etc:x"), -EISDIR);
}

static void mkdir_makes_what_is_missing(void **state)
{
    struct world *w = *state;
    assert_int_equal(world_do(w, "mkdir", "/a/b/c"), 0);
    assert_int_equal(fake_mode(w->fake, "/a/b/c"), S_IFDIR | 0755);
    assert_int_equal(world_do(w, "mkdir", "/a/b/c"), 0);
    fake_add_file(w->fake, "/file", 0644, 0, 0, "");
    assert_true(world_do(w, "mkdir", "/file/x") < 0);
    assert_error_has(w, "--mkdir");
}

static void upload_keeps_mode_and_owner(void **state)
{
    struct world *w = *state;
    char argument[256];
    const char *path = world_file(w, "tool", "#!/bin/sh\n", 10);
    assert_int_equal(chmod(path, 04750), 0);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);

    fake_add_dir(w->fake, "/usr/bin");
    snprintf(argument, sizeof(argument), "%s:/usr/bin", path);
    assert_int_equal(world_do(w, "upload", argument), 0);
    world_expect(w, "/usr/bin/tool", "#!/bin/sh\n");
    assert_int_equal(fake_mode(w->fake, "/usr/bin/tool"), st.st_mode);
    struct guest_stat in_guest;
    assert_int_equal(guest_stat(&w->fake->guest, "/usr/bin/tool", true, &in_guest, NULL), 0);
    assert_int_equal(in_guest.uid, st.st_uid);
    assert_int_equal(in_guest.gid, st.st_gid);

    snprintf(argument, sizeof(argument), "%s:/usr/bin/other", path);
    assert_int_equal(world_do(w, "upload", argument), 0);
    world_expect(w, "/usr/bin/other", "#!/bin/sh\n");
    unlink(path);
}

static void upload_looks_at_the_local_file_at_once(void **state)
{
    struct world *w = *state;
    char argument[256];
    snprintf(argument, sizeof(argument), "%s/absent:/x", w->directory);
    assert_int_equal(world_add(w, "upload", argument), -ENOENT);
    assert_error_has(w, "absent");
    snprintf(argument, sizeof(argument), "%s:/x", w->directory);
    assert_int_equal(world_add(w, "upload", argument), -EISDIR);
    const char *path = world_file(w, "gone", "x", 1);
    snprintf(argument, sizeof(argument), "%s:/x", path);
    assert_int_equal(world_add(w, "upload", argument), 0);
    unlink(path);
    assert_int_equal(world_run(w), -ENOENT);
    assert_error_has(w, "--upload");
}

static void upload_takes_pipes(void **state)
{
    struct world *w = *state;
    int fds[2];
    char argument[64];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "piped", 5), 5);
    close(fds[1]);
    snprintf(argument, sizeof(argument), "/dev/fd/%d:/piped", fds[0]);
    assert_int_equal(world_do(w, "upload", argument), 0);
    close(fds[0]);
    world_expect(w, "/piped", "piped");
}

static void delete_removes_files_trees_and_links(void **state)
{
    struct world *w = *state;
    fake_add_file(w->fake, "/srv/a/b/c", 0644, 0, 0, "");
    fake_add_file(w->fake, "/etc/keep", 0644, 0, 0, "kept");
    fake_add_link(w->fake, "/srv/link", "/etc");
    fake_add_link(w->fake, "/srv/dangling", "nowhere");
    assert_int_equal(world_do(w, "delete", "/srv/link"), 0);
    assert_int_equal(fake_mode(w->fake, "/srv/link"), 0);
    world_expect(w, "/etc/keep", "kept");
    assert_int_equal(world_do(w, "delete", "/srv/dangling"), 0);
    assert_int_equal(fake_mode(w->fake, "/srv/dangling"), 0);
    assert_int_equal(world_do(w, "delete", "/srv/a/"), 0);
    assert_int_equal(fake_mode(w->fake, "/srv/a"), 0);
    assert_int_equal(world_do(w, "delete", "/srv/absent"), 0);
    assert_int_equal(world_do(w, "delete", "/absent/*/x"), 0);
}

struct glob_case {
    const char *pattern;
    const char *gone; /* the names in /g that the pattern matches, between bars */
};

static void delete_knows_shell_patterns(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"a.log", "b.log", ".hidden",  "c.txt", "a*b",
                                        "{x,y}", "x",     "y",        "[z]",   "d-1",
                                        "d-2",   "q\\",   "\xff\xfe", "sp ace"};
    static const struct glob_case cases[] = {
        {"/g/*.log", "|a.log|b.log|"},
        {"/g/.h*", "|.hidden|"},
        {"/g/?", "|x|y|"},
        {"/g/[xy]", "|x|y|"},
        {"/g/[!x]", "|y|"},
        {"/g/{x,c.txt}", "|x|c.txt|"},
        {"/g/{a,b}.{log,txt}", "|a.log|b.log|"},
        {"/g/{d-{1,2},x}", "|d-1|d-2|x|"},
        {"/g/\\{x,y\\}", "|{x,y}|"},
        {"/g/a\\*b", "|a*b|"},
        {"/g/\\[z\\]", "|[z]|"},
        {"/g/[[]z]", "|[z]|"},
        {"/{g,h}/x", "|x|"},
        {"/g/{x", ""},
        {"/g/{}", ""},
        {"/g/x/", ""},
        {"/g/*/*", ""},
        {"/*/d-[0-9]", "|d-1|d-2|"},
        {"/g/../g//x", "|x|"},
        {"/g/sp*", "|sp ace|"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char path[64];
        for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
            snprintf(path, sizeof(path), "/g/%s", names[n]);
            fake_add_file(w->fake, path, 0644, 0, 0, "");
        }
        assert_int_equal(world_do(w, "delete", cases[i].pattern), 0);
        for (size_t n = 0; n < ARRAY_SIZE(names); n++) {
            snprintf(path, sizeof(path), "/g/%s", names[n]);
            char between_bars[32];
            snprintf(between_bars, sizeof(between_bars), "|%s|", names[n]);
            bool gone = fake_mode(w->fake, path) == 0;
            if (gone != (strstr(cases[i].gone, between_bars) != NULL))
                fail_msg("%s: %s %s", cases[i].pattern, names[n], gone ? "is gone" : "is there");
        }
    }
    assert_int_equal(world_do(w, "delete", "/g/*"), 0);
    assert_int_equal(fake_mode(w->fake, "/g/\xff\xfe"), 0);
    assert_int_not_equal(fake_mode(w->fake, "/g/.hidden"), 0);
}

static void delete_stops_at_absurd_patterns(void **state)
{
    struct world *w = *state;
    assert_int_equal(
        world_do(w, "delete",
                 "/{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"),
        -E2BIG);
    fake_add_link(w->fake, "/loop", "loop");
    assert_int_equal(world_do(w, "delete", "/loop/*"), 0);
    assert_int_equal(world_do(w, "delete", "/loop"), 0);
    assert_int_equal(fake_mode(w->fake, "/loop"), 0);
}

static void append_line_follows_the_file(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *before, *line, *after;
    } cases[] = {
        {"", "x", "x\n"},
        {"a\n", "x", "a\nx\n"},
        {"a", "x", "a\nx\n"},
        {"a\nb", "x", "a\nb\nx\n"},
        {"a\r\nb\r\n", "x", "a\r\nb\r\nx\r\n"},
        {"a\r\nb", "x", "a\r\nb\r\nx\r\n"},
        {"a\rb\r", "x", "a\rb\rx\r"},
        {"a\n", "", "a\n\n"},
        {"a\n", "x:y", "a\nx:y\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char argument[64];
        fake_add_file(w->fake, "/f", 0600, 3, 4, cases[i].before);
        snprintf(argument, sizeof(argument), "/f:%s", cases[i].line);
        assert_int_equal(world_do(w, "append-line", argument), 0);
        world_expect(w, "/f", cases[i].after);
        assert_int_equal(fake_mode(w->fake, "/f"), S_IFREG | 0600);
    }
    assert_int_equal(world_do(w, "append-line", "/new:x"), 0);
    world_expect(w, "/new", "x\n");
    fake_add_dir(w->fake, "/d");
    assert_int_equal(world_do(w, "append-line", "/d:x"), -EINVAL);
    assert_error_has(w, "not a regular file");
}

static void append_line_keeps_bytes_that_are_no_text(void **state)
{
    struct world *w = *state;
    fake_add_bytes(w->fake, "/f", "a\0b\xff", 4);
    assert_int_equal(world_do(w, "append-line", "/f:x"), 0);
    struct guest_stat st;
    assert_int_equal(guest_stat(&w->fake->guest, "/f", true, &st, NULL), 0);
    assert_int_equal(st.size, 7);
    assert_memory_equal(fake_content(w->fake, "/f"), "a\0b\xff\nx\n", 7);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        T(write_takes_the_content_as_it_is),
        T(write_keeps_mode_and_owner_and_follows_links),
        T(mkdir_makes_what_is_missing),
        T(upload_keeps_mode_and_owner),
        T(upload_looks_at_the_local_file_at_once),
        T(upload_takes_pipes),
        T(delete_removes_files_trees_and_links),
        T(delete_knows_shell_patterns),
        T(delete_stops_at_absurd_patterns),
        T(append_line_follows_the_file),
        T(append_line_keeps_bytes_that_are_no_text),
    };
    return cmocka_run_group_tests_name("customize/files", tests, NULL, NULL);
}
