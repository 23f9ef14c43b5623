/*
 * Programs of the guest: how operations run them, where their output goes, and what is reported
 * when they fail.
 */
#pragma once

#include "base/error.h"
#include "customize/operation.h"
#include "guest/inspect/inspect.h"

/* A script that runs in the guest as root, with standard input at its end and the proxy settings of
 * our own environment. */
struct program {
    const char *text;   /* begins with "#!" or is a shell script */
    size_t size;        /* bytes of text */
    const char *told;   /* what it is called in messages; no secret */
    const char *secret; /* NULL, or what the script finds in the file $KILN_SECRET */
    size_t secret_size; /* bytes */
};

/*
 * Runs it to its end. Output of both streams is appended to the guest's log. An exit status other
 * than 0 is -EIO, and the message has the status and, each on a line of its own, the last 40 lines
 * of output.
 */
int program_run(struct customize_context *context, const struct program *program,
                struct error **err);

/* -EOPNOTSUPP where programs of this guest cannot run here: no Linux, or another architecture. */
int program_require(const struct guest_info *info, struct error **err);

/* "/tmp/builder.log" where the guest has a /tmp, else "/builder.log". */
const char *program_log(struct guest *guest);
/* Overwrites and removes the log. Absent is fine. */
int program_log_remove(struct customize_context *context, struct error **err);

/*
 * A guest whose machine-id(5) is empty, so that every clone generates its own at its first boot,
 * has none for programs that need one (the scripts of kernel packages do). It temporarily gets a
 * random one; *ret_lent: what has to be restored, NULL where nothing was changed. Caller frees.
 */
int program_lend_machine_id(struct guest *guest, char **ret_lent, struct error **err);
int program_return_machine_id(struct guest *guest, const char *lent, struct error **err);
