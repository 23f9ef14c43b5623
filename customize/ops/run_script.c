/* --run SCRIPT and --run-command 'CMD+ARGS' */

#include "customize/ops/operations.h"
#include "customize/program.h"
#include "customize/script.h"

static int run_parse(const char *argument, void **ret_data, struct error **err)
{
    return script_read("run", argument, ret_data, err);
}

static int run_command_parse(const char *argument, void **ret_data, struct error **err)
{
    return script_of_command("run-command", argument, ret_data, err);
}

static int run_apply(const void *data, const char *argument, struct customize_context *context,
                     struct error **err)
{
    const struct script *script = data;
    report(context->reporter, REPORT_INFO, "Running: %s", argument);
    const struct program program = {.text = script->text, .size = script->size, .told = argument};
    return program_run(context, &program, err);
}

const struct customize_operation run_operation = {
    .name = "run",
    .metavar = "SCRIPT",
    .help = "run a local script, or any program, in the guest",
    .manual = "Run the local file SCRIPT in the guest, as root: it is copied there, made "
              "executable, run and removed again. What begins with #! is run by the interpreter "
              "named there, other text by the guest's /bin/sh. Its output goes to "
              "/tmp/builder.log in the guest; when it fails, its last 40 lines are shown and the "
              "work ends there. Outgoing connections are possible unless --no-network is given.",
    .example = "--run setup.sh",
    .needs = GUEST_CAN_RUN,
    .wants = GUEST_CAN_NETWORK,
    .parse = run_parse,
    .apply = run_apply,
    .free_data = script_free,
};

const struct customize_operation run_command_operation = {
    .name = "run-command",
    .metavar = "CMD+ARGS",
    .help = "run a command in the guest",
    .manual = "Run the shell command in the guest, as root. Output, failure and the network are as "
              "with --run.",
    .example = "--run-command 'useradd -m joe'",
    .needs = GUEST_CAN_RUN,
    .wants = GUEST_CAN_NETWORK,
    .parse = run_command_parse,
    .apply = run_apply,
    .free_data = script_free,
};
