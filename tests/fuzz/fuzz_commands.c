/* Files for --commands-from-file. Operations that read files of the host are left alone: what they
 * are given here must not choose any. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fdio.h"
#include "customize/command_file.h"
#include "customize/operation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const harmless[] = {"append-line", "chmod", "chown",    "copy", "delete",
                                       "hostname",    "link",  "mkdir",    "move", "scrub",
                                       "timezone",    "touch", "truncate", "write"};

static void try_command(const struct command *command)
{
    _cleanup_customize_plan_ struct customize_plan plan = {0};
    _cleanup_error_ struct error *err = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
        if (strcmp(command->name, harmless[i]) != 0)
            continue;
        int r = customize_plan_add(&plan, customize_operation_find(harmless[i]), command->argument,
                                   &err);
        if ((r < 0) != (err != NULL) || (r == 0) != (plan.count == 1))
            abort();
        return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_close_ int fd = memfd_create("commands", MFD_CLOEXEC);
    if (fd < 0 || fd_pwrite_full(fd, data, size, 0, "commands", NULL) < 0)
        abort();
    _cleanup_command_file_ struct command_file *file = NULL;
    if (command_file_new(fd, "commands", &file, NULL) < 0)
        abort();
    size_t line = 0;
    for (;;) {
        struct command command;
        _cleanup_error_ struct error *err = NULL;
        int r = command_file_next(file, &command, &err);
        if ((r < 0) != (err != NULL))
            abort();
        if (r <= 0)
            return 0;
        if (command.line <= line || !*command.name || *command.name == '#' ||
            strchr(command.name, ' '))
            abort();
        line = command.line;
        try_command(&command);
    }
}
