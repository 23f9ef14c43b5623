/* QEMU's image locks, against programs that take them: ourselves, qemu-nbd and a running QEMU. */

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "base/clock.h"
#include "tests/unit/image/scratch.h"

static int try_lock(const char *path, bool writable, bool keep, struct error **err)
{
    int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    assert_true(fd >= 0);
    int r = image_lock(fd, writable, path, err);
    if (r < 0 || !keep)
        close(fd);
    return r < 0 || !keep ? r : fd;
}

static void readers_share_and_writers_do_not(void **state)
{
    (void)state;
    make_file("disk", 1 << 20);
    int first = try_lock("disk", false, true, NULL);
    assert_true(first >= 0);
    assert_int_equal(try_lock("disk", false, false, NULL), 0);
    struct error *error = NULL;
    assert_int_equal(try_lock("disk", true, false, &error), -EBUSY);
    assert_non_null(strstr(error_message(error), "disk: the image is in use"));
    assert_non_null(error_remedy(error));
    error_free(error);
    close(first);

    int writer = try_lock("disk", true, true, NULL);
    assert_true(writer >= 0);
    assert_int_equal(try_lock("disk", true, false, NULL), -EBUSY);
    assert_int_equal(try_lock("disk", false, false, NULL), -EBUSY);
    close(writer);
    assert_int_equal(try_lock("disk", true, false, NULL), 0);
}

static void a_refused_lock_leaves_nothing_behind(void **state)
{
    (void)state;
    make_file("disk", 1 << 20);
    int reader = try_lock("disk", false, true, NULL);
    int fd = open("disk", O_RDWR | O_CLOEXEC);
    assert_int_equal(image_lock(fd, true, "disk", NULL), -EBUSY);
    /* The refused one is still open, but must not keep others out. */
    assert_int_equal(try_lock("disk", false, false, NULL), 0);
    close(reader);
    assert_int_equal(image_lock(fd, true, "disk", NULL), 0);
    close(fd);
}

/* Whether a server on the socket says the first byte of its greeting. */
static bool greets(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    const struct timeval patience = {.tv_sec = 60};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    char byte;
    bool greeted = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
                   recv(fd, &byte, 1, 0) == 1;
    close(fd);
    return greeted;
}

/*
 * A program that opens a disk and serves `socket`, once it has all of its locks: it takes them one
 * by one, and greets nobody before. Trying a lock in the meantime could refuse it one of them.
 */
static struct proc *start(const char *const *argv)
{
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    struct proc *proc = NULL;
    assert_int_equal(proc_spawn(&options, &proc, NULL), 0);
    uint64_t deadline = deadline_after(120000);
    while (!greets("socket")) {
        assert_true(clock_now_ms() < deadline);
        assert_int_equal(proc_wait(proc, 20, NULL, NULL), -ETIMEDOUT);
    }
    return proc;
}

/* Its QMP has a thread of its own, which greets before the disks are there; its human monitor has
 * not. */
static struct proc *start_qemu(const char *drive)
{
    return start((const char *const[]){"qemu-system-x86_64", "-accel", "tcg", "-S", "-display",
                                       "none", "-nodefaults", "-m", "32", "-drive", drive,
                                       "-monitor", "unix:socket,server=on,wait=off", NULL});
}

static void expect(const char *disk, int reading, int writing)
{
    int r = try_lock(disk, false, false, NULL);
    int w = try_lock(disk, true, false, NULL);
    if (r != reading || w != writing)
        fail_msg("%s: reading gave %d, writing %d", disk, r, w);
}

static void a_running_machine_keeps_its_disk(void **state)
{
    (void)state;
    if (!proc_found("qemu-system-x86_64"))
        skip_because("qemu-system-x86_64 is not installed");
    make_file("disk.raw", 1 << 20);
    must("qemu-img", "create", "-q", "-f", "qcow2", "disk.qcow2", "1M");
    static const struct {
        const char *drive, *disk;
        int reading, writing;
    } cases[] = {
        {"file=disk.raw,format=raw,if=virtio", "disk.raw", -EBUSY, -EBUSY},
        {"file=disk.qcow2,format=qcow2,if=virtio", "disk.qcow2", -EBUSY, -EBUSY},
        {"file=disk.raw,format=raw,if=virtio,readonly=on", "disk.raw", 0, -EBUSY},
        {"file=disk.qcow2,format=qcow2,if=virtio,readonly=on", "disk.qcow2", 0, -EBUSY},
        {"file=disk.raw,format=raw,if=virtio,snapshot=on", "disk.raw", 0, -EBUSY},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct proc *qemu = start_qemu(cases[i].drive);
        expect(cases[i].disk, cases[i].reading, cases[i].writing);
        proc_stop(qemu, 2000);
        proc_free(qemu);
        unlink("socket");
        expect(cases[i].disk, 0, 0);
    }
}

static void opening_an_image_respects_qemu_nbd(void **state)
{
    struct scratch *s = *state;
    char socket[160];
    snprintf(socket, sizeof(socket), "--socket=%s/socket", s->directory);
    must("qemu-img", "create", "-q", "-f", "qcow2", "disk", "1M");
    struct proc *nbd = start(
        (const char *const[]){"qemu-nbd", "--persistent", "--format=qcow2", socket, "disk", NULL});
    must_refuse("disk", IMAGE_QCOW2, EBUSY, "disk: the image is in use");
    /* Whoever does not ask for locks may look all the same. */
    block_close(must_open("disk", IMAGE_QCOW2, false));
    proc_stop(nbd, 2000);
    proc_free(nbd);
    const struct image_open_options options = {.lock = true};
    struct block *block = NULL;
    assert_int_equal(image_open("disk", &options, &block, NULL), 0);
    block_close(block);
}

static void qemu_respects_our_locks(void **state)
{
    (void)state;
    must("qemu-img", "create", "-q", "-f", "qcow2", "disk", "1M");
    int writer = try_lock("disk", true, true, NULL);
    assert_int_not_equal(tool("qemu-img", "info", "disk"), 0);
    assert_int_not_equal(tool("qemu-img", "bench", "-w", "-c", "1", "-f", "raw", "disk"), 0);
    close(writer);
    int reader = try_lock("disk", false, true, NULL);
    assert_int_equal(tool("qemu-img", "info", "disk"), 0);
    assert_int_not_equal(tool("qemu-img", "bench", "-w", "-c", "1", "-f", "raw", "disk"), 0);
    close(reader);
    assert_int_equal(tool("qemu-img", "bench", "-w", "-c", "1", "-f", "raw", "disk"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(readers_share_and_writers_do_not),
        scratch_test(a_refused_lock_leaves_nothing_behind),
        scratch_test(a_running_machine_keeps_its_disk),
        scratch_test(opening_an_image_respects_qemu_nbd),
        scratch_test(qemu_respects_our_locks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
