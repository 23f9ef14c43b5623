/*
 * The native engine against a model: random operations run on a guest and on a directory of the
 * host, must succeed and fail alike, and leave the same tree. Afterwards e2fsck must be content.
 * KILN_MODEL_STEPS and KILN_MODEL_SEED ask for more, or for others.
 */
#include "tests/unit/guest/fixture.h"

#include <dirent.h>
#include <sys/xattr.h>

#define SIZE_MAX_OF_FILE 400000

struct model {
    struct fixture fx;
    char root[300]; /* the host's side */
    struct guest *guest;
    uint64_t state;
    unsigned done, failed; /* operations */
    bool xattrs;           /* the host's file system has them */
    bool typed;            /* the entries of the guest's directories tell types */
};

static uint32_t draw(struct model *model, uint32_t limit)
{
    model->state = model->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((model->state >> 33) % limit);
}

/* A path of one to three components of few names, so that operations meet each other. */
static char *draw_path(struct model *model)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "link", "..", "."};
    _cleanup_str_ struct str path = {0};
    str_append(&path, "/w");
    unsigned depth = 1 + draw(model, 3);
    bool up = false; /* once at most, and not first: the host has something above its root */
    for (unsigned i = 0; i < depth; i++) {
        uint32_t name = draw(model, i == 0 || up || draw(model, 4) ? 6 : 8);
        up = up || name == 6;
        str_appendf(&path, "/%s", names[name]);
    }
    if (draw(model, 4) == 0) {
        /* Long and many: directories grow beyond a block and get an index. */
        char name[256];
        memset(name, 'x', sizeof(name));
        int length = snprintf(name, sizeof(name), "%u-", draw(model, 200));
        name[length] = 'x';
        name[length + 1 + (int)draw(model, 240)] = '\0';
        str_appendf(&path, "/%s", name);
    }
    return str_take(&path, NULL);
}

static char *host_path(const struct model *model, const char *path)
{
    return str_printf(NULL, "%s%s", model->root, path);
}

static char *draw_content(struct model *model, size_t *ret_size)
{
    size_t size = draw(model, 3) ? draw(model, 3000) : draw(model, SIZE_MAX_OF_FILE);
    char *data = malloc(size + 1);
    uint32_t value = draw(model, 1 << 30);
    for (size_t i = 0; i < size; i++)
        data[i] = (char)((value += 0x9e3779b9) >> 24);
    *ret_size = size;
    return data;
}

static int host_result(int r)
{
    return r < 0 ? -errno : 0;
}

static void agree(struct model *model, const char *what, const char *path, int guest_r, int host_r,
                  struct error **err)
{
    if (guest_r != host_r)
        fail_msg("step %u: %s %s: guest %d (%s), host %d", model->done, what, path, guest_r,
                 guest_r < 0 ? error_message(*err) : "", host_r);
    error_clear(err);
    model->done++;
    model->failed += guest_r < 0;
}

static int host_write(const char *path, const void *data, size_t size, mode_t mode)
{
    struct stat st;
    bool existed = stat(path, &st) == 0;
    if (existed && !S_ISREG(st.st_mode))
        return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    return existed ? 0 : host_result(fchmod(fd, mode));
}

static int host_mkdir(const char *path, mode_t mode)
{
    struct stat st;
    int r = host_result(mkdir(path, mode));
    if (r < 0)
        return r;
    assert_int_equal(stat(path, &st), 0);
    return host_result(chmod(path, mode | (st.st_mode & S_ISGID)));
}

static int host_set_xattr(const char *path, const char *name, const char *value)
{
    int r = host_result(value ? lsetxattr(path, name, value, strlen(value), 0)
                              : lremovexattr(path, name));
    return !value && r == -ENODATA ? 0 : r;
}

/* Names, sizes and attributes beyond the contents. */
static void other_step(struct model *model, const char *path, const char *to)
{
    static const char *const names[] = {"user.a", "user.longer", "user.b", "other.c"};
    static const char *const values[] = {NULL, "", "value", "a value of more than a few bytes"};
    _cleanup_free_ char *host = host_path(model, path), *host_to = host_path(model, to);
    struct guest *guest = model->guest;
    struct error *error = NULL, **err = &error;
    const char *name = names[draw(model, 4)], *value = values[draw(model, 4)];
    uint64_t size = draw(model, 2) ? draw(model, 5000) : draw(model, SIZE_MAX_OF_FILE);
    int r;
    switch (draw(model, model->xattrs ? 6 : 4)) {
    case 0:
        r = guest_link(guest, path, to, err);
        agree(model, "link", path, r, host_result(link(host, host_to)), err);
        break;
    case 1:
        r = guest_truncate(guest, path, size, err);
        agree(model, "truncate", path, r, host_result(truncate(host, (off_t)size)), err);
        break;
    case 2:
        r = guest_mknod(guest, path, S_IFIFO | 0600, 0, err);
        agree(model, "mknod", path, r, host_result(mkfifo(host, 0600)), err);
        break;
    case 3:
        r = guest_set_times(guest, path, &(struct guest_times){.mtime = (int64_t)size}, err);
        agree(
            model, "set_times", path, r,
            host_result(utimensat(AT_FDCWD, host, (struct timespec[2]){{0}}, AT_SYMLINK_NOFOLLOW)),
            err);
        break;
    default:
        r = guest_set_xattr(guest, path, name, value, value ? strlen(value) : 0, err);
        agree(model, "set_xattr", path, r, host_set_xattr(host, name, value), err);
    }
}

static void step(struct model *model)
{
    _cleanup_free_ char *path = draw_path(model), *to = draw_path(model);
    _cleanup_free_ char *host = host_path(model, path), *host_to = host_path(model, to);
    _cleanup_free_ char *data = NULL;
    struct guest *guest = model->guest;
    struct error *error = NULL, **err = &error;
    mode_t special = draw(model, 8) << 9;
    mode_t mode = 0600 | draw(model, 0200);
    if (geteuid() == 0) /* for others, the host's kernel takes these bits away now and then */
        mode |= special;
    size_t size;
    int r;
    switch (draw(model, 17)) {
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
        other_step(model, path, to);
        break;
    case 0:
    case 1:
    case 2:
        data = draw_content(model, &size);
        r = guest_write(guest, path, data, size, &(struct guest_file_attr){.mode = mode}, err);
        agree(model, "write", path, r, host_write(host, data, size, mode), err);
        break;
    case 3:
    case 4:
        r = guest_mkdir(guest, path, mode | 0700, err);
        agree(model, "mkdir", path, r, host_mkdir(host, mode | 0700), err);
        break;
    case 5:
        /* Relative targets lead to the same place on both sides. */
        size = draw(model, 3) ? 2 : 250;
        data = malloc(600);
        snprintf(
            data, 600, "%.*s%s", (int)size / 2 * 2,
            "././././././././././././././././././././."
            "/././././././././././././././././././././././././././././././././././././././././."
            "/./././././././././././././././././././././././././././././././././././././././"
            "./././././././././././././././././././././././././././",
            draw(model, 2) ? "a" : "../b");
        r = guest_symlink(guest, data, path, err);
        agree(model, "symlink", path, r, host_result(symlink(data, host)), err);
        break;
    case 6:
    case 7:
        r = guest_rename(guest, path, to, err);
        agree(model, "rename", path, r, host_result(rename(host, host_to)), err);
        break;
    case 8:
    case 9:
        r = guest_unlink(guest, path, err);
        agree(model, "unlink", path, r, host_result(unlink(host)), err);
        break;
    case 10:
        r = guest_rmdir(guest, path, err);
        agree(model, "rmdir", path, r, host_result(rmdir(host)), err);
        break;
    default:
        r = guest_chmod(guest, path, mode | 0700, err);
        agree(model, "chmod", path, r, host_result(chmod(host, mode | 0700)), err);
        break;
    }
}

struct count {
    struct guest *guest;
    const char *directory;
    bool typed;
    unsigned entries;
};

static int count_entry(void *context, const char *name, mode_t type)
{
    struct count *count = context;
    struct guest_stat st;
    _cleanup_free_ char *path = str_printf(NULL, "%s/%s", count->directory, name);
    assert_ok(guest_stat(count->guest, path, false, &st, err));
    /* Entries of old file systems do not tell. */
    assert_true(type == (st.mode & S_IFMT) || (type == 0 && !count->typed));
    count->entries++;
    return 0;
}

static void compare(struct model *model, const char *path);

static void compare_dir(struct model *model, const char *path, const char *host)
{
    struct count count = {.guest = model->guest, .directory = path, .typed = model->typed};
    assert_ok(guest_list(model->guest, path, count_entry, &count, err));
    DIR *dir = opendir(host);
    assert_non_null(dir);
    unsigned entries = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        _cleanup_free_ char *child = str_printf(NULL, "%s/%s", path, entry->d_name);
        compare(model, child);
        entries++;
    }
    closedir(dir);
    assert_int_equal(count.entries, entries);
}

static void compare_file(struct model *model, const char *path, const char *host)
{
    _cleanup_free_ char *ours = NULL, *theirs = NULL;
    size_t size, host_size;
    assert_ok(guest_read(model->guest, path, SIZE_MAX_OF_FILE, &ours, &size, err));
    assert_ok(file_read(host, SIZE_MAX_OF_FILE, &theirs, &host_size, err));
    assert_int_equal(size, host_size);
    assert_memory_equal(ours, theirs, size);
}

/* Each attribute as the host has it, and as many as there. */
struct attributes {
    const char *host;
    unsigned count;
};

static int compare_attribute(void *context, const char *name, const void *value, size_t size)
{
    struct attributes *attributes = context;
    char theirs[100];
    assert_int_equal(lgetxattr(attributes->host, name, theirs, sizeof(theirs)), (ssize_t)size);
    assert_memory_equal(value, theirs, size);
    attributes->count++;
    return 0;
}

static void compare_attributes(struct model *model, const char *path, const char *host)
{
    struct attributes attributes = {.host = host};
    char names[4096];
    unsigned count = 0;
    assert_ok(guest_list_xattrs(model->guest, path, compare_attribute, &attributes, err));
    ssize_t size = llistxattr(host, names, sizeof(names));
    for (ssize_t at = 0; at < size; at += (ssize_t)strlen(names + at) + 1)
        count += str_starts(names + at, "user.");
    assert_int_equal(attributes.count, count);
}

static void compare(struct model *model, const char *path)
{
    _cleanup_free_ char *host = host_path(model, path), *target = NULL;
    struct stat st;
    struct guest_stat ours;
    assert_int_equal(lstat(host, &st), 0);
    assert_ok(guest_stat(model->guest, path, false, &ours, err));
    if (ours.mode != st.st_mode)
        fail_msg("%s has mode %o, not %o", path, ours.mode, st.st_mode);
    if (!S_ISDIR(st.st_mode))
        assert_int_equal(ours.links, st.st_nlink);
    if (model->xattrs)
        compare_attributes(model, path, host);
    char buf[1024] = {0};
    switch (st.st_mode & S_IFMT) {
    case S_IFDIR:
        compare_dir(model, path, host);
        break;
    case S_IFLNK:
        assert_ok(guest_readlink(model->guest, path, &target, err));
        assert_true(readlink(host, buf, sizeof(buf) - 1) > 0);
        assert_string_equal(target, buf);
        break;
    case S_IFIFO:
        break;
    default:
        compare_file(model, path, host);
    }
}

static unsigned from_environment(const char *name, unsigned otherwise)
{
    const char *value = getenv(name);
    return value ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

static int set_up(void **state)
{
    struct model *model = calloc(1, sizeof(*model));
    model->state = from_environment("KILN_MODEL_SEED", 1);
    fixture_setup(&model->fx);
    fixture_root(&model->fx);
    snprintf(model->root, sizeof(model->root), "%s", model->fx.tree);
    *state = model;
    return 0;
}

static int tear_down(void **state)
{
    struct model *model = *state;
    guest_discard(model->guest);
    fixture_teardown(&model->fx);
    free(model);
    return 0;
}

/* Everything reaches the image, which is opened anew. */
static void reopen(struct model *model)
{
    fixture_close(TAKE_PTR(model->guest));
    fixture_check_clean(model->fx.image);
    model->guest = fixture_open(&model->fx, true);
}

static void run_model(struct model *model, const char *type, const char *size,
                      const char *const *extra)
{
    unsigned steps = from_environment("KILN_MODEL_STEPS", 1500);
    fixture_mkfs(&model->fx, type, size, extra);
    model->typed = strcmp(type, "ext2") != 0;
    model->guest = fixture_open(&model->fx, true);
    assert_ok(guest_mkdir(model->guest, "/w", 0755, err));
    _cleanup_free_ char *work = host_path(model, "/w");
    assert_int_equal(mkdir(work, 0755), 0);
    assert_int_equal(chmod(work, 0755), 0);
    model->xattrs =
        setxattr(work, "user.test", "", 0, 0) == 0 && removexattr(work, "user.test") == 0;
    for (unsigned i = 0; i < steps; i++) {
        step(model);
        if (draw(model, 100) == 0)
            assert_ok(guest_sync(model->guest, err));
        if (draw(model, 300) == 0)
            reopen(model);
    }
    compare(model, "/w");
    reopen(model);
    compare(model, "/w");
    assert_in_range(model->failed, steps / 10, steps * 9 / 10);
}

static void ext4_as_made_today(void **state)
{
    run_model(*state, "ext4", "64M", NULL);
}

static void ext4_with_small_blocks(void **state)
{
    run_model(*state, "ext4", "64M", OPTIONS("-b", "1024", "-g", "1024"));
}

static void ext4_with_data_in_inodes(void **state)
{
    run_model(*state, "ext4", "64M", OPTIONS("-O", "inline_data"));
}

static void ext4_without_checksums(void **state)
{
    run_model(*state, "ext4", "64M", OPTIONS("-O", "^metadata_csum,uninit_bg,^64bit"));
}

static void ext4_with_tables_spread(void **state)
{
    run_model(*state, "ext4", "64M",
              OPTIONS("-b", "1024", "-O", "meta_bg,^resize_inode", "-g", "2048"));
}

static void ext3_of_old(void **state)
{
    run_model(*state, "ext3", "64M", OPTIONS("-b", "1024", "-I", "128"));
}

static void ext2_of_old(void **state)
{
    run_model(*state, "ext2", "64M", OPTIONS("-O", "^dir_index,^filetype"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ext4_as_made_today),
        TEST(ext4_with_small_blocks),
        TEST(ext4_with_data_in_inodes),
        TEST(ext4_without_checksums),
        TEST(ext4_with_tables_spread),
        TEST(ext3_of_old),
        TEST(ext2_of_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
