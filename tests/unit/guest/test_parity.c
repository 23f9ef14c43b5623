/*
 * Two engines do the same: every operation that changes a guest is run on two copies, must end
 * alike, and must leave equal trees. By default the native engine on a raw image is held against
 * itself on qcow2 behind qemu-nbd; KILN_PARITY=appliance holds it against libguestfs
 * (tests/vm/guest-parity.t).
 */
#include "tests/unit/guest/fixture.h"

#include <dirent.h>
#include <sys/sysmacros.h>
#include <time.h>

struct pair {
    struct fixture fx;
    char other[300]; /* the second image */
    bool appliance;
    struct guest *guests[2];
    uint64_t state;
};

static bool wants_appliance(void)
{
    const char *value = getenv("KILN_PARITY");
    return value && strcmp(value, "appliance") == 0;
}

/* What the guests begin with: things that a guest has and these tests then meet. */
static void make_tree(const struct fixture *fx)
{
    fixture_root(fx);
    fixture_file(fx, "/etc/fstab", "/dev/sda / ext4 defaults 0 1\n"); /* libguestfs wants one */
    fixture_file(fx, "/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    fixture_file(fx, "/etc/shadow", "root:*:1::::::\n");
    fixture_dir(fx, "/var/lib/empty");
    fixture_file(fx, "/var/lib/full/a", "a");
    fixture_link(fx, "/etc/passwd", "/etc/absolute");
    fixture_link(fx, "../run/later", "/etc/dangling");
    fixture_link(fx, "/var/lib/full", "/etc/elsewhere");
    fixture_link(fx, "loop", "/etc/loop");
    fixture_dir(fx, "/run");
    fixture_dir(fx, "/w");
    _cleanup_free_ char *fifo = fixture_path(fx, "/etc/fifo");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    _cleanup_free_ char *shadow = fixture_path(fx, "/etc/shadow");
    assert_int_equal(chmod(shadow, 0640), 0);
    _cleanup_free_ char *setgid = fixture_path(fx, "/var/lib/empty");
    assert_int_equal(chmod(setgid, 02775), 0);
}

static int set_up(void **state)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    pair->appliance = wants_appliance();
    pair->state = 7;
    fixture_setup(&pair->fx);
    make_tree(&pair->fx);
    /* Equal even in what is random: the images are copies of each other. */
    fixture_mkfs(&pair->fx, "ext4", "64M", NULL);
    snprintf(pair->other, sizeof(pair->other), "%.280s/other.img", pair->fx.dir);
    const char *format = pair->appliance ? "raw" : "qcow2";
    assert_int_equal(
        fixture_command("qemu-img", "convert", "-O", format, pair->fx.image, pair->other), 0);
    *state = pair;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    guest_discard(pair->guests[0]);
    guest_discard(pair->guests[1]);
    fixture_teardown(&pair->fx);
    free(pair);
    return 0;
}

static void open_both(struct pair *pair)
{
    struct guest_open_options options = {.resources.engine = GUEST_ENGINE_NATIVE, .writable = true};
    assert_ok(guest_open(pair->fx.image, &options, &pair->guests[0], err));
    if (pair->appliance)
        options.resources.engine = GUEST_ENGINE_APPLIANCE;
    assert_ok(guest_open(pair->other, &options, &pair->guests[1], err));
}

/* Closes both and turns the second image into a raw one that the native engine reads as well. */
static void close_both(struct pair *pair)
{
    fixture_close(TAKE_PTR(pair->guests[0]));
    fixture_close(TAKE_PTR(pair->guests[1]));
    fixture_check_clean(pair->fx.image);
    if (!pair->appliance) {
        _cleanup_free_ char *raw = str_printf(NULL, "%s.raw", pair->other);
        assert_int_equal(fixture_command("qemu-img", "convert", "-O", "raw", pair->other, raw), 0);
        assert_int_equal(rename(raw, pair->other), 0);
    }
    fixture_check_clean(pair->other);
}

/* Runs the expression for guest 0 and guest 1; both must return the same. */
#define BOTH(pair, expression)                                                                     \
    do {                                                                                           \
        int results_[2];                                                                           \
        struct error *errors_[2] = {0};                                                            \
        for (size_t i_ = 0; i_ < 2; i_++) {                                                        \
            struct guest *guest = (pair)->guests[i_];                                              \
            struct error **err = &errors_[i_];                                                     \
            results_[i_] = (expression);                                                           \
        }                                                                                          \
        if (results_[0] != results_[1])                                                            \
            fail_msg("%s: %d (%s) and %d (%s)", #expression, results_[0],                          \
                     error_message(errors_[0]), results_[1], error_message(errors_[1]));           \
        error_free(errors_[0]);                                                                    \
        error_free(errors_[1]);                                                                    \
    } while (0)

/* Comparing. */

struct names {
    struct strv list;
};

static int add_name(void *context, const char *name, mode_t type)
{
    (void)type;
    return strv_add(&((struct names *)context)->list, name, NULL);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static struct strv list_sorted(struct guest *guest, const char *path)
{
    struct names names = {0};
    assert_ok(guest_list(guest, path, add_name, &names, err));
    if (names.list.count)
        qsort(names.list.items, names.list.count, sizeof(char *), by_name);
    return names.list;
}

static void compare(struct guest *const guests[2], const char *path);

static void compare_dir(struct guest *const guests[2], const char *path)
{
    _cleanup_strv_ struct strv ours = list_sorted(guests[0], path);
    _cleanup_strv_ struct strv theirs = list_sorted(guests[1], path);
    for (size_t i = 0; i < ours.count && i < theirs.count; i++)
        assert_string_equal(ours.items[i], theirs.items[i]);
    assert_int_equal(ours.count, theirs.count);
    for (size_t i = 0; i < ours.count; i++) {
        _cleanup_free_ char *child =
            str_printf(NULL, "%s/%s", strcmp(path, "/") == 0 ? "" : path, ours.items[i]);
        if (strcmp(child, "/lost+found") != 0)
            compare(guests, child);
    }
}

static int join_attribute(void *context, const char *name, const void *value, size_t size)
{
    _cleanup_free_ char *hex = calloc(1, 2 * size + 1);
    hex_encode(value, size, hex);
    return strv_addf(context, NULL, "%s=%s", name, hex);
}

/* What does not depend on the clock or on how the engine lays things out. */
static void compare_more(struct guest *const guests[2], const char *path,
                         const struct guest_stat st[2])
{
    struct strv attributes[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        assert_ok(guest_list_xattrs(guests[i], path, join_attribute, &attributes[i], err));
        if (attributes[i].count)
            qsort(attributes[i].items, attributes[i].count, sizeof(char *), by_name);
    }
    if (attributes[0].count != attributes[1].count)
        fail_msg("%s: %zu and %zu attributes", path, attributes[0].count, attributes[1].count);
    for (size_t i = 0; i < attributes[0].count; i++)
        assert_string_equal(attributes[0].items[i], attributes[1].items[i]);
    strv_free(&attributes[0]);
    strv_free(&attributes[1]);
    if (st[0].links != st[1].links || st[0].device != st[1].device)
        fail_msg("%s: %u and %u names, device %llx and %llx", path, st[0].links, st[1].links,
                 (unsigned long long)st[0].device, (unsigned long long)st[1].device);
    if (str_starts(path, "/t/") && (st[0].atime != st[1].atime || st[0].mtime != st[1].mtime))
        fail_msg("%s: the times differ", path);
}

static void compare(struct guest *const guests[2], const char *path)
{
    struct guest_stat st[2];
    for (size_t i = 0; i < 2; i++)
        assert_ok(guest_stat(guests[i], path, false, &st[i], err));
    bool dir = S_ISDIR(st[0].mode);
    /* A directory's size is how many blocks it once needed, which is the engine's own matter. */
    if (st[0].mode != st[1].mode || st[0].uid != st[1].uid || st[0].gid != st[1].gid ||
        (!dir && st[0].size != st[1].size))
        fail_msg("%s: mode %o, owner %u:%u, size %llu and mode %o, owner %u:%u, size %llu", path,
                 st[0].mode, st[0].uid, st[0].gid, (unsigned long long)st[0].size, st[1].mode,
                 st[1].uid, st[1].gid, (unsigned long long)st[1].size);
    char *data[2] = {0};
    if (dir)
        compare_dir(guests, path);
    for (size_t i = 0; i < 2; i++) {
        if (S_ISREG(st[0].mode))
            assert_ok(guest_read(guests[i], path, 16 << 20, &data[i], NULL, err));
        if (S_ISLNK(st[0].mode))
            assert_ok(guest_readlink(guests[i], path, &data[i], err));
    }
    compare_more(guests, path, st);
    if (data[0] && memcmp(data[0], data[1], (size_t)st[0].size) != 0)
        fail_msg("%s: the contents differ", path);
    free(data[0]);
    free(data[1]);
}

/* Both trees, read by the native engine. */
static void compare_trees(struct pair *pair)
{
    struct guest_open_options options = {.format = IMAGE_RAW,
                                         .resources.engine = GUEST_ENGINE_NATIVE};
    assert_ok(guest_open(pair->fx.image, &options, &pair->guests[0], err));
    assert_ok(guest_open(pair->other, &options, &pair->guests[1], err));
    compare(pair->guests, "/");
    fixture_close(TAKE_PTR(pair->guests[0]));
    fixture_close(TAKE_PTR(pair->guests[1]));
}

/* Operations. */

#define WRITE(path, text, ...)                                                                     \
    BOTH(pair, guest_write(guest, path, text, strlen(text),                                        \
                           &(struct guest_file_attr){__VA_ARGS__}, err))

static void files(struct pair *pair)
{
    WRITE("/etc/new", "new\n", .mode = 0640, .uid = 100, .gid = 200);
    WRITE("/etc/shadow", "kept mode\n", .mode = 0777, .uid = 9, .gid = 9);
    WRITE("/etc/passwd", "forced\n", .mode = 0600, .uid = 70000, .gid = 80000, .force = true);
    WRITE("/etc/setuid", "x", .mode = 06755, .uid = 1);
    WRITE("/etc/absolute", "through the link\n", .mode = 0644);
    WRITE("/etc/dangling", "at its end\n", .mode = 0644);
    WRITE("/etc/empty", "", .mode = 0);
    WRITE("/var/lib/empty/inherits", "x", .mode = 0644, .gid = 5);
    WRITE("/etc/loop", "x", .mode = 0644);
    WRITE("/etc/fifo", "x", .mode = 0644);
    WRITE("/etc", "x", .mode = 0644);
    WRITE("/etc/new/", "x", .mode = 0644);
    WRITE("/etc/none/new", "x", .mode = 0644);
    WRITE("/etc/new/new", "x", .mode = 0644);
    WRITE("/etc/new2/", "x", .mode = 0644);
    WRITE("/../..//etc/./upwards", "x", .mode = 0644);
    WRITE("/etc/\xc3\xa9 and space", "x", .mode = 0644);
    BOTH(pair, guest_replace(guest, "/etc/shadow", "replaced\n", 9, err));
    BOTH(pair, guest_replace(guest, "/etc/absent", "x", 1, err));
}

static void large_files(struct pair *pair)
{
    size_t size = 5 << 20;
    _cleanup_free_ char *data = malloc(size);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 2654435761u >> 13);
    struct guest_file_attr attr = {.mode = 0644};
    BOTH(pair, guest_write(guest, "/w/large", data, size, &attr, err));
    BOTH(pair, guest_write(guest, "/w/large", data, 100001, &attr, err));
    _cleanup_free_ char *name = str_printf(NULL, "%s/upload", pair->fx.dir);
    assert_ok(file_write_atomic(name, data, size, 0600, err));
    _cleanup_close_ int fd = open(name, O_RDONLY | O_CLOEXEC);
    BOTH(pair, (lseek(fd, 0, SEEK_SET), guest_upload(guest, fd, "/w/upload", &attr, err)));
    BOTH(pair, (lseek(fd, 12345, SEEK_SET), guest_upload(guest, fd, "/w/part", &attr, err)));
}

static void directories(struct pair *pair)
{
    BOTH(pair, guest_mkdir(guest, "/w/dir", 0750, err));
    BOTH(pair, guest_mkdir(guest, "/w/dir", 0750, err));
    BOTH(pair, guest_mkdir(guest, "/w/slash/", 01777, err));
    BOTH(pair, guest_mkdir(guest, "/w/none/x", 0750, err));
    BOTH(pair, guest_mkdir(guest, "/etc/passwd/x", 0750, err));
    BOTH(pair, guest_mkdir(guest, "/etc/dangling", 0750, err));
    BOTH(pair, guest_mkdir(guest, "/var/lib/empty/setgid", 0755, err));
    BOTH(pair, guest_mkdir(guest, "/w/special", 06711, err));
    BOTH(pair, guest_mkdir(guest, "/", 0755, err));
    BOTH(pair, guest_mkdir_p(guest, "/w/a/b/../b/c", 0700, err));
    BOTH(pair, guest_mkdir_p(guest, "/etc/passwd/x", 0700, err));
    BOTH(pair, guest_rmdir(guest, "/var/lib/full", err));
    BOTH(pair, guest_rmdir(guest, "/etc/passwd", err));
    BOTH(pair, guest_rmdir(guest, "/w/slash", err));
    BOTH(pair, guest_rmdir(guest, "/w/slash", err));
    BOTH(pair, guest_unlink(guest, "/w/dir", err));
    BOTH(pair, guest_unlink(guest, "/etc/none", err));
    BOTH(pair, guest_unlink(guest, "/etc/loop", err));
    BOTH(pair, guest_unlink(guest, "/etc/fifo", err));
}

static void links_and_names(struct pair *pair)
{
    char target[600];
    memset(target, 't', sizeof(target));
    target[599] = '\0';
    BOTH(pair, guest_symlink(guest, "short", "/w/short", err));
    BOTH(pair, guest_symlink(guest, target, "/w/long", err));
    BOTH(pair, guest_symlink(guest, "-s", "/w/-option", err));
    BOTH(pair, guest_symlink(guest, "x", "/w/short", err));
    BOTH(pair, guest_symlink(guest, "x", "/etc", err));
    BOTH(pair, guest_symlink(guest, "x", "/none/x", err));
    BOTH(pair, guest_symlink(guest, "x", "/etc/elsewhere/link", err));
    BOTH(pair, guest_symlink(guest, "x", "/etc/passwd/link", err));
    BOTH(pair, guest_symlink(guest, "x", "/w/slash-behind/", err));
    BOTH(pair, guest_rename(guest, "/etc/elsewhere/link", "/etc/elsewhere/link2", err));
    BOTH(pair, guest_rename(guest, "/w/short", "/w/renamed", err));
    BOTH(pair, guest_rename(guest, "/w/a", "/var/lib/empty", err));
    BOTH(pair, guest_rename(guest, "/w/a", "/w/moved", err));
    BOTH(pair, guest_rename(guest, "/w/moved", "/w/moved/b/inside", err));
    BOTH(pair, guest_rename(guest, "/w/moved/b", "/w/moved", err));
    BOTH(pair, guest_rename(guest, "/etc/new", "/etc/setuid", err));
    BOTH(pair, guest_rename(guest, "/etc/setuid", "/w/moved", err));
    BOTH(pair, guest_rename(guest, "/w/none", "/w/x", err));
    BOTH(pair, guest_rename(guest, "/w/moved", "/var/lib/moved", err));
}

static void attributes(struct pair *pair)
{
    BOTH(pair, guest_chmod(guest, "/etc/shadow", 04755, err));
    BOTH(pair, guest_chown(guest, "/etc/shadow", 3, 4, err));
    BOTH(pair, guest_chmod(guest, "/etc/absolute", 0604, err));
    BOTH(pair, guest_chown(guest, "/w", 1234567, 7654321, err));
    BOTH(pair, guest_chmod(guest, "/etc/none", 0644, err));
    BOTH(pair, guest_chown(guest, "/etc/none", 0, 0, err));
    BOTH(pair, guest_chmod(guest, "/var/lib/empty", 0711, err));
    BOTH(pair, guest_remove(guest, "/var/lib/full", err));
    BOTH(pair, guest_remove(guest, "/var/lib/moved/", err));
    BOTH(pair, guest_remove(guest, "/etc/absent", err));
}

#define SET(path, name, value, size)                                                               \
    BOTH(pair, guest_set_xattr(guest, path, name, value, size, err))

static void extended_attributes(struct pair *pair)
{
    static const uint8_t acl[] = {2,    0,   0,   0,   1,  0, 6, 0, 255, 255, 255, 255, 2,  0, 6, 0,
                                  0xe8, 3,   0,   0,   4,  0, 4, 0, 255, 255, 255, 255, 16, 0, 6, 0,
                                  255,  255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255};
    char large[3000];
    memset(large, 'L', sizeof(large));
    SET("/t/file", "user.text", "words", 5);
    SET("/t/file", "user.empty", "", 0);
    SET("/t/file", "user.it's \"quoted\" $(x)", "\0\1\377\0binary", 10);
    SET("/t/file", "security.selinux", "system_u:object_r:etc_t:s0", 27);
    SET("/t/file", "trusted.large", large, sizeof(large));
    SET("/t/file", "trusted.large2", large, sizeof(large)); /* no room */
    SET("/t/file", "user.text", "other words", 11);
    SET("/t/file", "user.absent", NULL, 0);
    SET("/t/file", "user.empty", NULL, 0);
    SET("/t/file", "nonsense.x", "x", 1);
    SET("/t/file", "user.", "x", 1);
    SET("/t/file", "system.posix_acl_access", acl, sizeof(acl));
    SET("/t/file", "system.posix_acl_access", acl, sizeof(acl) - 8);
    SET("/t/file", "system.posix_acl_default", acl, sizeof(acl));
    SET("/t", "system.posix_acl_default", acl, sizeof(acl));
    SET("/t/link", "security.selinux", "link_t\0x", 9);
    SET("/t/link", "user.x", "x", 1);
    SET("/t/link", "user.x", NULL, 0);
    SET("/t/pipe", "trusted.x", "x", 1);
    SET("/t/pipe", "user.x", "x", 1);
    SET("/t/none", "user.x", "x", 1);
    SET("/t/none", "user.x", "\0x", 2);
    SET("/t/file/x", "user.x", "x", 1);
    BOTH(pair, guest_chmod(guest, "/t/file", 0604, err));
}

static void names_and_nodes(struct pair *pair)
{
    BOTH(pair, guest_mknod(guest, "/t/pipe", S_IFIFO | 0604, 0, err));
    BOTH(pair, guest_mknod(guest, "/t/null", S_IFCHR | 0666, makedev(1, 3), err));
    BOTH(pair, guest_mknod(guest, "/t/disk", S_IFBLK | 0660, makedev(259, 70000), err));
    BOTH(pair, guest_mknod(guest, "/t/sock", S_IFSOCK | 04755, 0, err));
    BOTH(pair, guest_mknod(guest, "/t/pipe", S_IFIFO | 0604, 0, err));
    BOTH(pair, guest_mknod(guest, "/t/link", S_IFIFO | 0604, 0, err));
    BOTH(pair, guest_mknod(guest, "/t/new/", S_IFIFO | 0604, 0, err));
    BOTH(pair, guest_mknod(guest, "/none/new", S_IFIFO | 0604, 0, err));
    BOTH(pair, guest_mknod(guest, "/etc/passwd/new", S_IFIFO | 0604, 0, err));
    BOTH(pair, guest_mknod(guest, "/t/setgid/pipe", S_IFIFO | 0604, 0, err));
    BOTH(pair, guest_link(guest, "/t/file", "/t/file2", err));
    BOTH(pair, guest_link(guest, "/t/link", "/t/link2", err));
    BOTH(pair, guest_link(guest, "/t/null", "/t/null2", err));
    BOTH(pair, guest_link(guest, "/t/file", "/t/file2", err));
    BOTH(pair, guest_link(guest, "/t/file", "/t", err));
    BOTH(pair, guest_link(guest, "/t", "/t2", err));
    BOTH(pair, guest_link(guest, "/t/none", "/t/x", err));
    BOTH(pair, guest_link(guest, "/t/file", "/none/x", err));
    BOTH(pair, guest_link(guest, "/t/file", "/etc/passwd/x", err));
    BOTH(pair, guest_link(guest, "/t/file", "/t/x/", err));
    BOTH(pair, guest_link(guest, "/etc/elsewhere/a", "/t/-dash", err));
    BOTH(pair, guest_lchown(guest, "/t/link", 77, 88, err));
    BOTH(pair, guest_lchown(guest, "/t/null", 77, 88, err));
    BOTH(pair, guest_lchown(guest, "/t/none", 77, 88, err));
}

static void sizes(struct pair *pair)
{
    char host[300];
    snprintf(host, sizeof(host), "%.280s/download", pair->fx.dir);
    BOTH(pair, guest_truncate(guest, "/t/large", 50001, err));
    BOTH(pair, guest_truncate(guest, "/t/large", 1 << 20, err));
    BOTH(pair, guest_truncate(guest, "/t/link", 4, err));
    BOTH(pair, guest_truncate(guest, "/t/empty", UINT64_C(1) << 33, err));
    BOTH(pair, guest_truncate(guest, "/t/empty", UINT64_C(1) << 62, err));
    BOTH(pair, guest_truncate(guest, "/t/empty", 0, err));
    BOTH(pair, guest_truncate(guest, "/t", 0, err));
    BOTH(pair, guest_truncate(guest, "/t/pipe", 0, err));
    BOTH(pair, guest_truncate(guest, "/t/none", 0, err));
    _cleanup_close_ int fd = open(host, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    BOTH(pair, guest_download(guest, "/t/large", fd, err));
    BOTH(pair, guest_download(guest, "/t/link", fd, err));
    BOTH(pair, guest_download(guest, "/t", fd, err));
    BOTH(pair, guest_download(guest, "/t/none", fd, err));
    BOTH(pair, guest_download(guest, "/t/pipe", fd, err));
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 2 * ((1 << 20) + 4));
    BOTH(pair, guest_overwrite(guest, "/t/large", err));
    BOTH(pair, guest_overwrite(guest, "/t/link", err));
    BOTH(pair, guest_overwrite(guest, "/t", err));
    BOTH(pair, guest_overwrite(guest, "/t/none", err));
}

static void copies(struct pair *pair)
{
    BOTH(pair, guest_copy(guest, "/t/file", "/w/copy", err));
    BOTH(pair, guest_copy(guest, "/t/link", "/w/copied-link", err));
    BOTH(pair, guest_copy(guest, "/t/disk", "/w/copied-disk", err));
    BOTH(pair, guest_copy(guest, "/t", "/w/copied-t", err));
    BOTH(pair, guest_copy(guest, "/t/file", "/t", err));
    BOTH(pair, guest_copy_tree(guest, "/t", "/w/tree", err));
    BOTH(pair, guest_copy_tree(guest, "/w", "/w/tree/w", err));
    BOTH(pair, guest_copy_tree(guest, "/none", "/w/none", err));
}

static void times(struct pair *pair)
{
    static const char *const paths[] = {
        "/t/file",  "/t/link",  "/t/pipe",  "/t/null",  "/t/disk",   "/t/sock",       "/t/large",
        "/t/empty", "/t/-dash", "/t/link2", "/t/null2", "/t/setgid", "/t/setgid/pipe"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        const struct guest_times set = {.atime = (int64_t)i * 500000000 - 500000000,
                                        .mtime = 1000000000 + (int64_t)i * 800000000};
        BOTH(pair, guest_set_times(guest, paths[i], &set, err));
    }
    BOTH(pair, guest_set_times(guest, "/t/none", &(struct guest_times){0}, err));
}

static void attributes_and_more(void **state)
{
    struct pair *pair = *state;
    open_both(pair);
    WRITE("/t/file", "contents\n", .mode = 0644);
    BOTH(pair, guest_mkdir(guest, "/t", 0755, err));
    BOTH(pair, guest_mkdir(guest, "/t/setgid", 02775, err));
    BOTH(pair, guest_chown(guest, "/t/setgid", 5, 6, err));
    WRITE("/t/file", "contents\n", .mode = 0644);
    WRITE("/t/empty", "", .mode = 0644);
    BOTH(pair, guest_symlink(guest, "file", "/t/link", err));
    _cleanup_free_ char *data = malloc(200000);
    memset(data, 'd', 200000);
    struct guest_file_attr attr = {.mode = 0600};
    BOTH(pair, guest_write(guest, "/t/large", data, 200000, &attr, err));
    names_and_nodes(pair);
    extended_attributes(pair);
    sizes(pair);
    times(pair);
    copies(pair);
    times(pair);
    BOTH(pair, guest_sync(guest, err));
    close_both(pair);
    compare_trees(pair);
}

static void both_engines_do_the_same(void **state)
{
    struct pair *pair = *state;
    open_both(pair);
    files(pair);
    large_files(pair);
    directories(pair);
    links_and_names(pair);
    attributes(pair);
    BOTH(pair, guest_sync(guest, err));
    close_both(pair);
    compare_trees(pair);
}

static uint32_t draw(struct pair *pair, uint32_t limit)
{
    pair->state = pair->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((pair->state >> 33) % limit);
}

static char *draw_path(struct pair *pair)
{
    static const char *const names[] = {"a", "b", "c", "link", ".."};
    _cleanup_str_ struct str path = {0};
    str_append(&path, "/w");
    for (unsigned i = 0, depth = 1 + draw(pair, 3); i < depth; i++)
        str_appendf(&path, "/%s", names[draw(pair, i ? 5 : 4)]);
    return str_take(&path, NULL);
}

static void random_step(struct pair *pair)
{
    _cleanup_free_ char *path = draw_path(pair), *to = draw_path(pair);
    struct guest_file_attr attr = {
        .mode = draw(pair, 07777), .uid = draw(pair, 100000), .gid = draw(pair, 1000)};
    uint32_t choice = draw(pair, 9), force = draw(pair, 4);
    attr.force = force == 0;
    switch (choice) {
    case 0:
    case 1:
        BOTH(pair, guest_write(guest, path, to, strlen(to), &attr, err));
        break;
    case 2:
    case 3:
        BOTH(pair, guest_mkdir(guest, path, attr.mode, err));
        break;
    case 4:
        BOTH(pair, guest_symlink(guest, force ? "a" : "../b", path, err));
        break;
    case 5:
        BOTH(pair, guest_rename(guest, path, to, err));
        break;
    case 6:
        BOTH(pair, guest_unlink(guest, path, err));
        break;
    case 7:
        BOTH(pair, guest_rmdir(guest, path, err));
        break;
    default:
        BOTH(pair, guest_chown(guest, path, attr.uid, attr.gid, err));
        break;
    }
}

static void both_engines_do_the_same_at_random(void **state)
{
    struct pair *pair = *state;
    open_both(pair);
    for (unsigned i = 0; i < 400; i++)
        random_step(pair);
    close_both(pair);
    compare_trees(pair);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(both_engines_do_the_same),
        TEST(both_engines_do_the_same_at_random),
        TEST(attributes_and_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
