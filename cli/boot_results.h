/* What the guest reported through the results port: cloud-init's status, and the command's outcome.
 * */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/str.h"
#include "vmm/runner.h"

/* Zero-initialise. Texts are the guest's: to be made printable. */
struct boot_results {
    struct strv errors;   /* of cloud-init, "STAGE: ..." each */
    struct strv warnings; /* the same for what it calls recoverable */
    struct strv log;      /* warnings of cloud-init.log, which older versions do not repeat there */
    char *datasource;     /* NULL: not reported */
    bool told;            /* cloud-init's status has come */
    bool ran;             /* the command has ended */
    int exit_status;
    char *out, *err; /* its output, at most 1 MiB each; NULL: did not run */
};

/* Takes apart result->results. Where they hold more about cloud-init than the console, they correct
 * the verdict, and name what failed as its reason. */
int boot_results_read(struct vm_result *result, struct boot_results *ret, struct error **err);
void boot_results_free(struct boot_results *results);
#define _cleanup_boot_results_ _cleanup_(boot_results_free)

/* For --json: {"datasource", "errors", "warnings"}, null when nothing was reported. NULL: out of
 * memory. */
json_t *boot_results_cloud_json(const struct boot_results *results);
/* {"exit_status", "stdout", "stderr"}, null when no command has ended. */
json_t *boot_results_run_json(const struct boot_results *results);
