/* What `kiln boot` is asked for, and its stages. Private to cli/boot*.c. */
#pragma once

#include <regex.h>

#include "base/str.h"
#include "cli/boot_kernel.h"
#include "cli/boot_report.h"
#include "cli/boot_smbios.h"
#include "cli/trust.h"
#include "vmm/runner.h"

/* Of --timeout where it is not given. */
#define BOOT_TIMEOUT_DEFAULT UINT64_MAX

struct boot_arguments {
    struct strv seeds;
    const char *format;
    struct image_trust trust;
    uint64_t memory;
    uint64_t cpus;
    uint64_t timeout;
    bool direct_kernel;
    struct boot_override override;
    const char *firmware;
    const char *expect;
    const char *wait_for;
    uint64_t wait_port;
    struct strv forwards;
    const char *run;
    bool interactive;
    struct strv smbios;
    const char *console_log;
    const char *junit;
    const char *engine;
    bool json;
    bool network;
    bool hugepages;
    bool persist;
};

/* What the arguments mean, checked. Zero-initialise. */
struct boot_request {
    const char *disk;
    enum image_format format;
    enum vm_verdict expected; /* VERDICT_NONE: any good one */
    regex_t pattern;          /* --wait-for */
    bool has_pattern;
    struct vm_forward *forwards;
    size_t forward_count;
    uint64_t timeout_ms;
    struct boot_smbios smbios;
    const struct boot_arguments *arguments;
    struct reporter *reporter;
};

/* boot_check.c: fills the request; wrong usage is told by cli_usage(). */
int boot_check(const struct boot_arguments *arguments, struct boot_request *request,
               struct error **err);
void boot_request_free(struct boot_request *request);
#define _cleanup_boot_request_ _cleanup_(boot_request_free)

/* boot_console_log.c: opens `file`, as the user named it, or where that is NULL a new log of the
 * disk in the user's directory for state. A directory there that is a link, belongs to another
 * user or lets others write is refused. The caller frees the path and closes the descriptor. */
int boot_open_console_log(const char *file, const char *disk, char **ret_path, int *ret_fd,
                          struct error **err);

/* boot_machine.c: runs the machine to its verdict. */
int boot_machine(const struct boot_request *request, const struct boot_choice *choice,
                 int console_fd, struct vm_result *ret, struct error **err);
