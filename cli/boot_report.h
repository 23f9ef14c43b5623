/* The report of `kiln boot`: text, JSON, JUnit. */
#pragma once

#include "base/digest.h"
#include "cli/boot_results.h"
#include "vmm/runner.h"

struct boot_facts {
    const char *disk;
    const char *way;         /* boot_choice.description */
    const char *console_log; /* path */
    const char *expectation; /* "cloud-init-done", or "a good one" */
    bool passed;             /* the expected verdict, the image unchanged, the command done */
    bool command_failed;     /* nothing else failed */
    bool persist;            /* the image may change */
    bool unchanged;
    char before[DIGEST_MAX_HEX];
    char after[DIGEST_MAX_HEX];
    const struct vm_result *result;
    const struct boot_results *results;
};

void boot_print_text(const struct boot_facts *facts);
int boot_print_json(const struct boot_facts *facts, struct error **err);

/* One test suite with one test case, in the form that CI servers read
 * (https://github.com/testmoapp/junitxml). */
int boot_write_junit(const struct boot_facts *facts, const char *path, struct error **err);
