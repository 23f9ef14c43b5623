#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/boot.h"
#include "cli/boot_seed.h"
#include "cli/raw_terminal.h"

/* The seed as the guest gets it. */
struct seed_copy {
    int fd;
    size_t index; /* which of the seeds it stands for */
    char *path;
};

static void seed_copy_free(struct seed_copy *copy)
{
    if (copy->fd >= 0)
        close(copy->fd);
    free(copy->path);
}
#define _cleanup_seed_copy_ _cleanup_(seed_copy_free)

/* Of the first seed that can be copied. Without a command the boot also works without a copy: other
 * forms of seeds are accepted, and then the console alone decides. */
static int copy_seed(const struct boot_request *request, struct seed_copy *copy, struct error **err)
{
    const struct strv *seeds = &request->arguments->seeds;
    const char *command = request->arguments->run;
    _cleanup_error_ struct error *why = NULL;
    for (size_t i = 0; i < seeds->count && copy->fd < 0; i++) {
        struct error *cause = NULL;
        copy->fd = boot_seed_copy(seeds->items[i], command, &cause);
        copy->index = i;
        if (why)
            error_free(cause);
        else
            why = cause;
    }
    if (copy->fd >= 0) {
        copy->path = str_printf(err, "/proc/%ld/fd/%d", (long)getpid(), copy->fd);
        return copy->path ? 0 : -ENOMEM;
    }
    if (command && why) {
        error_move(err, TAKE_PTR(why));
        error_wrap(err, "--run");
        return error_hint(err, "the seed must be an ISO image, as kiln seed or cloud-localds make");
    }
    if (why)
        report(request->reporter, REPORT_DEBUG,
               "cloud-init's status will not be read from the guest: %s", error_message(why));
    return 0;
}

static struct vm_disk *list_disks(const struct boot_request *request, const struct seed_copy *copy,
                                  struct error **err)
{
    const struct strv *seeds = &request->arguments->seeds;
    struct vm_disk *disks = calloc(1 + seeds->count, sizeof(*disks));
    if (!disks) {
        error_oom(err);
        return NULL;
    }
    disks[0] = (struct vm_disk){.path = request->disk, .format = request->format};
    for (size_t i = 0; i < seeds->count; i++)
        disks[i + 1] = (struct vm_disk){
            .path = copy->fd >= 0 && copy->index == i ? copy->path : seeds->items[i],
            .format = IMAGE_RAW,
            .seed = true,
        };
    return disks;
}

int boot_machine(const struct boot_request *request, const struct boot_choice *choice,
                 int console_fd, struct vm_result *ret, struct error **err)
{
    const struct boot_arguments *arguments = request->arguments;
    _cleanup_seed_copy_ struct seed_copy copy = {.fd = -1};
    int r = copy_seed(request, &copy, err);
    if (r < 0)
        return r;
    _cleanup_free_ struct vm_disk *disks = list_disks(request, &copy, err);
    if (!disks)
        return -ENOMEM;
    const struct vm_terminal terminal = {STDIN_FILENO, STDOUT_FILENO};
    const struct vm_config config = {
        .boot = choice->boot,
        .disks = disks,
        .disk_count = 1 + arguments->seeds.count,
        .trust = &arguments->trust,
        .persist = arguments->persist,
        .kernel_fd = choice->kernel_fd,
        .initrd_fd = choice->initrd_fd,
        .command_line = choice->command_line,
        .memory = arguments->memory,
        .hugepages = arguments->hugepages,
        .cpus = (unsigned)arguments->cpus,
        .identity = boot_smbios_identity(&request->smbios),
        .network = arguments->network,
        .forwards = request->forwards,
        .forward_count = request->forward_count,
        .timeout_ms = request->timeout_ms,
        .console_fd = console_fd,
        .terminal = arguments->interactive ? &terminal : NULL,
        .expected = request->expected,
        .wait_for = request->has_pattern ? &request->pattern : NULL,
        .wait_port = (uint16_t)arguments->wait_port,
        .results = copy.fd >= 0,
        .results_needed = arguments->run != NULL,
        .reporter = request->reporter,
    };
    const struct vm_runner *runner;
    r = vm_runner_find(arguments->engine, &config, &runner, err);
    if (r < 0)
        return r;
    report(request->reporter, REPORT_INFO, "Booting %s by %s", request->disk, choice->description);
    if (arguments->interactive) {
        report(request->reporter, REPORT_INFO,
               "This is the guest's console; Ctrl-] ends the machine");
        r = raw_terminal_enter(STDIN_FILENO, err);
    }
    if (r == 0)
        r = runner->run(&config, ret, err);
    raw_terminal_leave();
    return r;
}
