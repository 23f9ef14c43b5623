#include "customize/script.h"

#include <errno.h>
#include <string.h>

#include "base/fdio.h"
#include "base/str.h"

#define SCRIPT_MAX ((size_t)16 << 20)

void script_free(void *data)
{
    struct script *script = data;
    if (!script)
        return;
    if (script->text)
        explicit_bzero(script->text, script->size);
    free(script->text);
    free(script);
}

DEFINE_CLEANUP(struct script *, script_free);

int script_read(const char *option, const char *path, void **ret_data, struct error **err)
{
    _cleanup_(script_freep) struct script *script = calloc(1, sizeof(*script));
    if (!script)
        return error_oom(err);
    int r = file_read(path, SCRIPT_MAX, &script->text, &script->size, err);
    if (r == 0 && script->size == 0)
        r = error_set(err, ENODATA, "%s: is empty where a script is expected", path);
    if (r < 0) {
        error_wrap(err, "--%s", option);
        return r;
    }
    *ret_data = TAKE_PTR(script);
    return 0;
}

int script_of_command(const char *option, const char *command, void **ret_data, struct error **err)
{
    if (command[strspn(command, " \t\n")] == '\0')
        return error_set(err, EINVAL, "--%s: the command is empty", option);
    _cleanup_(script_freep) struct script *script = calloc(1, sizeof(*script));
    if (!script)
        return error_oom(err);
    script->text = str_printf(err, "#!/bin/sh\n%s\n", command);
    if (!script->text)
        return -ENOMEM;
    script->size = strlen(script->text);
    *ret_data = TAKE_PTR(script);
    return 0;
}
