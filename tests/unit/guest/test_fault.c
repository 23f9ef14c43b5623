/* The native engine on a disk that fails: at every read and at every write once. */
#include "guest/engine.h"
#include "tests/unit/guest/fixture.h"

struct faulty {
    struct block block;
    struct block *inner;
    unsigned reads, writes;
    unsigned fail_read, fail_write; /* the one that fails, counted from 1; 0: none */
    bool dead;                      /* that write was the last: the process was killed */
};

static int faulty_pread(struct block *block, void *buf, size_t count, uint64_t offset,
                        struct error **err)
{
    struct faulty *faulty = (struct faulty *)block;
    if (++faulty->reads == faulty->fail_read)
        return error_set(err, EIO, "injected read error");
    return block_pread(faulty->inner, buf, count, offset, err);
}

static int faulty_pwrite(struct block *block, const void *buf, size_t count, uint64_t offset,
                         struct error **err)
{
    struct faulty *faulty = (struct faulty *)block;
    faulty->writes++;
    if (faulty->fail_write && faulty->writes >= faulty->fail_write) {
        if (faulty->dead)
            return 0;
        if (faulty->writes == faulty->fail_write)
            return error_set(err, ENOSPC, "injected write error");
    }
    return block_pwrite(faulty->inner, buf, count, offset, err);
}

static int faulty_flush(struct block *block, struct error **err)
{
    return block_flush(((struct faulty *)block)->inner, err);
}

static void faulty_close(struct block *block)
{
    struct faulty *faulty = (struct faulty *)block;
    block_close(faulty->inner);
    faulty->inner = NULL; /* the rest is the test's */
}

static const struct block_ops faulty_ops = {
    .name = "faulty",
    .pread = faulty_pread,
    .pwrite = faulty_pwrite,
    .flush = faulty_flush,
    .close = faulty_close,
};

/* block_close() frees what it closes, so that each use needs a block of its own. */
static struct faulty *faulty_new(const struct fixture *fx)
{
    struct faulty *faulty = calloc(1, sizeof(*faulty));
    int fd = open(fx->image, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_ok(block_from_fd(fd, "disk.img", true, &faulty->inner, err));
    faulty->block.ops = &faulty_ops;
    faulty->block.name = strdup("disk.img");
    faulty->block.size = faulty->inner->size;
    faulty->block.writable = true;
    return faulty;
}

/* What goes beyond making and removing. */
static int more_work(struct guest *guest, struct error **err)
{
    const struct guest_times times = {.atime = 1, .mtime = 2};
    char value[500];
    memset(value, 'v', sizeof(value));
    int r = guest_truncate(guest, "/etc/large", 20001, err);
    if (r == 0)
        r = guest_set_xattr(guest, "/etc/large", "user.value", value, sizeof(value), err);
    if (r == 0)
        r = guest_set_xattr(guest, "/usr/new/link", "security.selinux", "label", 6, err);
    if (r == 0)
        r = guest_link(guest, "/etc/large", "/usr/new/large", err);
    if (r == 0)
        r = guest_mknod(guest, "/usr/new/pipe", S_IFIFO | 0600, 0, err);
    if (r == 0)
        r = guest_set_times(guest, "/usr/new/pipe", &times, err);
    if (r == 0)
        r = guest_copy_tree(guest, "/usr/new", "/usr/newer", err);
    if (r == 0)
        r = guest_set_xattr(guest, "/etc/large", "user.value", NULL, 0, err);
    if (r == 0)
        r = guest_truncate(guest, "/etc/large", 200000, err);
    return r < 0 ? r : guest_lchown(guest, "/usr/new/link", 3, 4, err);
}

/* A bit of everything. Any step may fail; nothing may go wrong beyond that. */
static int work(struct guest *guest, struct error **err)
{
    struct guest_file_attr attr = {.mode = 0644};
    _cleanup_free_ char *data = calloc(1, 50000);
    memset(data, 'x', 50000);
    int r = guest_write(guest, "/etc/hostname", "new", 3, &attr, err);
    if (r == 0)
        r = guest_write(guest, "/etc/large", data, 50000, &attr, err);
    if (r == 0)
        r = guest_mkdir_p(guest, "/var/lib/new", 0755, err);
    if (r == 0)
        r = guest_symlink(guest, "../large", "/var/lib/new/link", err);
    if (r == 0)
        r = guest_rename(guest, "/var/lib/new", "/usr/new", err);
    if (r == 0)
        r = guest_remove(guest, "/usr/share", err);
    if (r == 0)
        r = guest_chmod(guest, "/etc/hostname", 0600, err);
    return r < 0 ? r : more_work(guest, err);
}

static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    fixture_setup(fx);
    fixture_root(fx);
    fixture_file(fx, "/etc/hostname", "old");
    fixture_dir(fx, "/var/lib");
    fixture_file(fx, "/usr/share/doc/a", "a");
    fixture_link(fx, "a", "/usr/share/doc/b");
    fixture_mkfs(fx, "ext4", "4M", (const char *const[]){"-b", "1024", NULL});
    *state = fx;
    return 0;
}

/* Opens, works, closes. *ret_writes: how many writes there were. Returns how it ended. */
static int run(const struct fixture *fx, unsigned fail_read, unsigned fail_write, bool dead,
               unsigned *ret_reads, unsigned *ret_writes)
{
    struct faulty *faulty = faulty_new(fx);
    faulty->fail_read = fail_read;
    faulty->fail_write = fail_write;
    faulty->dead = dead;
    struct guest_open_options options = {.writable = true};
    struct guest_opening opening = {0};
    _cleanup_error_ struct error *error = NULL;
    /* The guest frees the block when it closes: what is to be known is read before. */
    unsigned reads = 0, writes = 0;
    int r = native_open_block(&faulty->block, fx->image, &options, &opening, &error);
    struct guest *guest = opening.guest;
    if (r == 0) {
        assert_non_null(guest);
        r = work(guest, &error);
        if (r == 0)
            r = guest_sync(guest, &error);
        reads = faulty->reads;
        writes = faulty->writes;
        guest_discard(guest);
    }
    assert_true(r == 0 || error);
    if (r < 0)
        assert_true(strlen(error_message(error)) > 0);
    if (ret_reads)
        *ret_reads = reads;
    if (ret_writes)
        *ret_writes = writes;
    return r;
}

/* Whether the file system says that it was left in good order. */
static bool says_clean(const struct fixture *fx)
{
    uint8_t state[2];
    _cleanup_close_ int fd = open(fx->image, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, state, 2, 1024 + 58), 2);
    return state[0] & 1;
}

static void restore(const struct fixture *fx)
{
    _cleanup_free_ char *copy = str_printf(NULL, "%s.copy", fx->image);
    assert_int_equal(fixture_command("cp", "--sparse=always", copy, fx->image), 0);
}

static unsigned keep_copy_and_count(const struct fixture *fx, unsigned *ret_reads)
{
    _cleanup_free_ char *copy = str_printf(NULL, "%s.copy", fx->image);
    unsigned writes;
    assert_int_equal(fixture_command("cp", "--sparse=always", fx->image, copy), 0);
    assert_int_equal(run(fx, 0, 0, false, ret_reads, &writes), 0);
    fixture_check_clean(fx->image);
    return writes;
}

static void every_failed_read_is_an_error_and_no_damage(void **state)
{
    struct fixture *fx = *state;
    unsigned reads;
    keep_copy_and_count(fx, &reads);
    assert_true(reads > 20);
    restore(fx);
    unsigned failures = 0;
    for (unsigned n = 1; n <= reads; n++) {
        int r = run(fx, n, 0, false, NULL, NULL);
        if (r == 0)
            restore(fx);
        failures += r < 0;
        if (r < 0 && n % 8 == 0)
            fixture_check_clean(fx->image);
    }
    assert_true(failures > reads / 2);
    restore(fx);
    fixture_check_clean(fx->image);
}

/* Either nothing has happened yet, or the file system asks to be checked. */
static void assert_safe(const struct fixture *fx)
{
    if (says_clean(fx))
        fixture_check_clean(fx->image);
}

static void every_failed_write_is_an_error_and_known(void **state)
{
    struct fixture *fx = *state;
    unsigned writes = keep_copy_and_count(fx, NULL);
    assert_true(writes > 3);
    for (unsigned n = 1; n <= writes; n++) {
        restore(fx);
        assert_int_equal(run(fx, 0, n, false, NULL, NULL), -ENOSPC);
        assert_safe(fx);
    }
}

static void a_kill_at_any_write_is_known(void **state)
{
    struct fixture *fx = *state;
    unsigned writes = keep_copy_and_count(fx, NULL), unclean = 0;
    for (unsigned n = 1; n <= writes; n++) {
        restore(fx);
        run(fx, 0, n, true, NULL, NULL);
        assert_safe(fx);
        unclean += !says_clean(fx);
    }
    assert_true(unclean > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_failed_read_is_an_error_and_no_damage),
        TEST(every_failed_write_is_an_error_and_known),
        TEST(a_kill_at_any_write_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
