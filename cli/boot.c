#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/boot.h"
#include "cli/boot_results.h"
#include "cli/commands.h"
#include "image/copy.h"

static const struct cli_option boot_options[] = {
    {"seed", 0, OPTION_LIST, offsetof(struct boot_arguments, seeds), "FILE",
     "attach a cloud-init seed (see kiln seed) and wait for cloud-init's end", NULL},
    {"format", 0, OPTION_STRING, offsetof(struct boot_arguments, format), "FORMAT",
     "format of the image", "detected from its contents"},
    TRUST_OPTIONS(struct boot_arguments, trust),
    {"memory", 'm', OPTION_MEMORY, offsetof(struct boot_arguments, memory), "SIZE",
     "memory of the machine; a bare number is MiB", "512M"},
    {"cpus", 0, OPTION_NUMBER, offsetof(struct boot_arguments, cpus), "N",
     "processors of the machine", "1"},
    {"timeout", 0, OPTION_DURATION, offsetof(struct boot_arguments, timeout), "TIME",
     "give up after TIME (90s, 5m)", "120s, without end on a terminal with --interactive"},
    {"hugepages", 0, OPTION_FLAG, offsetof(struct boot_arguments, hugepages), NULL,
     "take the memory from the host's pool of 2 MiB pages", NULL},
    {"persist", 0, OPTION_FLAG, offsetof(struct boot_arguments, persist), NULL,
     "let the guest write into the image, and switch it off in the end", NULL},
    {"direct-kernel", 0, OPTION_FLAG, offsetof(struct boot_arguments, direct_kernel), NULL,
     "boot the image's own kernel directly", NULL},
    {"kernel", 0, OPTION_STRING, offsetof(struct boot_arguments, override.kernel), "FILE",
     "boot this kernel instead of the image's own, without its initrd", NULL},
    {"initrd", 0, OPTION_STRING, offsetof(struct boot_arguments, override.initrd), "FILE",
     "take this initrd instead of the image's own", NULL},
    {"append", 0, OPTION_STRING, offsetof(struct boot_arguments, override.command_line), "TEXT",
     "take TEXT as the kernel's command line instead of the image's own", NULL},
    {"firmware", 0, OPTION_STRING, offsetof(struct boot_arguments, firmware), "bios|uefi",
     "boot by the image's own boot loader", "the kernel, else what the disk is made for"},
    {"expect", 0, OPTION_STRING, offsetof(struct boot_arguments, expect), "VERDICT",
     "the verdict that counts as success; see kiln-boot(1) for all",
     "cloud-init-done with a seed, else any good one"},
    {"wait-for", 0, OPTION_STRING, offsetof(struct boot_arguments, wait_for), "REGEX",
     "wait for a console line that matches", NULL},
    {"wait-port", 0, OPTION_NUMBER, offsetof(struct boot_arguments, wait_port), "PORT",
     "wait until this port of the guest accepts, through a --forward", NULL},
    {"forward", 0, OPTION_LIST, offsetof(struct boot_arguments, forwards), "HOST:GUEST",
     "forward a TCP port of 127.0.0.1 to a port of the guest; may be repeated", NULL},
    {"run", 0, OPTION_STRING, offsetof(struct boot_arguments, run), "COMMAND",
     "run COMMAND by the guest's shell at the end of cloud-init; must succeed", NULL},
    {"interactive", 'i', OPTION_FLAG, offsetof(struct boot_arguments, interactive), NULL,
     "connect the terminal to the guest's console until the guest or Ctrl-] ends the machine",
     NULL},
    {"smbios", 0, OPTION_LIST, offsetof(struct boot_arguments, smbios), "type=N,KEY=TEXT",
     "set the SMBIOS serial number (type=1,serial=) or a string (type=11,value=)", NULL},
    {"console-log", 0, OPTION_STRING, offsetof(struct boot_arguments, console_log), "FILE",
     "write the serial console to FILE", "$XDG_STATE_HOME/kiln/console/DISK.log"},
    {"junit", 0, OPTION_STRING, offsetof(struct boot_arguments, junit), "FILE",
     "write the outcome to FILE as JUnit XML", NULL},
    {"json", 0, OPTION_FLAG, offsetof(struct boot_arguments, json), NULL,
     "print the outcome as JSON", NULL},
    {"no-network", 0, OPTION_CLEAR, offsetof(struct boot_arguments, network), NULL,
     "give the machine no network card", NULL},
    {"engine", 0, OPTION_STRING, offsetof(struct boot_arguments, engine), "auto|kvm|qemu",
     "what runs the machine; firmware always boots under qemu", "auto"},
    CLI_OPTIONS_END,
};

static const struct boot_arguments boot_defaults = {
    .format = "auto",
    .memory = 512ull << 20,
    .cpus = 1,
    .timeout = BOOT_TIMEOUT_DEFAULT,
    .engine = "auto",
    .network = true,
};

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
    const struct boot_source source = {.disk = request->disk,
                                       .format = request->format,
                                       .trust = &request->arguments->trust,
                                       .reporter = request->reporter};
    if (firmware)
        return boot_choose_firmware(strcmp(firmware, "uefi") == 0 ? VM_BOOT_UEFI : VM_BOOT_BIOS,
                                    ret, err);
    if (boot_overrides(&request->arguments->override))
        return boot_choose_override(&source, &request->arguments->override, ret, err);
    if (request->arguments->direct_kernel)
        return boot_choose_kernel(&source, ret, err);
    return boot_choose_auto(&source, ret, err);
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
    /* The console shows what failed, unless it is the command. */
    if (!facts->passed && !facts->command_failed && !arguments->json)
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
    _cleanup_boot_results_ struct boot_results results = {0};
    _cleanup_free_ char *console_log = NULL;
    _cleanup_close_ int console_fd = -1;
    struct boot_facts facts = {.disk = request->disk,
                               .persist = request->arguments->persist,
                               .result = &result,
                               .results = &results};
    int r = digest_file(request->disk, facts.before, err);
    if (r == 0)
        r = choose(request, choice, err);
    if (r == 0)
        r = boot_open_console_log(request->arguments->console_log, request->disk, &console_log,
                                  &console_fd, err);
    if (r == 0)
        r = boot_machine(request, choice, console_fd, &result, err);
    if (r == 0)
        r = boot_results_read(&result, &results, err);
    if (r == 0)
        r = digest_file(request->disk, facts.after, err);
    if (r < 0)
        return r;
    facts.way = choice->description;
    facts.console_log = console_log;
    facts.expectation =
        request->expected == VERDICT_NONE ? "any good one" : vm_verdict_name(request->expected);
    facts.unchanged = strcmp(facts.before, facts.after) == 0;
    bool good = (facts.unchanged || facts.persist) && as_expected(request, result.verdict);
    facts.command_failed = good && request->arguments->run && results.exit_status != 0;
    facts.passed = good && !facts.command_failed;
    return tell(request, &facts, quiet, err);
}

static int boot_run(struct cli *cli, const void *opaque, struct error **err)
{
    _cleanup_boot_request_ struct boot_request request = {
        .disk = cli->operands[0], .arguments = opaque, .reporter = cli->reporter};
    struct boot_choice choice = BOOT_CHOICE_INIT;
    int r = boot_check(opaque, &request, err);
    if (r == 0)
        r = boot(&request, &choice, cli->quiet, err);
    boot_choice_free(&choice);
    return r;
}

const struct cli_command boot_command = {
    .name = "boot",
    .summary = "boot an image under a throw-away overlay to a verdict",
    .operands = "DISK",
    .description =
        "Boots the image under a throw-away overlay, watches its serial console, and ends with a "
        "verdict: cloud-init-done, cloud-init-degraded, cloud-init-failed, login-prompt, "
        "line-seen, port-open, panic, no-root-device, emergency-shell, no-bootloader, reset-loop, "
        "triple-fault, hang, power-off, interrupted or timeout. The image is never written, but by "
        "--persist; its digest before and after is compared. Firmware boots under QEMU only. Exit "
        "status 0 when the expected verdict was reached, and the command of --run succeeded.",
    .example = "kiln boot web1.img --seed web1-seed.iso --timeout 5m",
    .options = boot_options,
    .min_operands = 1,
    .max_operands = 1,
    .arguments_size = sizeof(struct boot_arguments),
    .defaults = &boot_defaults,
    .run = boot_run,
};
