/* The QEMU runner with a QEMU that misbehaves: there is always a clear end, in time, and nothing
 * is left behind. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fdio.h"
#include "base/str.h"
#include "image/qcow2.h"
#include "tests/unit/unit.h"
#include "vmm/console_log.h"
#include "vmm/qemu/monitor.h"
#include "vmm/runner.h"

/* One test's world: a private directory, also for temporary files, and the fake QEMU in PATH. */
struct world {
    char *directory;
    char *temporary;
    char *disk;
    char *pids;
    char *args;
    char *path_before;
};

static char *join(const char *directory, const char *name)
{
    return str_printf(NULL, "%s/%s", directory, name);
}

static void make_disk(const char *path, off_t size)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    const char *base = getenv("TMPDIR");
    world->directory = join(base ? base : "/tmp", "kiln-unit.XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    world->temporary = join(world->directory, "tmp");
    world->disk = join(world->directory, "disk.img");
    world->pids = join(world->directory, "pids");
    world->args = join(world->directory, "args");
    mkdir(world->temporary, 0700);
    make_disk(world->disk, 1 << 20);
    world->path_before = strdup(getenv("PATH"));
    _cleanup_free_ char *fakes = realpath("tests/fakes", NULL);
    if (!fakes) {
        fprintf(stderr, "run this from the top of the source tree\n");
        return -1;
    }
    _cleanup_free_ char *path = str_printf(NULL, "%s:%s", fakes, world->path_before);
    setenv("PATH", path, 1);
    setenv("TMPDIR", world->temporary, 1);
    setenv("FAKE_QEMU_PIDS", world->pids, 1);
    setenv("FAKE_QEMU_ARGS", world->args, 1);
    setenv("KILN_KVM_DEVICE", "/nonexistent", 1);
    *state = world;
    return 0;
}

static void remove_tree(const char *path)
{
    DIR *listing = opendir(path);
    for (struct dirent *entry; listing && (entry = readdir(listing));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        _cleanup_free_ char *child = join(path, entry->d_name);
        if (unlink(child) < 0)
            remove_tree(child);
    }
    if (listing)
        closedir(listing);
    rmdir(path);
}

static int teardown(void **state)
{
    struct world *world = *state;
    setenv("PATH", world->path_before, 1);
    char *base = strrchr(world->directory, '/');
    *base = 0;
    setenv("TMPDIR", world->directory, 1);
    *base = '/';
    remove_tree(world->directory);
    free(world->directory);
    free(world->temporary);
    free(world->disk);
    free(world->pids);
    free(world->args);
    free(world->path_before);
    free(world);
    return 0;
}

/* Gone, or a zombie whose parent has not looked yet. */
static bool is_gone(pid_t pid)
{
    char path[64], state = 0;
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return true;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'X';
    fclose(file);
    return state == 'Z' || state == 'X';
}

/* Every process that the fake noted has ended, and no temporary file is there. */
static void assert_nothing_left(const struct world *world)
{
    FILE *file = fopen(world->pids, "re");
    long pid;
    while (file && fscanf(file, "%ld", &pid) == 1) {
        for (int i = 0; i < 6000 && !is_gone((pid_t)pid); i++)
            usleep(10000);
        assert_true(is_gone((pid_t)pid));
    }
    if (file)
        fclose(file);
    assert_int_equal(rmdir(world->temporary), 0);
    mkdir(world->temporary, 0700);
}

struct outcome {
    int r;
    struct vm_result result;
    struct error *err;
    char *console;
    uint64_t took_ms;
};

static void outcome_free(struct outcome *outcome)
{
    vm_result_free(&outcome->result);
    error_free(outcome->err);
    free(outcome->console);
}
#define _cleanup_outcome_ _cleanup_(outcome_free)

static struct vm_config make_config(struct vm_disk *disk)
{
    return (struct vm_config){
        .disks = disk,
        .disk_count = 1,
        .kernel_fd = -1,
        .initrd_fd = -1,
        .memory = 128 << 20,
        .cpus = 1,
        .timeout_ms = 20000,
        .console_fd = -1,
    };
}

static struct outcome run_config(const char *part, struct vm_config *config)
{
    struct outcome outcome = {0};
    const struct vm_runner *runner;
    size_t size;
    setenv("FAKE_QEMU", part, 1);
    config->console_fd = memfd_create("console", MFD_CLOEXEC);
    uint64_t before = clock_now_ms();
    outcome.r = vm_runner_find("auto", config, &runner, &outcome.err);
    if (outcome.r == 0)
        outcome.r = runner->run(config, &outcome.result, &outcome.err);
    outcome.took_ms = clock_now_ms() - before;
    lseek(config->console_fd, 0, SEEK_SET);
    assert_int_equal(
        fd_read_all(config->console_fd, 100 << 20, "console", &outcome.console, &size, NULL), 0);
    close(config->console_fd);
    return outcome;
}

static struct outcome run_part(const struct world *world, const char *part)
{
    struct vm_disk disk = {.path = world->disk, .format = IMAGE_RAW};
    struct vm_config config = make_config(&disk);
    return run_config(part, &config);
}

static void assert_verdict(const struct outcome *outcome, enum vm_verdict verdict)
{
    if (outcome->r < 0)
        fail_msg("no verdict: %s", error_message(outcome->err));
    if (outcome->result.verdict != verdict)
        fail_msg("verdict %s: %s", vm_verdict_name(outcome->result.verdict),
                 outcome->result.reason);
}

static void assert_error(const struct outcome *outcome, int errnum, const char *message)
{
    if (outcome->r != -errnum || !strstr(error_message(outcome->err), message))
        fail_msg("%d: %s", outcome->r, error_message(outcome->err));
}

static void a_prompt_ends_the_run(void **state)
{
    _cleanup_outcome_ struct outcome outcome = run_part(*state, "prompt");
    assert_verdict(&outcome, VERDICT_LOGIN_PROMPT);
    assert_string_equal(outcome.result.reason, "fake login:");
    assert_string_equal(outcome.result.engine, "qemu");
    assert_string_equal(outcome.result.accelerator, "tcg");
    assert_string_equal(outcome.console, "\r\nfake login: ");
    assert_int_equal(outcome.result.console_bytes, strlen(outcome.console));
    assert_true(outcome.took_ms < 90000);
    assert_nothing_left(*state);
}

static void a_silent_machine_runs_into_the_time_limit(void **state)
{
    const struct world *world = *state;
    struct vm_disk disk = {.path = world->disk, .format = IMAGE_RAW};
    struct vm_config config = make_config(&disk);
    config.timeout_ms = 300;
    _cleanup_outcome_ struct outcome outcome = run_config("silent", &config);
    assert_verdict(&outcome, VERDICT_TIMEOUT);
    assert_non_null(strstr(outcome.result.reason, "nothing was printed"));
    /* It ignores SIGTERM: the grace is waited for, then it is killed. */
    assert_true(outcome.took_ms < 90000);
    assert_nothing_left(*state);
}

static void ending_a_machine_is_not_its_own_end(void **state)
{
    const struct world *world = *state;
    struct vm_disk disk = {.path = world->disk, .format = IMAGE_RAW};
    struct vm_config config = make_config(&disk);
    config.timeout_ms = 300;
    _cleanup_outcome_ struct outcome outcome = run_config("silent-polite", &config);
    assert_verdict(&outcome, VERDICT_TIMEOUT);
    assert_nothing_left(world);
}

static void a_qemu_that_fails_is_quoted(void **state)
{
    _cleanup_outcome_ struct outcome crash = run_part(*state, "crash");
    assert_error(&crash, EIO,
                 "ended with status 1 (qemu-system-x86_64: cannot set up guest memory");
    _cleanup_outcome_ struct outcome signalled = run_part(*state, "signal");
    assert_error(&signalled, EIO, "killed by signal 11 (no output)");
    _cleanup_outcome_ struct outcome locked = run_part(*state, "locked");
    assert_error(&locked, EBUSY, "the image is in use");
    assert_nothing_left(*state);
}

static void floods_are_bounded(void **state)
{
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    _cleanup_outcome_ struct outcome outcome = run_part(*state, "flood");
    assert_verdict(&outcome, VERDICT_LOGIN_PROMPT);
    assert_true(outcome.result.console_bytes > 72 << 20);
    assert_true(strlen(outcome.console) < CONSOLE_LOG_MAX + 1000);
    assert_non_null(strstr(outcome.console + CONSOLE_LOG_MAX, "the log's size limit is reached"));
    getrusage(RUSAGE_SELF, &after);
    /* KiB; what the log's reader above takes is the log itself, twice while it grows. */
    assert_true(after.ru_maxrss - before.ru_maxrss < 4 * (long)(CONSOLE_LOG_MAX >> 10));
    assert_nothing_left(*state);
}

static void a_flood_of_errors_blocks_nobody(void **state)
{
    _cleanup_outcome_ struct outcome outcome = run_part(*state, "flood-errors");
    assert_verdict(&outcome, VERDICT_LOGIN_PROMPT);
    assert_nothing_left(*state);
}

static void grandchildren_are_stopped_too(void **state)
{
    _cleanup_outcome_ struct outcome outcome = run_part(*state, "grandchild");
    assert_error(&outcome, EIO, "ended with status 1");
    assert_true(outcome.took_ms < 90000);
    assert_nothing_left(*state);
}

static void the_machines_own_end_is_told(void **state)
{
    _cleanup_outcome_ struct outcome off = run_part(*state, "power-off");
    assert_verdict(&off, VERDICT_POWER_OFF);
    assert_non_null(strstr(off.result.tail, "Powering off"));
    _cleanup_outcome_ struct outcome resets = run_part(*state, "resets");
    assert_verdict(&resets, VERDICT_RESET_LOOP);
    _cleanup_outcome_ struct outcome space = run_part(*state, "no-space");
    assert_error(&space, ENOSPC, "no space is left");
    assert_non_null(strstr(error_remedy(space.err), "TMPDIR"));
    _cleanup_outcome_ struct outcome halt = run_part(*state, "halt");
    assert_error(&halt, EIO, "halted the machine (KVM internal error");
    assert_nothing_left(*state);
}

static void what_follows_a_panic_is_kept(void **state)
{
    _cleanup_outcome_ struct outcome outcome = run_part(*state, "panic");
    assert_verdict(&outcome, VERDICT_PANIC);
    assert_non_null(strstr(outcome.console, "told afterwards"));
}

static void missing_parts_name_the_packages(void **state)
{
    const struct world *world = *state;
    _cleanup_free_ char *path = strdup(getenv("PATH"));
    setenv("PATH", world->temporary, 1);
    _cleanup_outcome_ struct outcome none = run_part(world, "prompt");
    setenv("PATH", path, 1);
    assert_error(&none, ENOENT, "qemu-system-x86_64 is not installed");
    assert_non_null(strstr(error_remedy(none.err), "qemu-system-x86 (Debian"));

    struct vm_disk disk = {.path = world->disk, .format = IMAGE_RAW};
    struct vm_config config = make_config(&disk);
    config.boot = VM_BOOT_UEFI;
    setenv("KILN_OVMF_DIR", world->temporary, 1);
    _cleanup_outcome_ struct outcome firmware = run_config("prompt", &config);
    unsetenv("KILN_OVMF_DIR");
    assert_error(&firmware, ENOENT, "OVMF_CODE.fd");
}

static void unknown_engines_are_refused(void **state)
{
    const struct world *world = *state;
    struct vm_disk disk = {.path = world->disk, .format = IMAGE_RAW};
    struct vm_config config = make_config(&disk);
    const struct vm_runner *runner;
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(vm_runner_find("bochs", &config, &runner, &err), -EINVAL);
    assert_non_null(strstr(error_message(err), "auto, kvm, qemu"));
    assert_int_equal(vm_runner_find("qemu", &config, &runner, NULL), 0);
}

static void images_in_use_are_refused(void **state)
{
    const struct world *world = *state;
    int writer = open(world->disk, O_RDWR | O_CLOEXEC);
    assert_int_equal(image_lock(writer, true, world->disk, NULL), 0);
    _cleanup_outcome_ struct outcome refused = run_part(world, "prompt");
    assert_error(&refused, EBUSY, "disk.img");
    close(writer);
    /* Another boot of the same image is welcome. */
    int reader = open(world->disk, O_RDONLY | O_CLOEXEC);
    assert_int_equal(image_lock(reader, false, world->disk, NULL), 0);
    _cleanup_outcome_ struct outcome shared = run_part(world, "prompt");
    assert_verdict(&shared, VERDICT_LOGIN_PROMPT);
    close(reader);
    _cleanup_outcome_ struct outcome absent =
        run_part(&(struct world){.disk = (char *)"/nonexistent.img"}, "prompt");
    assert_error(&absent, ENOENT, "/nonexistent.img");
}

static void assert_argument(const struct world *world, const char *wanted)
{
    _cleanup_free_ char *args = NULL;
    size_t size;
    assert_int_equal(file_read(world->args, 1 << 20, &args, &size, NULL), 0);
    if (!strstr(args, wanted))
        fail_msg("'%s' is not among the arguments:\n%s", wanted, args);
}

static void every_layer_is_named_with_its_format(void **state)
{
    const struct world *world = *state;
    _cleanup_free_ char *top = join(world->directory, "a,b top.qcow2");
    _cleanup_free_ char *seed = join(world->directory, "seed.iso");
    make_disk(seed, 1 << 16);
    int fd = open(top, O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    assert_int_equal(qcow2_create_overlay(fd, top, 1 << 20, "disk.img", "raw", NULL), 0);
    close(fd);
    struct vm_disk disks[] = {{.path = top, .format = IMAGE_AUTO},
                              {.path = seed, .format = IMAGE_RAW, .seed = true}};
    struct vm_config config = make_config(disks);
    config.disk_count = 2;
    config.expected = VERDICT_LOGIN_PROMPT;
    _cleanup_outcome_ struct outcome outcome = run_config("prompt", &config);
    assert_verdict(&outcome, VERDICT_LOGIN_PROMPT);
    /* By the descriptors of the files that were checked. */
    assert_argument(world, "{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\","
                           "\"filename\":\"/proc/");
    assert_argument(world, "\"backing\":{\"driver\":\"raw\",\"file\":{\"driver\":\"file\","
                           "\"filename\":\"/proc/");
    assert_argument(world, "\"read-only\":true,\"node-name\":\"image0\"}\n");
    assert_argument(world, "\"read-only\":true,\"node-name\":\"disk1\"}\n");
    assert_argument(world, "virtio-blk-pci,drive=disk0,bootindex=0\n");
    assert_argument(world, "virtio-blk-pci,drive=disk1\n");
}

static void a_kernel_is_handed_down(void **state)
{
    const struct world *world = *state;
    struct vm_disk disk = {.path = world->disk, .format = IMAGE_RAW};
    struct vm_config config = make_config(&disk);
    config.boot = VM_BOOT_KERNEL;
    config.kernel_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    config.initrd_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    config.command_line = "root=/dev/vda1 quiet,x";
    _cleanup_outcome_ struct outcome outcome = run_config("prompt", &config);
    assert_verdict(&outcome, VERDICT_LOGIN_PROMPT);
    assert_argument(world, "-kernel\n/proc/self/fd/");
    assert_argument(world, "-initrd\n/proc/self/fd/");
    assert_argument(world, "-append\nroot=/dev/vda1 quiet,x\n");
    assert_argument(world, "virtio-blk-pci,drive=disk0\n");
    close(config.kernel_fd);
    close(config.initrd_fd);
}

static void nothing_outlives_a_killed_kiln(void **state)
{
    const struct world *world = *state;
    pid_t pid = fork();
    if (pid == 0) {
        run_part(world, "silent");
        _exit(0);
    }
    struct stat st;
    for (int i = 0; i < 6000 && (stat(world->pids, &st) < 0 || st.st_size == 0); i++)
        usleep(10000);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_nothing_left(world);
}

/* A log that nobody reads must not hold up the time limit. */
static void a_stuck_log_is_given_up(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct console_log log = {.fd = ends[1], .screen = -1};
    char bytes[200000] = {0};
    assert_int_equal(console_log_write(&log, bytes, sizeof(bytes), deadline_after(100), NULL),
                     -ETIMEDOUT);
    close(ends[0]);
    close(ends[1]);
}

static void count_event(void *context, enum qemu_event event)
{
    ((unsigned *)context)[event]++;
}

static void events_are_heard_in_any_portions(void **state)
{
    (void)state;
    static const char text[] =
        "{\"QMP\": {\"version\": {}}}\r\n{\"return\": {}}\r\n"
        "{\"timestamp\": {\"seconds\": 1}, \"event\": \"RESET\", \"data\": {\"guest\": true}}\r\n"
        "{\"timestamp\": {\"seconds\": 1}, \"event\": \"RESUME\"}\r\n"
        "{\"event\": \"X\", \"data\": {\"name\": \"\\\"event\\\": \\\"STOP\\\"\"}}\r\n"
        "{\"event\": \"BLOCK_IO_ERROR\", \"data\": {\"nospace\": false}}\r\n"
        "{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": true}}\r\n";
    for (size_t portion = 1; portion < sizeof(text); portion++) {
        struct qemu_monitor monitor = {0};
        unsigned heard[4] = {0};
        for (size_t at = 0; at < sizeof(text) - 1; at += portion)
            qemu_monitor_feed(&monitor, text + at,
                              at + portion > sizeof(text) - 1 ? sizeof(text) - 1 - at : portion,
                              count_event, heard);
        assert_int_equal(heard[QEMU_EVENT_RESET], 1);
        assert_int_equal(heard[QEMU_EVENT_SHUTDOWN], 1);
        assert_int_equal(heard[QEMU_EVENT_STOP], 0);
        assert_int_equal(heard[QEMU_EVENT_NO_SPACE], 0);
    }
}

/* What the monitor makes of one chunk of text. */
struct heard {
    unsigned events[4];
    unsigned texts;
    char text[64]; /* the last that a command returned */
};

static void hear_event(void *context, enum qemu_event event)
{
    ((struct heard *)context)->events[event]++;
}

static void hear_text(void *context, const char *text)
{
    struct heard *heard = context;
    heard->texts++;
    snprintf(heard->text, sizeof(heard->text), "%s", text);
}

static struct heard hear(const char *bytes, size_t count)
{
    struct qemu_monitor monitor = {.returned = hear_text};
    struct heard heard = {0};
    qemu_monitor_feed(&monitor, bytes, count, hear_event, &heard);
    return heard;
}
#define HEAR(text) hear(text, sizeof(text) - 1)

/* Blanks and the order of members are QEMU's choice. */
static void messages_are_read_as_json(void **state)
{
    (void)state;
    assert_int_equal(HEAR("{\"event\":\"STOP\"}\n").events[QEMU_EVENT_STOP], 1);
    assert_int_equal(HEAR("{ \"event\" : \"STOP\" }\n").events[QEMU_EVENT_STOP], 1);
    assert_int_equal(HEAR("{\"event\":\"ST\\u004fP\"}\n").events[QEMU_EVENT_STOP], 1);
    assert_int_equal(HEAR("{\"data\":{\"reason\":\"x\",\"guest\":true},\"event\":\"RESET\"}\n")
                         .events[QEMU_EVENT_RESET],
                     1);
    assert_int_equal(HEAR("{\"event\":\"STOPPED\"}\n").events[QEMU_EVENT_STOP], 0);
    /* Not the guest's doing, whatever else is called so. */
    assert_int_equal(HEAR("{\"event\": \"SHUTDOWN\", \"data\": {\"guest\": false, \"by\": "
                          "{\"guest\": true}}}\n")
                         .events[QEMU_EVENT_SHUTDOWN],
                     0);
    assert_int_equal(HEAR("{\"return\": [{\"event\": \"STOP\"}]}\n").events[QEMU_EVENT_STOP], 0);
}

static void texts_come_between_events(void **state)
{
    (void)state;
    struct heard heard = HEAR("{\"return\": {}}\r\n"
                              "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n"
                              "{\"event\": \"STOP\"}\r\n"
                              "{\"id\": 1, \"return\": \"one\\r\\ntwo \\\"three\\\"\"}\r\n"
                              "{\"event\": \"STOP\"}\r\n");
    assert_int_equal(heard.events[QEMU_EVENT_STOP], 2);
    assert_int_equal(heard.texts, 1);
    assert_string_equal(heard.text, "one\r\ntwo \"three\"");
}

static void lines_that_are_no_message_are_passed_over(void **state)
{
    (void)state;
    static const char stop[] = "{\"event\": \"STOP\"}\n";
    static const char *const lines[] = {
        "",
        "\r",
        "[]",
        "\"event\": \"STOP\"",
        "{\"event\": \"STOP\"",
        "null",
        "{\"event\": 1}",
        "\xff",
        "{\"event\": \"STOP\", \"data\": }",
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        _cleanup_free_ char *text = str_printf(NULL, "%s\n%s", lines[i], stop);
        assert_int_equal(hear(text, strlen(text)).events[QEMU_EVENT_STOP], 1);
    }
    /* One that does not fit, whole or in part a message. */
    _cleanup_str_ struct str text = {0};
    str_append(&text, "{\"event\": \"STOP\", \"data\": \"");
    for (unsigned i = 0; i < 2 * sizeof(((struct qemu_monitor *)NULL)->line); i++)
        str_append(&text, "x");
    str_append(&text, "\"}\n");
    str_append(&text, stop);
    assert_int_equal(hear(text.data, text.length).events[QEMU_EVENT_STOP], 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_prompt_ends_the_run),
        TEST(a_silent_machine_runs_into_the_time_limit),
        TEST(ending_a_machine_is_not_its_own_end),
        TEST(a_qemu_that_fails_is_quoted),
        TEST(floods_are_bounded),
        TEST(a_flood_of_errors_blocks_nobody),
        TEST(grandchildren_are_stopped_too),
        TEST(the_machines_own_end_is_told),
        TEST(what_follows_a_panic_is_kept),
        TEST(missing_parts_name_the_packages),
        TEST(unknown_engines_are_refused),
        TEST(images_in_use_are_refused),
        TEST(every_layer_is_named_with_its_format),
        TEST(a_kernel_is_handed_down),
        TEST(nothing_outlives_a_killed_kiln),
        cmocka_unit_test(a_stuck_log_is_given_up),
        cmocka_unit_test(events_are_heard_in_any_portions),
        cmocka_unit_test(messages_are_read_as_json),
        cmocka_unit_test(texts_come_between_events),
        cmocka_unit_test(lines_that_are_no_message_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
