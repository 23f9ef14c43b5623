#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fdio.h"
#include "cli/boot_kernel.h"
#include "cli/boot_report.h"
#include "cli/commands.h"
#include "image/copy.h"

struct boot_arguments {
    struct strv seeds;
    const char *format;
    uint64_t memory;
    uint64_t cpus;
    uint64_t timeout;
    bool direct_kernel;
    const char *firmware;
    const char *expect;
    const char *console_log;
    const char *junit;
    const char *engine;
    bool json;
    bool network;
};

static const struct cli_option boot_options[] = {
    {"seed", 0, OPTION_LIST, offsetof(struct boot_arguments, seeds), "FILE",
     "attach a cloud-init seed (see kiln seed) and wait for cloud-init's end", NULL},
    {"format", 0, OPTION_STRING, offsetof(struct boot_arguments, format), "FORMAT",
     "format of the image", "told from its contents"},
    {"memory", 'm', OPTION_SIZE, offsetof(struct boot_arguments, memory), "SIZE",
     "memory of the machine", "512M"},
    {"cpus", 0, OPTION_NUMBER, offsetof(struct boot_arguments, cpus), "N",
     "processors of the machine", "1"},
    {"timeout", 0, OPTION_DURATION, offsetof(struct boot_arguments, timeout), "TIME",
     "give up after TIME (90s, 5m)", "120s"},
    {"direct-kernel", 0, OPTION_FLAG, offsetof(struct boot_arguments, direct_kernel), NULL,
     "boot the image's own kernel directly", NULL},
    {"firmware", 0, OPTION_STRING, offsetof(struct boot_arguments, firmware), "bios|uefi",
     "boot by the image's own boot loader", "the kernel, else what the disk is made for"},
    {"expect", 0, OPTION_STRING, offsetof(struct boot_arguments, expect), "VERDICT",
     "the verdict that counts as success; see kiln-boot(1) for all",
     "cloud-init-done with a seed, else any good one"},
    {"console-log", 0, OPTION_STRING, offsetof(struct boot_arguments, console_log), "FILE",
     "write the serial console to FILE", "$XDG_STATE_HOME/kiln/console/DISK.log"},
    {"junit", 0, OPTION_STRING, offsetof(struct boot_arguments, junit), "FILE",
     "write the outcome to FILE as JUnit XML", NULL},
    {"json", 0, OPTION_FLAG, offsetof(struct boot_arguments, json), NULL,
     "print the outcome as JSON", NULL},
    {"no-network", 0, OPTION_CLEAR, offsetof(struct boot_arguments, network), NULL,
     "give the machine no network card", NULL},
    {"engine", 0, OPTION_STRING, offsetof(struct boot_arguments, engine), "auto|qemu",
     "what runs the machine", "auto"},
    CLI_OPTIONS_END,
};

static const struct boot_arguments boot_defaults = {
    .format = "auto",
    .memory = 512ull << 20,
    .cpus = 1,
    .timeout = 120 * 1000,
    .engine = "auto",
    .network = true,
};

/* What the arguments mean, checked. */
struct boot_request {
    const char *disk;
    enum image_format format;
    enum vm_verdict expected; /* VERDICT_NONE: any good one */
    const struct boot_arguments *arguments;
    struct reporter *reporter;
};

static bool is_engine(const char *name)
{
    for (const struct vm_runner *const *runner = vm_runners; *runner; runner++)
        if (strcmp((*runner)->name, name) == 0)
            return true;
    return strcmp(name, "auto") == 0;
}

static int check_arguments(const struct boot_arguments *arguments, struct boot_request *request,
                           struct error **err)
{
    struct error *cause = NULL;
    int r = image_format_parse(arguments->format, &request->format, &cause);
    if (r == 0 && arguments->expect)
        r = vm_verdict_parse(arguments->expect, &request->expected, &cause);
    if (r < 0) {
        cli_usage(err, "%s", error_message(cause));
        error_free(cause);
        return r;
    }
    if (arguments->firmware && arguments->direct_kernel)
        return cli_usage(err, "--direct-kernel and --firmware exclude each other");
    if (arguments->firmware && strcmp(arguments->firmware, "bios") != 0 &&
        strcmp(arguments->firmware, "uefi") != 0)
        return cli_usage(err, "--firmware: '%s' is neither bios nor uefi", arguments->firmware);
    if (!is_engine(arguments->engine))
        return cli_usage(err, "--engine: '%s' is none of auto, qemu", arguments->engine);
    if (arguments->memory < 32ull << 20 || arguments->memory > 1ull << 40)
        return cli_usage(err, "--memory: between 32M and 1T");
    if (arguments->cpus < 1 || arguments->cpus > 255)
        return cli_usage(err, "--cpus: between 1 and 255");
    if (arguments->timeout < 1)
        return cli_usage(err, "--timeout: must be more than nothing");
    if (!arguments->expect && arguments->seeds.count > 0)
        request->expected = VERDICT_CLOUD_INIT_DONE;
    return 0;
}

/* Made anew, so that two boots of one image do not write into the same log. */
static int open_console_log(const struct boot_request *request, char **ret_path, int *ret_fd,
                            struct error **err)
{
    _cleanup_free_ char *path = NULL;
    if (request->arguments->console_log) {
        path = strdup(request->arguments->console_log);
    } else {
        const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
        _cleanup_free_ char *directory = !str_empty(state)
                                             ? str_printf(err, "%s/kiln/console", state)
                                             : str_printf(err, "%s/.local/state/kiln/console",
                                                          str_empty(home) ? "/var/tmp" : home);
        int r = directory ? dir_create(directory, 0700, err) : -ENOMEM;
        if (r < 0)
            return r;
        path = str_printf(err, "%s/%s.log", directory, path_name(request->disk));
        if (path)
            unlink(path);
    }
    if (!path)
        return error_oom(err);
    int fd = file_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY, 0600, err);
    if (fd < 0)
        return error_wrap(err, "--console-log");
    *ret_fd = fd;
    *ret_path = TAKE_PTR(path);
    return 0;
}

/* Of the file as it lies on the host: that is what a boot must not change. */
static int digest_file(const char *disk, char hex[static DIGEST_MAX_HEX], struct error **err)
{
    const struct image_open_options options = {.format = IMAGE_RAW, .lock = true};
    _cleanup_block_ struct block *block = NULL;
    int r = image_open(disk, &options, &block, err);
    return r < 0 ? r : block_digest(block, DIGEST_SHA256, hex, err);
}

static int choose(const struct boot_request *request, struct boot_choice *ret, struct error **err)
{
    const char *firmware = request->arguments->firmware;
    if (firmware)
        return boot_choose_firmware(strcmp(firmware, "uefi") == 0 ? VM_BOOT_UEFI : VM_BOOT_BIOS,
                                    ret, err);
    if (request->arguments->direct_kernel)
        return boot_choose_kernel(request->disk, request->format, request->reporter, ret, err);
    return boot_choose_auto(request->disk, request->format, request->reporter, ret, err);
}

static int run_machine(const struct boot_request *request, const struct boot_choice *choice,
                       int console_fd, struct vm_result *ret, struct error **err)
{
    const struct boot_arguments *arguments = request->arguments;
    size_t count = 1 + arguments->seeds.count;
    _cleanup_free_ struct vm_disk *disks = calloc(count, sizeof(*disks));
    if (!disks)
        return error_oom(err);
    disks[0] = (struct vm_disk){.path = request->disk, .format = request->format};
    for (size_t i = 1; i < count; i++)
        disks[i] = (struct vm_disk){
            .path = arguments->seeds.items[i - 1], .format = IMAGE_RAW, .seed = true};
    const struct vm_config config = {
        .boot = choice->boot,
        .disks = disks,
        .disk_count = count,
        .kernel_fd = choice->kernel_fd,
        .initrd_fd = choice->initrd_fd,
        .command_line = choice->command_line,
        .memory = arguments->memory,
        .cpus = (unsigned)arguments->cpus,
        .network = arguments->network,
        .timeout_ms = arguments->timeout,
        .console_fd = console_fd,
        .expected = request->expected,
        .reporter = request->reporter,
    };
    const struct vm_runner *runner;
    int r = vm_runner_find(arguments->engine, &config, &runner, err);
    if (r < 0)
        return r;
    report(request->reporter, REPORT_INFO, "Booting %s by %s", request->disk, choice->description);
    return runner->run(&config, ret, err);
}

static int tell(const struct boot_request *request, const struct boot_facts *facts, bool quiet,
                struct error **err)
{
    const struct boot_arguments *arguments = request->arguments;
    int r = 0;
    if (arguments->junit)
        r = boot_write_junit(facts, arguments->junit, err);
    if (r == 0 && arguments->json)
        r = boot_print_json(facts, err);
    else if (r == 0 && !quiet)
        boot_print_text(facts);
    if (r < 0)
        return r;
    if (!facts->passed && !arguments->json)
        fprintf(stderr, "kiln: %s: %s; the console ended with\n%s\n", request->disk,
                vm_verdict_name(facts->result->verdict),
                facts->result->tail ? facts->result->tail : "");
    return facts->passed ? 0 : 1;
}

static bool as_expected(const struct boot_request *request, enum vm_verdict verdict)
{
    return request->expected == VERDICT_NONE ? vm_verdict_good(verdict)
                                             : verdict == request->expected;
}

static int boot(const struct boot_request *request, struct boot_choice *choice, bool quiet,
                struct error **err)
{
    _cleanup_vm_result_ struct vm_result result = {0};
    _cleanup_free_ char *console_log = NULL;
    _cleanup_close_ int console_fd = -1;
    struct boot_facts facts = {.disk = request->disk, .result = &result};
    int r = digest_file(request->disk, facts.before, err);
    if (r == 0)
        r = choose(request, choice, err);
    if (r == 0)
        r = open_console_log(request, &console_log, &console_fd, err);
    if (r == 0)
        r = run_machine(request, choice, console_fd, &result, err);
    if (r == 0)
        r = digest_file(request->disk, facts.after, err);
    if (r < 0)
        return r;
    facts.way = choice->description;
    facts.console_log = console_log;
    facts.expectation =
        request->expected == VERDICT_NONE ? "any good one" : vm_verdict_name(request->expected);
    facts.unchanged = strcmp(facts.before, facts.after) == 0;
    facts.passed = facts.unchanged && as_expected(request, result.verdict);
    return tell(request, &facts, quiet, err);
}

static int boot_run(struct cli *cli, const void *opaque, struct error **err)
{
    struct boot_request request = {
        .disk = cli->operands[0], .arguments = opaque, .reporter = cli->reporter};
    struct boot_choice choice = BOOT_CHOICE_INIT;
    int r = check_arguments(opaque, &request, err);
    if (r == 0)
        r = boot(&request, &choice, cli->quiet, err);
    boot_choice_free(&choice);
    return r;
}

const struct cli_command boot_command = {
    .name = "boot",
    .summary = "boot an image under a throw-away overlay and judge it",
    .operands = "DISK",
    .description =
        "Boots the image under a throw-away overlay, watches its serial console, and ends with a "
        "verdict: cloud-init-done, cloud-init-degraded, cloud-init-failed, login-prompt, panic, "
        "no-root-device, emergency-shell, no-bootloader, reset-loop, power-off or timeout. The "
        "image is never written; its digest before and after is compared. Exit status 0 when the "
        "expected verdict was reached.",
    .example = "kiln boot web1.img --seed web1-seed.iso --timeout 5m",
    .options = boot_options,
    .min_operands = 1,
    .max_operands = 1,
    .arguments_size = sizeof(struct boot_arguments),
    .defaults = &boot_defaults,
    .run = boot_run,
};
