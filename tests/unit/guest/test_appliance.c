/*
 * What only the appliance engine does: running the guest's programs, staging in an overlay, disks
 * beyond the first. An appliance takes a minute to start where there is no KVM: unless
 * KILN_PARITY=appliance (tests/vm/guest-appliance.t), only what happens before is tested.
 */
#include "guest/engine.h"
#include "tests/unit/guest/fixture.h"

static bool wants_appliance(void)
{
    const char *value = getenv("KILN_PARITY");
    return value && strcmp(value, "appliance") == 0;
}

/* A guest with a shell of one file. */
static int set_up(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    *state = fx;
    fixture_setup(fx);
    if (!wants_appliance())
        return 0;
    fixture_root(fx);
    fixture_file(fx, "/etc/fstab", "/dev/sda / ext4 defaults 0 1\n");
    fixture_file(fx, "/etc/resolv.conf", "nameserver 192.0.2.1\n");
    static const char *const dirs[] = {"/tmp", "/dev", "/proc", "/sys", "/root", "/srv"};
    for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
        fixture_dir(fx, dirs[i]);
    _cleanup_free_ char *busybox = fixture_path(fx, "/usr/bin/busybox");
    assert_int_equal(fixture_command("cp", "/usr/bin/busybox", busybox), 0);
    static const char *const names[] = {"sh", "cat", "ls", "head", "yes", "tr", "rm"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_free_ char *path = str_printf(NULL, "/usr/bin/%s", names[i]);
        fixture_link(fx, "busybox", path);
    }
    fixture_mkfs(fx, "ext4", "64M", OPTIONS("-O", "metadata_csum,^metadata_csum_seed"));
    return 0;
}

static struct guest_open_options options_for(unsigned capabilities, enum guest_staging staging)
{
    return (struct guest_open_options){.writable = true,
                                       .capabilities = GUEST_CAN_EDIT | capabilities,
                                       .lock = true,
                                       .staging = staging};
}

static void expect_run(struct guest *guest, const char *script, int status, const char *output)
{
    _cleanup_guest_run_result_ struct guest_run_result result = {0};
    assert_ok(guest_run(guest, script, &result, err));
    if (result.status != status || strcmp(result.output, output) != 0)
        fail_msg("%s: %d '%s' instead of %d '%s'", script, result.status, result.output, status,
                 output);
}

static char *digest(const struct fixture *fx)
{
    char *out = NULL;
    fixture_run((const char *const[]){"sha256sum", fx->image, NULL}, &out);
    return out;
}

static void run_programs(struct guest *guest)
{
    expect_run(guest, "echo out; echo err >&2; echo \"$PWD\"", 0, "out\nerr\n/\n");
    expect_run(guest, "exit 7", 7, "");
    expect_run(guest, "echo before; kill -9 $$", 137, "before\n");
    expect_run(guest, "read line; echo \"'$line'\"", 0, "''\n");
    expect_run(guest, "no-such-program 2>/dev/null", 127, "");
    expect_run(guest, "echo \"it's $(echo \"quoted\")\" # \xc3\xa9", 0, "it's quoted\n");
    expect_run(guest, "yes a | head -c 3 | tr a '\\0'", 0, "?\n?");
    expect_run(guest, "cat /etc/resolv.conf", 0, "nameserver 192.0.2.1\n");
    expect_run(guest, "echo written >/srv/by-program", 0, "");
    _cleanup_guest_run_result_ struct guest_run_result large = {0};
    assert_ok(
        guest_run(guest, "yes 0123456789abcde | head -c 3000000; echo; echo last", &large, err));
    assert_int_equal(strlen(large.output), 1 << 20);
    assert_true(str_ends(large.output, "\nlast\n"));
    _cleanup_free_ char *script = calloc(1, 300001);
    memset(script, '#', 300000);
    expect_run(guest, script, 0, "");
}

static int fail_on_any(void *context, const char *name, mode_t type)
{
    (void)type;
    (void)context;
    fail_msg("%s was left in /tmp", name);
    return 0;
}

/* A qcow2 image over a raw one of zeroes, for which libguestfs needs a server. */
static void make_chain(const struct fixture *fx, char chain[static 300], char base[static 300])
{
    snprintf(base, 300, "%.280s/base.img", fx->dir);
    snprintf(chain, 300, "%.280s/chain.qcow2", fx->dir);
    assert_int_equal(fixture_command("truncate", "-s", "8M", base), 0);
    assert_int_equal(
        fixture_command("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", chain),
        0);
}

static void expect_start(const char *path, const char *wanted)
{
    const struct image_open_options options = {.lock = true};
    struct block *block;
    char bytes[16] = "";
    assert_ok(image_open(path, &options, &block, err));
    assert_ok(block_pread(block, bytes, strlen(wanted) + 1, 0, err));
    assert_string_equal(bytes, wanted);
    block_close(block);
}

static void programs_run_and_edits_are_staged(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest;
    struct guest_open_options options = options_for(GUEST_CAN_RUN, GUEST_STAGED);
    char chain[300], base[300];
    make_chain(fx, chain, base);
    struct guest_drive drive = {.path = chain};
    options.drives = &drive;
    options.drive_count = 1;
    _cleanup_free_ char *before = digest(fx), *during = NULL;
    assert_ok(guest_open(fx->image, &options, &guest, err));
    assert_string_equal(guest_engine_used(guest), "appliance");
    assert_string_equal(guest_engine_reason(guest), "programs of the guest must run");
    run_programs(guest);
    expect_run(guest, "echo marker >/dev/sdb", 0, "");
    fixture_expect(guest, "/srv/by-program", "written\n");
    assert_ok(guest_list(guest, "/tmp", fail_on_any, NULL, err));
    assert_ok(guest_sync(guest, err));
    during = digest(fx);
    assert_string_equal(before, during);
    /* Nobody else writes to it meanwhile. */
    struct guest *other;
    struct guest_open_options native = options_for(0, GUEST_IN_PLACE);
    assert_fails(EBUSY, guest_open(fx->image, &native, &other, err));
    fixture_finish(fx, guest);
    expect_start(chain, "marker\n");
    expect_start(base, "");
    guest = fixture_open(fx, false);
    fixture_expect(guest, "/srv/by-program", "written\n");
    fixture_close(guest);
}

static void what_is_thrown_away_leaves_no_trace(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest;
    char second[300], base[300];
    make_chain(fx, second, base);
    assert_int_equal(fixture_command("mke2fs", "-q", "-F", "-t", "ext4", base, "8M"), 0);
    struct guest_drive drive = {.path = second};
    struct guest_open_options options = options_for(0, GUEST_THROW_AWAY);
    options.drives = &drive;
    options.drive_count = 1;
    options.mount_options = "/:noatime;/var:nodev";
    options.resources.memory = 900 << 20;
    options.resources.cpus = 1;
    _cleanup_free_ char *before = digest(fx), *after = NULL;
    assert_ok(guest_open(fx->image, &options, &guest, err));
    assert_string_equal(guest_engine_reason(guest), "the guest has several disks");
    fixture_write(guest, "/srv/new", "new");
    assert_true(!(guest->ops->capabilities & GUEST_CAN_NETWORK));
    fixture_close(guest);
    after = digest(fx);
    assert_string_equal(before, after);
}

/* In place: identities that the native engine leaves to this one, and free space. */
static void identities_and_free_space(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest;
    struct guest_root old, new;
    struct guest_file_attr attr = {.mode = 0600};
    size_t size = 8 << 20;
    _cleanup_free_ char *data = malloc(size);
    memset(data, 'x', size);
    guest = fixture_open(fx, true);
    assert_ok(guest_root(guest, &old, err));
    assert_ok(guest_write(guest, "/srv/large", data, size, &attr, err));
    fixture_close(guest);
    struct guest_open_options options =
        options_for(GUEST_CAN_RENEW | GUEST_CAN_RENEW_FS, GUEST_IN_PLACE);
    assert_ok(guest_open(fx->image, &options, &guest, err));
    assert_non_null(strstr(guest_engine_reason(guest), "depend on its UUID"));
    assert_ok(guest_unlink(guest, "/srv/large", err));
    uint64_t freed;
    assert_ok(guest_trim(guest, &freed, err));
    /* The kernel makes inode tables ready meanwhile, which counts against it. */
    assert_in_range(freed, 4 << 20, 64 << 20);
    assert_ok(guest_renew(guest, GUEST_LVM_UUIDS, err));
    assert_ok(guest_renew(guest, GUEST_FILE_SYSTEM_UUIDS, err));
    fixture_write(guest, "/srv/after", "after");
    fixture_finish(fx, guest);
    guest = fixture_open(fx, false);
    assert_ok(guest_root(guest, &new, err));
    assert_string_not_equal(old.uuid, new.uuid);
    fixture_expect(guest, "/srv/after", "after");
    fixture_close(guest);
    guest_root_free(&old);
    guest_root_free(&new);
}

static void a_foreign_architecture_is_refused_before_anything_runs(void **state)
{
    struct fixture *fx = *state;
    /* e_machine of the shell becomes AArch64's. */
    _cleanup_free_ char *busybox = fixture_path(fx, "/usr/bin/busybox");
    _cleanup_close_ int fd = open(busybox, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "\xb7\0", 2, 18), 2);
    unlink(fx->image);
    fixture_mkfs(fx, "ext4", "64M", NULL);
    struct guest *guest;
    struct guest_open_options options = options_for(GUEST_CAN_RUN, GUEST_STAGED);
    _cleanup_error_ struct error *error = NULL;
    assert_int_equal(guest_open(fx->image, &options, &guest, &error), -ENOEXEC);
    assert_non_null(strstr(error_message(error), "aarch64"));
    fixture_check_clean(fx->image);
}

static void what_cannot_be_used_is_refused_before_the_start(void **state)
{
    struct fixture *fx = *state;
    struct guest *guest, *other;
    fixture_root(fx);
    fixture_mkfs(fx, "ext4", "16M", NULL);
    _cleanup_free_ char *absent = str_printf(NULL, "%s.absent", fx->image);
    struct guest_open_options native = options_for(0, GUEST_IN_PLACE);
    assert_ok(guest_open(fx->image, &native, &other, err));
    for (int staging = GUEST_IN_PLACE; staging <= GUEST_THROW_AWAY; staging++) {
        struct guest_open_options options = options_for(0, (enum guest_staging)staging);
        options.resources.engine = GUEST_ENGINE_APPLIANCE;
        assert_fails(EBUSY, guest_open(fx->image, &options, &guest, err));
        assert_fails(ENOENT, guest_open(absent, &options, &guest, err));
        struct guest_drive drive = {.path = absent};
        options.lock = false;
        options.drives = &drive;
        options.drive_count = 1;
        assert_fails(ENOENT, guest_open(fx->image, &options, &guest, err));
    }
    fixture_close(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, fixture_tear_down)

int main(void)
{
    const struct CMUnitTest before[] = {
        TEST(what_cannot_be_used_is_refused_before_the_start),
    };
    const struct CMUnitTest tests[] = {
        TEST(programs_run_and_edits_are_staged),
        TEST(what_is_thrown_away_leaves_no_trace),
        TEST(identities_and_free_space),
        TEST(a_foreign_architecture_is_refused_before_anything_runs),
    };
    return wants_appliance() ? cmocka_run_group_tests(tests, NULL, NULL)
                             : cmocka_run_group_tests(before, NULL, NULL);
}
