/* --tar-in */

#include <sys/sysmacros.h>

#include "tests/unit/customize/fake_guest.c"
#include "tests/unit/customize/world.h"

/* The parts of a ustar header that the tests choose (POSIX.1-1988, ustar). */
struct member {
    const char *name;
    char type; /* '0' file, '1' hard link, '2' link, '3' and '4' devices, '5' directory, '6' FIFO */
    unsigned mode;
    unsigned uid, gid;
    int64_t mtime;
    const char *link;
    const char *data;
    unsigned major, minor;
};

static void put_octal(char *field, int digits, uint64_t value)
{
    for (field[digits] = '\0'; digits > 0; value /= 8)
        field[--digits] = (char)('0' + value % 8);
}

static void set_checksum(char *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < 512; i++)
        sum += (unsigned char)header[i];
    put_octal(header + 148, 6, sum);
}

static void add_member(struct str *tar, const struct member *member)
{
    static const char zeroes[512];
    char header[513] = {0};
    size_t size = member->data && member->type == '0' ? strlen(member->data) : 0;
    snprintf(header, 101, "%s", member->name);
    put_octal(header + 100, 7, member->mode);
    put_octal(header + 108, 7, member->uid);
    put_octal(header + 116, 7, member->gid);
    put_octal(header + 124, 11, size);
    put_octal(header + 136, 11, (uint64_t)member->mtime);
    header[156] = member->type;
    if (member->link)
        snprintf(header + 157, 100, "%s", member->link);
    memcpy(header + 257, "ustar\00000", 8);
    put_octal(header + 329, 7, member->major);
    put_octal(header + 337, 7, member->minor);
    set_checksum(header);
    str_append_n(tar, header, 512);
    if (size > 0)
        str_append_n(tar, member->data, size);
    str_append_n(tar, zeroes, (512 - size % 512) % 512);
}

static void end_archive(struct str *tar)
{
    static const char zeroes[1024];
    str_append_n(tar, zeroes, sizeof(zeroes));
}

/* --tar-in of those bytes. */
static int do_bytes(struct world *w, const void *data, size_t size, const char *directory)
{
    char argument[256];
    const char *path = world_file(w, "archive", data, size);
    snprintf(argument, sizeof(argument), "%s:%s", path, directory);
    int r = world_do(w, "tar-in", argument);
    snprintf(argument, sizeof(argument), "%s/archive", w->directory);
    unlink(argument);
    return r;
}

static int do_members(struct world *w, const struct member *members, size_t count,
                      const char *directory)
{
    _cleanup_str_ struct str tar = {0};
    for (size_t i = 0; i < count; i++)
        add_member(&tar, &members[i]);
    end_archive(&tar);
    return do_bytes(w, tar.data, tar.length, directory);
}
#define DO(w, members, directory) do_members(w, members, ARRAY_SIZE(members), directory)

static void expect(struct world *w, const char *path, mode_t mode, uid_t uid, gid_t gid,
                   int64_t mtime)
{
    struct guest_stat st = {0};
    assert_int_equal(guest_stat(&w->fake->guest, path, false, &st, NULL), 0);
    assert_int_equal(st.mode, mode);
    assert_int_equal(st.uid, uid);
    assert_int_equal(st.gid, gid);
    assert_int_equal(st.mtime, mtime);
}

static void every_kind_of_member_arrives(void **state)
{
    struct world *w = *state;
    static const struct member members[] = {
        {.name = "./", .type = '5', .mode = 0711, .uid = 9, .gid = 8, .mtime = 50},
        {.name = "./d/", .type = '5', .mode = 01777, .uid = 1, .gid = 2, .mtime = 100},
        {.name = "d/f", .type = '0', .mode = 04750, .uid = 3, .gid = 4, .mtime = 200, .data = "x"},
        {.name = "d/hard", .type = '1', .link = "./d/f"},
        {.name = "d/link", .type = '2', .link = "../../away", .uid = 5, .gid = 6, .mtime = 300},
        {.name = "/deep/er/empty", .type = '0', .mode = 0600, .mtime = 400},
        {.name = "null", .type = '3', .mode = 0666, .mtime = 5, .major = 1, .minor = 3},
        {.name = "disk", .type = '4', .mode = 0660, .gid = 6, .mtime = 6, .major = 8, .minor = 1},
        {.name = "pipe", .type = '6', .mode = 0644, .mtime = 7},
    };
    fake_add_dir(w->fake, "/srv/in");
    assert_int_equal(DO(w, members, "/srv/in"), 0);
    expect(w, "/srv/in", S_IFDIR | 0711, 9, 8, 50);
    expect(w, "/srv/in/d", S_IFDIR | 01777, 1, 2, 100);
    expect(w, "/srv/in/d/f", S_IFREG | 04750, 3, 4, 200);
    world_expect(w, "/srv/in/d/f", "x");
    expect(w, "/srv/in/d/hard", S_IFREG | 04750, 3, 4, 200);
    expect(w, "/srv/in/d/link", S_IFLNK | 0777, 5, 6, 300);
    world_expect_link(w, "/srv/in/d/link", "../../away");
    world_expect(w, "/srv/in/deep/er/empty", "");
    assert_int_equal(fake_mode(w->fake, "/srv/in/deep"), S_IFDIR | 0755);
    expect(w, "/srv/in/null", S_IFCHR | 0666, 0, 0, 5);
    expect(w, "/srv/in/disk", S_IFBLK | 0660, 0, 6, 6);
    expect(w, "/srv/in/pipe", S_IFIFO | 0644, 0, 0, 7);
    struct guest_stat st;
    assert_int_equal(guest_stat(&w->fake->guest, "/srv/in/null", true, &st, NULL), 0);
    assert_int_equal(st.device, makedev(1, 3));
    assert_int_equal(guest_stat(&w->fake->guest, "/srv/in/d/f", true, &st, NULL), 0);
    assert_int_equal(st.links, 2);
}

static void what_is_there_gives_way(void **state)
{
    struct world *w = *state;
    static const struct member members[] = {
        {.name = "dir", .type = '5', .mode = 0700, .uid = 1, .mtime = 10},
        {.name = "file", .type = '0', .mode = 0600, .uid = 1, .mtime = 10, .data = "new"},
        {.name = "was-link", .type = '0', .mode = 0600, .mtime = 10, .data = "new"},
        {.name = "was-empty-dir", .type = '0', .mode = 0600, .mtime = 10, .data = "new"},
        {.name = "was-file", .type = '5', .mode = 0750, .mtime = 10},
        {.name = "bin", .type = '5', .mode = 0700, .uid = 1, .mtime = 10},
        {.name = "bin/tool", .type = '0', .mode = 0755, .mtime = 10, .data = "tool"},
        {.name = "file", .type = '0', .mode = 0640, .mtime = 11, .data = "newer"},
    };
    fake_add_file(w->fake, "/dir/kept", 0644, 0, 0, "kept");
    fake_add_file(w->fake, "/file", 0644, 7, 7, "old");
    fake_add_link(w->fake, "/was-link", "dir/kept");
    fake_add_dir(w->fake, "/was-empty-dir");
    fake_add_file(w->fake, "/was-file", 0644, 0, 0, "");
    fake_add_dir(w->fake, "/usr/bin");
    fake_add_link(w->fake, "/bin", "usr/bin");
    assert_int_equal(DO(w, members, "/"), 0);
    expect(w, "/dir", S_IFDIR | 0700, 1, 0, 10);
    world_expect(w, "/dir/kept", "kept");
    world_expect(w, "/file", "newer");
    expect(w, "/file", S_IFREG | 0640, 0, 0, 11);
    expect(w, "/was-link", S_IFREG | 0600, 0, 0, 10);
    expect(w, "/was-empty-dir", S_IFREG | 0600, 0, 0, 10);
    expect(w, "/was-file", S_IFDIR | 0750, 0, 0, 10);
    /* The guest's own link to a directory stays, and the directory as it was. */
    world_expect_link(w, "/bin", "usr/bin");
    world_expect(w, "/usr/bin/tool", "tool");
    assert_int_equal(fake_mode(w->fake, "/usr/bin"), S_IFDIR | 0755);
    static const struct member onto_full[] = {{.name = "dir", .type = '0', .mode = 0644}};
    assert_int_equal(DO(w, onto_full, "/"), -ENOTEMPTY);
    assert_error_has(w, "dir");
}

struct hostile {
    struct member members[3];
    size_t count;
    const char *part; /* of the message */
};

static void members_that_would_leave_the_directory_are_refused(void **state)
{
    struct world *w = *state;
    static const struct hostile cases[] = {
        {{{.name = "../up", .type = '0', .data = "x"}}, 1, "'..'"},
        {{{.name = "a/../../up", .type = '0', .data = "x"}}, 1, "'..'"},
        {{{.name = "..", .type = '5', .mode = 0777}}, 1, "'..'"},
        {{{.name = "h", .type = '1', .link = "../../etc/shadow"}}, 1, "'..'"},
        {{{.name = "l", .type = '2', .link = "/etc"}, {.name = "l/x", .type = '0', .data = "x"}},
         2,
         "leads through the link"},
        {{{.name = "l", .type = '2', .link = "a/../../../etc"},
          {.name = "l/x/y", .type = '0', .data = "x"}},
         2,
         "leads through the link"},
        {{{.name = "b/l", .type = '2', .link = "/etc"},
          {.name = "a", .type = '2', .link = "b"},
          {.name = "a/l/x", .type = '5', .mode = 0777}},
         3,
         "leads through the link"},
        {{{.name = "l", .type = '2', .link = "/etc"},
          {.name = "h", .type = '1', .link = "l/shadow"}},
         2,
         "leads through the link"},
        {{{.name = "l", .type = '2', .link = "/etc"},
          {.name = "h", .type = '1', .link = "l"},
          {.name = "h/x", .type = '0', .data = "x"}},
         3,
         "leads through the link"},
        {{{.name = ".", .type = '0', .data = "x"}}, 1, "only a directory"},
        {{{.name = "h", .type = '1', .link = "absent"}}, 1, "absent"},
    };
    fake_add_file(w->fake, "/etc/shadow", 0600, 0, 0, "root:x");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(guest_remove(&w->fake->guest, "/srv", NULL), 0);
        fake_add_dir(w->fake, "/srv/in");
        assert_true(do_members(w, cases[i].members, cases[i].count, "/srv/in") < 0);
        assert_error_has(w, cases[i].part);
        assert_error_has(w, "--tar-in");
        assert_int_equal(fake_mode(w->fake, "/etc/x"), 0);
        assert_int_equal(fake_mode(w->fake, "/up"), 0);
        assert_int_equal(fake_mode(w->fake, "/srv/up"), 0);
        world_expect(w, "/etc/shadow", "root:x");
    }
}

/* A directory in the archive does not go through the link before it, as a link of the guest would.
 */
static void a_link_of_the_archive_gives_way_to_a_directory(void **state)
{
    struct world *w = *state;
    static const struct member members[] = {
        {.name = "l", .type = '2', .link = "/etc"},
        {.name = "l", .type = '5', .mode = 0755},
        {.name = "l/x", .type = '0', .mode = 0644, .data = "x"},
    };
    fake_add_dir(w->fake, "/srv");
    fake_add_dir(w->fake, "/etc");
    assert_int_equal(DO(w, members, "/srv"), 0);
    world_expect(w, "/srv/l/x", "x");
    assert_int_equal(fake_mode(w->fake, "/etc/x"), 0);
}

static void names_are_bytes(void **state)
{
    struct world *w = *state;
    static const struct member members[] = {
        {.name = "\xff\xfe", .type = '0', .mode = 0644, .data = "raw"},
        {.name = "\xc3\xa4", .type = '0', .mode = 0644, .data = "utf8"},
    };
    assert_int_equal(DO(w, members, "/"), 0);
    world_expect(w, "/\xff\xfe", "raw");
    world_expect(w, "/\xc3\xa4", "utf8");
    char name[100];
    memset(name, 'n', sizeof(name) - 1);
    name[99] = '\0';
    const struct member longest[] = {{.name = name, .type = '0', .mode = 0644, .data = "long"}};
    assert_int_equal(DO(w, longest, "/"), 0);
}

/* A pax header, POSIX.1-2001, that gives the next member another name. */
static void pax_names_are_taken(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"\xc3\xa4/long \xe2\x82\xac", "\xff/latin \xe4"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char record[128], path[64];
        snprintf(record, sizeof(record), "%zu path=%s\n", strlen(names[i]) + 9, names[i]);
        _cleanup_str_ struct str tar = {0};
        add_member(&tar, &(struct member){.name = "pax", .type = '0', .data = record});
        tar.data[156] = 'x';
        set_checksum(tar.data);
        add_member(&tar, &(struct member){.name = "n", .type = '0', .mode = 0644, .data = "pax"});
        end_archive(&tar);
        assert_int_equal(do_bytes(w, tar.data, tar.length, "/"), 0);
        snprintf(path, sizeof(path), "/%s", names[i]);
        world_expect(w, path, "pax");
    }
}

static void large_files_pass_through_a_temporary_one(void **state)
{
    struct world *w = *state;
    size_t size = (1 << 20) + 1 - 512;
    char *data = malloc(size + 1);
    memset(data, 'L', size);
    data[size] = '\0';
    const struct member members[] = {
        {.name = "a", .type = '0', .mode = 0644, .data = data},
        {.name = "b", .type = '0', .mode = 0644, .data = "small"},
    };
    assert_int_equal(DO(w, members, "/"), 0);
    assert_int_equal(strlen(fake_content(w->fake, "/a")), size);
    world_expect(w, "/b", "small");
    free(data);
}

static void what_is_no_archive_is_refused_at_once(void **state)
{
    struct world *w = *state;
    static const char *const texts[] = {"", "hello", "#!/bin/sh\nexit 0\n"};
    char argument[256];
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *path = world_file(w, "archive", texts[i], strlen(texts[i]));
        snprintf(argument, sizeof(argument), "%s:/", path);
        assert_true(world_add(w, "tar-in", argument) < 0);
        assert_error_has(w, "cannot be read as a tar archive");
        unlink(path);
    }
    assert_int_equal(world_add(w, "tar-in", "/nonexistent.tar:/"), -ENOENT);
    snprintf(argument, sizeof(argument), "%s:/", w->directory);
    assert_int_equal(world_add(w, "tar-in", argument), -EISDIR);
    assert_int_equal(world_add(w, "tar-in", "/etc/passwd:srv"), -EINVAL);
    assert_int_equal(w->plan.count, 0);
    /* An archive of nothing is one. */
    _cleanup_str_ struct str tar = {0};
    end_archive(&tar);
    assert_int_equal(do_bytes(w, tar.data, tar.length, "/"), 0);
    assert_int_equal(do_bytes(w, tar.data, tar.length, "/absent"), -ENOENT);
    fake_add_file(w->fake, "/file", 0644, 0, 0, "");
    assert_int_equal(do_bytes(w, tar.data, tar.length, "/file"), -ENOTDIR);
}

static void cut_archives_are_an_error(void **state)
{
    struct world *w = *state;
    _cleanup_str_ struct str tar = {0};
    add_member(&tar, &(struct member){.name = "a", .type = '0', .mode = 0644, .data = "whole"});
    add_member(&tar, &(struct member){.name = "b", .type = '0', .mode = 0644, .data = "cut off"});
    assert_true(do_bytes(w, tar.data, tar.length - 510, "/") < 0);
    assert_error_has(w, "cannot be read as a tar archive");
    world_expect(w, "/a", "whole");
    assert_int_equal(fake_mode(w->fake, "/b"), 0);
}

static void failures_name_the_member(void **state)
{
    struct world *w = *state;
    static const struct member members[] = {
        {.name = "d/a", .type = '0', .mode = 0644, .data = "1"},
        {.name = "d/b", .type = '0', .mode = 0644, .data = "2"},
    };
    static const char *const faults[] = {"write", "set_times", "mkdir", "stat"};
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        assert_int_equal(guest_remove(&w->fake->guest, "/d", NULL), 0);
        w->fake->fault = faults[i];
        w->fake->fault_errno = ENOSPC;
        assert_int_equal(DO(w, members, "/"), -ENOSPC);
        assert_error_has(w, "--tar-in");
        w->fake->fault = NULL;
    }
}

/* Engines that take many files together. */

static unsigned calls_of_many, files_of_many;

static int count_files(struct guest *guest, const struct guest_new_file *files, size_t count,
                       struct error **err)
{
    calls_of_many++;
    files_of_many += (unsigned)count;
    return fake_create_files(guest, files, count, err);
}

static int set_up_bulk(void **state)
{
    int r = world_set_up(state);
    if (r < 0)
        return r;
    calls_of_many = files_of_many = 0;
    ((struct world *)*state)->fake->ops.create_files = count_files;
    return 0;
}

static void many_files_take_few_calls(void **state)
{
    struct world *w = *state;
    _cleanup_str_ struct str tar = {0};
    enum { count = 1000 };
    for (unsigned i = 0; i < count; i++) {
        char name[32], data[32];
        snprintf(name, sizeof(name), "d/f%u", i);
        snprintf(data, sizeof(data), "contents %u", i);
        add_member(&tar, &(struct member){.name = name, .type = '0', .mode = 0640, .data = data});
    }
    end_archive(&tar);
    /* One that is there is replaced, as the link that it is. */
    fake_add_file(w->fake, "/keep", 0644, 0, 0, "kept");
    fake_add_link(w->fake, "/d/f7", "/keep");
    assert_int_equal(do_bytes(w, tar.data, tar.length, "/"), 0);
    world_expect(w, "/d/f0", "contents 0");
    world_expect(w, "/d/f7", "contents 7");
    world_expect(w, "/d/f999", "contents 999");
    world_expect(w, "/keep", "kept");
    assert_int_equal(fake_mode(w->fake, "/d/f7"), S_IFREG | 0640);
    assert_int_equal(files_of_many, count);
    assert_true(calls_of_many <= 4);
}

static void names_that_come_twice_or_turn_into_others(void **state)
{
    struct world *w = *state;
    static const struct member members[] = {
        {.name = "a", .type = '0', .mode = 0600, .data = "first"},
        {.name = "a", .type = '0', .mode = 0644, .data = "second"},
        {.name = "b", .type = '0', .mode = 0600, .data = "a file"},
        {.name = "b", .type = '2', .link = "a"},
        {.name = "c", .type = '2', .link = "a"},
        {.name = "c", .type = '0', .mode = 0600, .data = "a file"},
        {.name = "e", .type = '0', .mode = 0600, .data = "x"},
        {.name = "e2", .type = '1', .link = "e"},
    };
    assert_int_equal(DO(w, members, "/"), 0);
    world_expect(w, "/a", "second");
    assert_int_equal(fake_mode(w->fake, "/a"), S_IFREG | 0644);
    world_expect_link(w, "/b", "a");
    assert_int_equal(fake_mode(w->fake, "/c"), S_IFREG | 0600);
    world_expect(w, "/c", "a file");
    world_expect(w, "/e2", "x");
    /* A file where a directory would have to be. */
    static const struct member clash[] = {
        {.name = "f", .type = '0', .mode = 0600, .data = "x"},
        {.name = "f/g", .type = '0', .mode = 0600, .data = "x"},
    };
    assert_int_equal(DO(w, clash, "/"), -ENOTDIR);
}

static void failures_of_many_are_told(void **state)
{
    struct world *w = *state;
    static const struct member members[] = {
        {.name = "d/a", .type = '0', .mode = 0644, .data = "1"},
        {.name = "d/b", .type = '0', .mode = 0644, .data = "2"},
    };
    w->fake->fault = "create_files";
    w->fake->fault_errno = ENOSPC;
    assert_int_equal(DO(w, members, "/"), -ENOSPC);
    assert_error_has(w, "2 files");
    assert_error_has(w, "/d/a");
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
#define B(test)                                                                                    \
    {                                                                                              \
#test "_in_bulk", test, set_up_bulk, world_tear_down, NULL                                 \
    }
    const struct CMUnitTest tests[] = {
        T(every_kind_of_member_arrives),
        T(what_is_there_gives_way),
        T(members_that_would_leave_the_directory_are_refused),
        T(a_link_of_the_archive_gives_way_to_a_directory),
        T(names_are_bytes),
        T(pax_names_are_taken),
        T(large_files_pass_through_a_temporary_one),
        T(what_is_no_archive_is_refused_at_once),
        T(cut_archives_are_an_error),
        T(failures_name_the_member),
        T(names_that_come_twice_or_turn_into_others),
        B(every_kind_of_member_arrives),
        B(what_is_there_gives_way),
        B(members_that_would_leave_the_directory_are_refused),
        B(a_link_of_the_archive_gives_way_to_a_directory),
        B(names_are_bytes),
        B(pax_names_are_taken),
        B(large_files_pass_through_a_temporary_one),
        B(many_files_take_few_calls),
        B(names_that_come_twice_or_turn_into_others),
        B(failures_of_many_are_told),
    };
    return cmocka_run_group_tests_name("customize/tar", tests, NULL, NULL);
}
