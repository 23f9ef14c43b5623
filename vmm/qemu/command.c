#include "vmm/qemu/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/quote.h"

/* The child's numbers begin behind the standard three. */
enum { first_fd = 10 };

int qemu_command_add_fd(struct qemu_command *command, int fd, bool owned, int *ret,
                        struct error **err)
{
    if (command->fd_count == QEMU_MAX_FDS) {
        if (owned)
            close(fd);
        return error_set(err, E2BIG, "the machine needs too many files");
    }
    size_t slot = command->fd_count++;
    command->fds[slot] = (struct proc_fd){.ours = fd, .theirs = first_fd + (int)slot};
    command->owned[slot] = owned;
    *ret = command->fds[slot].theirs;
    return 0;
}

int qemu_command_add_file(struct qemu_command *command, int fd, bool owned, char **ret_path,
                          struct error **err)
{
    int theirs = -1;
    int r = qemu_command_add_fd(command, fd, owned, &theirs, err);
    if (r == 0)
        r = qemu_command_add(command, err, "-add-fd", "fd=%d,set=%d", theirs, theirs);
    if (r < 0)
        return r;
    *ret_path = str_printf(err, "/dev/fdset/%d", theirs);
    return *ret_path ? 0 : -ENOMEM;
}

int qemu_command_add(struct qemu_command *command, struct error **err, const char *option,
                     const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *value;
    int length = vasprintf(&value, fmt, args);
    va_end(args);
    if (length < 0)
        return error_oom(err);
    int r = strv_add(&command->argv, option, err);
    if (r < 0) {
        free(value);
        return r;
    }
    return strv_take(&command->argv, value, err);
}

char *qemu_escape(const char *value, struct error **err)
{
    struct str text = {0};
    quote_commas(&text, value);
    return str_take(&text, err);
}

void qemu_command_free(struct qemu_command *command)
{
    strv_free(&command->argv);
    for (size_t i = 0; i < command->fd_count; i++)
        if (command->owned[i])
            close(command->fds[i].ours);
    for (size_t i = 0; i < command->image_count; i++)
        block_close(command->images[i]);
    for (size_t i = 0; i < command->image_count; i++)
        image_chain_free(&command->chains[i]);
    *command = (struct qemu_command){0};
}
