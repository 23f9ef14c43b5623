/* All operations on a real ext4 image, through the native engine. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/proc.h"
#include "customize/operation.h"
#include "tests/unit/unit.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM+PajjlSv54D+NNTYHnOHIb0Keq+DH3Kbdsbo88iO69 me"

struct fixture {
    char directory[64];
    char tree[96];
    char image[96];
};

static const struct {
    const char *path;
    mode_t mode;
    const char *content; /* NULL: a directory */
} files[] = {
    {"/bin", 0755, NULL},
    {"/etc", 0755, NULL},
    {"/etc/os-release", 0644, "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian 12\"\n"},
    {"/etc/fstab", 0644, "LABEL=root / ext4 defaults 0 1\n"},
    {"/etc/passwd", 0644, "root:x:0:0:root:/root:/bin/sh\nbob:x:1000:1001::/home/bob:/bin/sh\n"},
    {"/etc/shadow", 0640, "root:*:19000:0:99999:7:::\nbob:!:19001::::::\n"},
    {"/etc/hosts", 0644, "127.0.0.1 localhost\n127.0.1.1 old\n"},
    {"/etc/hostname", 0644, "old\n"},
    {"/etc/timezone", 0644, "Etc/UTC\n"},
    {"/etc/localtime", 0644, "copy"},
    {"/home", 0755, NULL},
    {"/home/bob", 0755, NULL},
    {"/root", 0700, NULL},
    {"/usr", 0755, NULL},
    {"/usr/bin", 0755, NULL},
    {"/usr/share", 0755, NULL},
    {"/usr/share/zoneinfo", 0755, NULL},
    {"/usr/share/zoneinfo/Etc", 0755, NULL},
    {"/usr/share/zoneinfo/Etc/GMT", 0644, "TZif2"},
    {"/var", 0755, NULL},
    {"/var/lib", 0755, NULL},
    {"/var/lib/urandom", 0755, NULL},
    {"/var/log", 0755, NULL},
    {"/var/log/a.log", 0644, "a"},
    {"/var/log/b.log", 0644, "b"},
    {"/var/log/keep", 0644, "k"},
    {"/var/log/old", 0755, NULL},
    {"/var/log/old/c.log", 0644, "c"},
};

static int plant(const struct fixture *f)
{
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char path[256];
        snprintf(path, sizeof(path), "%s%s", f->tree, files[i].path);
        if (!files[i].content) {
            if (mkdir(path, files[i].mode) < 0)
                return -1;
            continue;
        }
        FILE *file = fopen(path, "w");
        if (!file || fputs(files[i].content, file) < 0 || fclose(file) != 0 ||
            chmod(path, files[i].mode) < 0)
            return -1;
    }
    return 0;
}

/* The exit status, or a negative errno. */
static int run(const char *const *argv)
{
    const struct proc_options options = {.argv = argv, PROC_OPTIONS_INIT};
    _cleanup_proc_output_ struct proc_output output = {0};
    int r = proc_run(&options, NULL, 0, 1 << 20, 60000, &output, NULL);
    return r < 0 ? r : output.status;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const char *tmp = getenv("TMPDIR");
    snprintf(f->directory, sizeof(f->directory), "%s/kiln-unit.XXXXXX",
             tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(f->directory))
        return -1;
    snprintf(f->tree, sizeof(f->tree), "%s/tree", f->directory);
    snprintf(f->image, sizeof(f->image), "%s/disk.img", f->directory);
    *state = f;
    if (mkdir(f->tree, 0755) < 0 || plant(f) < 0)
        return -1;
    const char *const argv[] = {"/sbin/mke2fs",   "-q", "-t",    "ext4",   "-L",  "root", "-E",
                                "root_owner=0:0", "-d", f->tree, f->image, "16M", NULL};
    return run(argv) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    const char *const argv[] = {"rm", "-rf", f->directory, NULL};
    int r = run(argv);
    free(f);
    return r;
}

struct opened {
    struct guest *guest;
    struct guest_info info;
    struct customize_plan plan;
    struct customize_context context;
};

static void open_image(struct opened *opened, const struct fixture *f)
{
    const struct guest_open_options options = {
        .format = IMAGE_RAW, .resources.engine = GUEST_ENGINE_NATIVE, .writable = true};
    *opened = (struct opened){0};
    _cleanup_error_ struct error *err = NULL;
    if (guest_open(f->image, &options, &opened->guest, &err) < 0)
        fail_msg("%s", error_message(err));
    if (guest_inspect(opened->guest, &opened->info, &err) < 0)
        fail_msg("%s", error_message(err));
    opened->context = (struct customize_context){.guest = opened->guest, .info = &opened->info};
}

/* The outcome of the plan; the image is closed and must be sound whatever it was. */
static int close_image(struct opened *opened, const struct fixture *f)
{
    _cleanup_error_ struct error *err = NULL;
    int r = customize_run(&opened->plan, &opened->context, &err);
    assert_int_equal(guest_close(opened->guest, NULL), 0);
    customize_plan_free(&opened->plan);
    customize_context_free(&opened->context);
    guest_info_free(&opened->info);
    const char *const argv[] = {"/sbin/e2fsck", "-fn", f->image, NULL};
    assert_int_equal(run(argv), 0);
    return r;
}

static void add(struct opened *opened, const char *name, const char *argument)
{
    _cleanup_error_ struct error *err = NULL;
    if (customize_plan_add(&opened->plan, customize_operation_find(name), argument, &err) < 0)
        fail_msg("%s", error_message(err));
}

static void expect(struct guest *guest, const char *path, mode_t mode, const char *content)
{
    struct guest_stat st;
    _cleanup_free_ char *found = NULL;
    assert_int_equal(guest_stat(guest, path, false, &st, NULL), 0);
    assert_int_equal(st.mode, mode);
    if (!content)
        return;
    if (S_ISLNK(mode))
        assert_int_equal(guest_readlink(guest, path, &found, NULL), 0);
    else
        assert_int_equal(guest_read(guest, path, 1 << 20, &found, NULL, NULL), 0);
    assert_string_equal(found, content);
}

static void expect_owner(struct guest *guest, const char *path, uid_t uid, gid_t gid)
{
    struct guest_stat st;
    assert_int_equal(guest_stat(guest, path, false, &st, NULL), 0);
    assert_int_equal(st.uid, uid);
    assert_int_equal(st.gid, gid);
}

static void everything_at_once_leaves_a_sound_image(void **state)
{
    const struct fixture *f = *state;
    struct opened opened;
    char upload[160];
    open_image(&opened, f);
    snprintf(upload, sizeof(upload), "%s/etc/shadow:/usr/bin", f->tree);
    add(&opened, "root-password", "password:x");
    add(&opened, "password-crypto", "sha256");
    add(&opened, "password", "bob:locked");
    add(&opened, "hostname", "web1.example.com");
    add(&opened, "timezone", "Etc/GMT");
    add(&opened, "ssh-inject", "bob:string:" KEY);
    add(&opened, "write", "/etc/motd:hello");
    add(&opened, "mkdir", "/srv/a/b");
    add(&opened, "append-line", "/etc/motd:world");
    add(&opened, "delete", "/var/log/{*.log,old}");
    add(&opened, "upload", upload);
    assert_int_equal(close_image(&opened, f), 0);

    open_image(&opened, f);
    struct guest *guest = opened.guest;
    expect(guest, "/etc/hostname", S_IFREG | 0644, "web1.example.com\n");
    expect(guest, "/etc/hosts", S_IFREG | 0644,
           "127.0.0.1 localhost\n127.0.1.1 web1.example.com\n");
    expect(guest, "/etc/localtime", S_IFLNK | 0777, "/usr/share/zoneinfo/Etc/GMT");
    expect(guest, "/etc/timezone", S_IFREG | 0644, "Etc/GMT\n");
    expect(guest, "/etc/motd", S_IFREG | 0644, "hello\nworld\n");
    expect(guest, "/srv/a/b", S_IFDIR | 0755, NULL);
    expect(guest, "/home/bob/.ssh", S_IFDIR | 0700, NULL);
    expect_owner(guest, "/home/bob/.ssh", 1000, 1001);
    expect(guest, "/home/bob/.ssh/authorized_keys", S_IFREG | 0600, KEY "\n");
    expect_owner(guest, "/home/bob/.ssh/authorized_keys", 1000, 1001);
    expect(guest, "/usr/bin/shadow", S_IFREG | 0640, files[5].content);
    expect_owner(guest, "/usr/bin/shadow", getuid(), getgid());
    expect(guest, "/var/log/keep", S_IFREG | 0644, "k");
    assert_false(guest_exists(guest, "/var/log/a.log"));
    assert_false(guest_exists(guest, "/var/log/old"));
    expect(guest, "/var/lib/urandom/random-seed", S_IFREG | 0600, NULL);
    _cleanup_free_ char *shadow = NULL;
    assert_int_equal(guest_read(guest, "/etc/shadow", 4096, &shadow, NULL, NULL), 0);
    assert_true(strncmp(shadow, "root:$5$", 8) == 0);
    assert_non_null(strstr(shadow, ":19000:0:99999:7:::\nbob:!!*:19001::::::\n"));
    expect(guest, "/etc/shadow", S_IFREG | 0640, NULL);
    assert_int_equal(close_image(&opened, f), 0);
}

static void a_full_image_is_an_error_and_stays_sound(void **state)
{
    const struct fixture *f = *state;
    struct opened opened;
    char path[128];
    char upload[160];
    open_image(&opened, f);
    snprintf(path, sizeof(path), "%s/large", f->directory);
    int fd = file_open(path, O_WRONLY | O_CREAT, 0600, NULL);
    assert_true(fd >= 0);
    static char block[1 << 16];
    memset(block, 'x', sizeof(block));
    for (size_t i = 0; i < (20 << 20) / sizeof(block); i++)
        assert_int_equal(fd_write_full(fd, block, sizeof(block), path, NULL), 0);
    close(fd);
    snprintf(upload, sizeof(upload), "%s:/large", path);
    add(&opened, "upload", upload);
    assert_int_equal(close_image(&opened, f), -ENOSPC);
}

static void links_do_not_leave_the_guest(void **state)
{
    const struct fixture *f = *state;
    struct opened opened;
    open_image(&opened, f);
    char target[160];
    snprintf(target, sizeof(target), "%s/outside", f->directory);
    assert_int_equal(guest_symlink(opened.guest, target, "/etc/way-out", NULL), 0);
    assert_int_equal(guest_symlink(opened.guest, "../../../../../etc", "/root/up", NULL), 0);
    add(&opened, "write", "/root/up/inside:x");
    assert_int_equal(close_image(&opened, f), 0);

    open_image(&opened, f);
    expect(opened.guest, "/etc/inside", S_IFREG | 0644, "x");
    add(&opened, "write", "/etc/way-out:x");
    /* The guest has no such directory. */
    assert_int_equal(close_image(&opened, f), -ENOENT);
    assert_int_equal(access(target, F_OK), -1);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(everything_at_once_leaves_a_sound_image),
        T(a_full_image_is_an_error_and_stays_sound),
        T(links_do_not_leave_the_guest),
    };
    return cmocka_run_group_tests_name("customize/native", tests, NULL, NULL);
}
