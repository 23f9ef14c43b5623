#include "customize/windows/firstboot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fdio.h"
#include "customize/firstboot.h"
#include "customize/windows/windows.h"
#include "guest/inspect/nocase.h"
#include "guest/inspect/registry.h"

#define HOME "C:\\Program Files\\Guestfs\\Firstboot"

static const char *const wrappers[] = {"rhsrvany.exe", "pvvxsvc.exe"};

/* A batch file is moved away before it runs: one that restarts the machine does not run again. The
 * name of the wrapper stands between the two halves. */
static const char runner_head[] =
    "@echo off\r\n"
    "setlocal EnableExtensions EnableDelayedExpansion\r\n"
    "set home=" HOME "\r\n"
    "if not exist \"%home%\\scripts-done\" mkdir \"%home%\\scripts-done\"\r\n"
    "call :all >>\"%home%\\log.txt\" 2>&1\r\n"
    "exit /b 0\r\n"
    "\r\n"
    ":all\r\n"
    "for %%f in (\"%home%\\scripts\\*.bat\") do call :one \"%%f\" \"%%~nxf\"\r\n"
    "echo === All have run ===\r\n"
    "\"%home%\\";
static const char runner_tail[] = "\" -s firstboot uninstall\r\n"
                                  "exit /b 0\r\n"
                                  "\r\n"
                                  ":one\r\n"
                                  "move /y %1 \"%home%\\scripts-done\" >nul || exit /b 0\r\n"
                                  "echo === Running %~2 ===\r\n"
                                  "pushd \"%home%\\scripts-done\"\r\n"
                                  "cmd.exe /c %2 <nul\r\n"
                                  "echo === It ended with status !errorlevel! ===\r\n"
                                  "del /q %2\r\n"
                                  "popd\r\n"
                                  "exit /b 0\r\n";

/* On this host. */

static char *find_wrapper(const char **ret_name, struct error **err)
{
    const char *directory = getenv("VIRT_TOOLS_DATA_DIR");
    if (str_empty(directory))
        directory = "/usr/share/virt-tools";
    for (size_t i = 0; i < ARRAY_SIZE(wrappers); i++) {
        _cleanup_free_ char *path = str_printf(err, "%s/%s", directory, wrappers[i]);
        if (!path)
            return NULL;
        if (access(path, R_OK) == 0) {
            *ret_name = wrappers[i];
            return TAKE_PTR(path);
        }
    }
    error_set(err, ENOENT,
              "%s: has neither rhsrvany.exe nor pvvxsvc.exe, and Windows needs one of "
              "them to run scripts at its first boot",
              directory);
    error_hint(err, "fedora has it in mingw-srvany-redistributable; else build it from "
                    "https://github.com/rwmjones/rhsrvany and name its directory in "
                    "VIRT_TOOLS_DATA_DIR");
    return NULL;
}

int firstboot_windows_require(const struct guest_info *info, struct error **err)
{
    const char *name;
    struct error *error = NULL;
    int r = windows_require(info, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *path = find_wrapper(&name, &error);
    return path ? 0 : error_move(err, error);
}

/* In the guest. */

/* LocalSystem runs it at every boot until it has removed itself. */
static int register_service(struct customize_context *context, const char *wrapper,
                            struct error **err)
{
    enum { own_process = 0x10, auto_start = 2, error_normal = 1 };
    const struct guest_windows *windows = context->info->windows;
    _cleanup_registry_ struct registry *system = NULL;
    _cleanup_free_ char *key = str_printf(err, "%s\\Services\\firstboot", windows->control_set);
    _cleanup_free_ char *parameters = str_printf(err, "%s\\Parameters", key ? key : "");
    _cleanup_free_ char *image = str_printf(err, "\"" HOME "\\%s\" -s firstboot", wrapper);
    if (!key || !parameters || !image)
        return -ENOMEM;
    const struct registry_value service[] = {
        {.name = "Type", .type = REGISTRY_DWORD, .number = own_process},
        {.name = "Start", .type = REGISTRY_DWORD, .number = auto_start},
        {.name = "ErrorControl", .type = REGISTRY_DWORD, .number = error_normal},
        {.name = "ImagePath", .type = REGISTRY_SZ, .text = image},
        {.name = "DisplayName", .type = REGISTRY_SZ, .text = "Scripts of the first boot"},
        {.name = "ObjectName", .type = REGISTRY_SZ, .text = "LocalSystem"},
    };
    static const struct registry_value command[] = {
        {.name = "CommandLine", .type = REGISTRY_SZ, .text = "cmd /c \"" HOME "\\firstboot.bat\""},
        {.name = "PWD", .type = REGISTRY_SZ, .text = HOME},
    };
    int r = registry_open(context->guest, windows->system_hive, true, &system, err);
    if (r == 0)
        r = registry_set(system, key, service, ARRAY_SIZE(service), err);
    if (r == 0)
        r = registry_set(system, parameters, command, ARRAY_SIZE(command), err);
    return r < 0 ? r : registry_commit(system, context->guest, err);
}

static int put_wrapper(struct guest *guest, const char *home, const char *path, const char *name,
                       struct error **err)
{
    static const struct guest_file_attr attr = {.mode = 0755};
    _cleanup_free_ char *target = str_printf(err, "%s/%s", home, name);
    if (!target)
        return -ENOMEM;
    _cleanup_close_ int fd = file_open(path, O_RDONLY, 0, err);
    return fd < 0 ? fd : guest_upload(guest, fd, target, &attr, err);
}

static int put_runner(struct guest *guest, const char *home, const char *wrapper,
                      struct error **err)
{
    static const struct guest_file_attr attr = {.mode = 0755};
    _cleanup_free_ char *target = str_printf(err, "%s/firstboot.bat", home);
    _cleanup_free_ char *text =
        target ? str_printf(err, "%s%s%s", runner_head, wrapper, runner_tail) : NULL;
    return text ? guest_write(guest, target, text, strlen(text), &attr, err) : -ENOMEM;
}

/* Batch files want "\r\n" to be found through labels at all. */
static char *with_windows_line_ends(const char *text, size_t size, struct error **err)
{
    _cleanup_str_ struct str result = {0};
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'))
            str_append(&result, "\r");
        str_append_n(&result, text + i, 1);
    }
    return str_take(&result, err);
}

static int add_script(struct guest *guest, const char *home, const char *name, const char *text,
                      size_t size, struct error **err)
{
    static const struct guest_file_attr attr = {.mode = 0755};
    unsigned count;
    _cleanup_free_ char *path = NULL, *scripts = NULL;
    int r = guest_nocase(guest, home, "scripts", &scripts, err);
    if (r == 0)
        r = guest_mkdir_p(guest, scripts, 0755, err);
    if (r == 0)
        r = firstboot_next_path(guest, scripts, name, &path, &count, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *target = str_printf(err, "%s.bat", path);
    _cleanup_free_ char *batch = target ? with_windows_line_ends(text, size, err) : NULL;
    return batch ? guest_write(guest, target, batch, strlen(batch), &attr, err) : -ENOMEM;
}

int firstboot_windows_add(struct customize_context *context, const char *name, const char *text,
                          size_t size, struct error **err)
{
    const char *wrapper;
    struct error *error = NULL;
    struct guest *guest = context->guest;
    _cleanup_free_ char *program = find_wrapper(&wrapper, &error);
    if (!program)
        return error_move(err, error);
    if (memchr(text, '\0', size)) {
        error_set(err, EINVAL,
                  "a script for Windows' first boot is a batch file, and this holds "
                  "binary data");
        return error_hint(err, "put a program there by --upload, and call it by "
                               "--firstboot-command");
    }
    _cleanup_free_ char *home = NULL;
    int r = guest_nocase(guest, "/", "Program Files/Guestfs/Firstboot", &home, err);
    if (r == 0)
        r = register_service(context, wrapper, err);
    if (r == 0)
        r = guest_mkdir_p(guest, home, 0755, err);
    if (r == 0)
        r = put_wrapper(guest, home, program, wrapper, err);
    if (r == 0)
        r = put_runner(guest, home, wrapper, err);
    if (r == 0)
        r = add_script(guest, home, name, text, size, err);
    return windows_explain(r, err);
}
