#include "customize/program.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include "base/quote.h"
#include "base/random.h"

enum {
    lines_shown = 40,
    line_bytes_shown = 400,
    id_bytes = 16,
    machine_id_max = 64, /* bytes of /etc/machine-id that are looked at */
};

static const char machine_id_path[] = "/etc/machine-id";

const char *program_log(struct guest *guest)
{
    static const char log[] = "/tmp/builder.log";
    return guest_is_dir(guest, "/tmp") ? log : strrchr(log, '/');
}

int program_log_remove(struct customize_context *context, struct error **err)
{
    struct guest_stat st;
    struct error *cause = NULL;
    const char *log = program_log(context->guest);
    int r = guest_stat(context->guest, log, false, &st, &cause);
    if (r == -ENOENT) {
        error_free(cause);
        return 0;
    }
    if (r < 0)
        return error_move(err, cause);
    report(context->reporter, REPORT_INFO, "Removing the log %s", log);
    if (S_ISREG(st.mode))
        r = guest_overwrite(context->guest, log, err);
    return r < 0 ? r : guest_unlink(context->guest, log, err);
}

static bool is_i386(const char *arch)
{
    return strlen(arch) == 4 && arch[0] == 'i' && strcmp(arch + 2, "86") == 0;
}

static const char *host_arch(struct utsname *name)
{
    return uname(name) == 0 ? name->machine : "unknown";
}

int program_require(const struct guest_info *info, struct error **err)
{
    const char *guest = info->arch ? info->arch : "unknown";
    struct utsname name;
    const char *host = host_arch(&name);
    if (!info->type || strcmp(info->type, "linux") != 0) {
        error_set(err, EOPNOTSUPP,
                  "programs can be run only in a Linux guest; this one is of type %s",
                  info->type ? info->type : "unknown");
        return error_hint(err, "leave out what runs programs: --run, --install and the like");
    }
    bool fits = strcmp(guest, host) == 0 || strcmp(guest, "unknown") == 0 ||
                (is_i386(guest) && (is_i386(host) || strcmp(host, "x86_64") == 0));
    if (fits)
        return 0;
    error_set(err, EOPNOTSUPP,
              "the guest's architecture is %s and ours is %s, so that its programs cannot run here",
              guest, host);
    return error_hint(err, "let the guest do it at its first boot: --firstboot, "
                           "--firstboot-command, --firstboot-install");
}

static void append_environment(struct str *script)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "ftp_proxy", "no_proxy"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = getenv(names[i]);
        if (!value)
            continue;
        str_appendf(script, "export %s=", names[i]);
        quote_shell(script, value);
        str_append(script, "\n");
    }
}

/* The script for the guest's shell: runs DIRECTORY/script and prints the end of its output only
 * where it failed; all of it is in the log. */
static char *wrapper(struct customize_context *context, const char *directory, bool has_secret,
                     struct error **err)
{
    struct utsname name;
    const char *arch = context->info->arch ? context->info->arch : "";
    _cleanup_str_ struct str script = {0};
    str_append(&script, "umask 022\nexec </dev/null\nlog=");
    quote_shell(&script, program_log(context->guest));
    str_append(&script, "\nkept=$(wc -c 2>/dev/null <\"$log\") || kept=0\n");
    append_environment(&script);
    if (has_secret)
        str_appendf(&script, "export KILN_SECRET=%s/secret\n", directory);
    str_append(&script, "set --\n");
    /* Build scripts depend on uname(1). */
    if (is_i386(arch) && strcmp(host_arch(&name), "x86_64") == 0)
        str_append(&script, "command -v setarch >/dev/null && "
                            "set -- setarch i686 /bin/sh -c '\"$0\"'\n");
    str_appendf(&script, "\"$@\" %s/script >>\"$log\" 2>&1\nstatus=$?\n", directory);
    str_appendf(&script,
                "[ \"$status\" -eq 0 ] || tail -c \"+$((kept + 1))\" \"$log\" | tail -n %d\n"
                "exit \"$status\"\n",
                lines_shown);
    return str_take(&script, err);
}

/* Appends the last lines of the output, each indented and fit to be shown. */
static void append_lines(struct str *message, const char *output)
{
    size_t length = strlen(output);
    while (length > 0 && output[length - 1] == '\n')
        length--;
    size_t start = length;
    for (unsigned lines = 0; start > 0; start--)
        if (output[start - 1] == '\n' && ++lines == lines_shown)
            break;
    while (start < length) {
        size_t full = strcspn(output + start, "\n");
        if (full > length - start)
            full = length - start;
        _cleanup_free_ char *line =
            strndup(output + start, full < line_bytes_shown ? full : line_bytes_shown);
        _cleanup_free_ char *shown = line ? str_printable(line) : NULL;
        str_appendf(message, "\n  %s", shown ? shown : "");
        start += full + 1;
    }
}

static int judge(struct customize_context *context, const struct program *program,
                 const struct guest_run_result *result, struct error **err)
{
    if (result->status == 0)
        return 0;
    _cleanup_str_ struct str message = {0};
    if (result->status > 128)
        str_appendf(&message, "%s was ended by signal %d", program->told, result->status - 128);
    else
        str_appendf(&message, "%s failed with exit status %d", program->told, result->status);
    if (str_empty(result->output)) {
        str_append(&message, " and printed nothing");
    } else {
        str_appendf(&message,
                    "; the end of what it printed (%s in the guest):", program_log(context->guest));
        append_lines(&message, result->output);
    }
    _cleanup_free_ char *text = str_take(&message, err);
    return text ? error_set(err, EIO, "%s", text) : -ENOMEM;
}

static int put(struct guest *guest, const char *directory, const char *name, const void *data,
               size_t size, mode_t mode, struct error **err)
{
    const struct guest_file_attr attr = {.mode = mode, .force = true};
    _cleanup_free_ char *path = str_printf(err, "%s/%s", directory, name);
    return path ? guest_write(guest, path, data, size, &attr, err) : -ENOMEM;
}

static int run_in(struct customize_context *context, const struct program *program,
                  const char *directory, struct error **err)
{
    struct guest *guest = context->guest;
    _cleanup_guest_run_result_ struct guest_run_result result = {0};
    _cleanup_free_ char *script = wrapper(context, directory, program->secret != NULL, err);
    if (!script)
        return -ENOMEM;
    int r = put(guest, directory, "script", program->text, program->size, 0700, err);
    if (r == 0 && program->secret)
        r = put(guest, directory, "secret", program->secret, program->secret_size, 0600, err);
    if (r == 0)
        r = guest_run(guest, script, &result, err);
    return r < 0 ? r : judge(context, program, &result, err);
}

int program_run(struct customize_context *context, const struct program *program,
                struct error **err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char name[13];
    int r = random_text(letters, sizeof(name) - 1, name, err);
    if (r < 0)
        return r;
    bool has_tmp = guest_is_dir(context->guest, "/tmp");
    _cleanup_free_ char *directory = str_printf(err, "%s/kiln-run-%s", has_tmp ? "/tmp" : "", name);
    if (!directory)
        return -ENOMEM;
    r = guest_mkdir(context->guest, directory, 0700, err);
    if (r < 0)
        return r;
    r = run_in(context, program, directory, err);
    /* The first failure is reported; the secret is removed in any case. */
    int removed = guest_remove(context->guest, directory, r < 0 ? NULL : err);
    return r < 0 ? r : removed;
}

int program_lend_machine_id(struct guest *guest, char **ret_lent, struct error **err)
{
    struct guest_stat st;
    *ret_lent = NULL;
    if (guest_stat(guest, machine_id_path, false, &st, NULL) < 0 || !S_ISREG(st.mode) ||
        st.size > machine_id_max)
        return 0;
    _cleanup_free_ char *old = NULL;
    int r = guest_read(guest, machine_id_path, machine_id_max, &old, NULL, err);
    if (r < 0)
        return r;
    if (*old && strcmp(old, "uninitialized\n") != 0)
        return 0;
    uint8_t bytes[id_bytes];
    char id[2 * id_bytes + 2];
    r = random_bytes(bytes, sizeof(bytes), err);
    if (r < 0)
        return r;
    hex_encode(bytes, sizeof(bytes), id);
    strcat(id, "\n");
    r = guest_replace(guest, machine_id_path, id, strlen(id), err);
    if (r == 0)
        *ret_lent = TAKE_PTR(old);
    return r;
}

int program_return_machine_id(struct guest *guest, const char *lent, struct error **err)
{
    struct guest_stat st;
    /* A program may have taken the file away. */
    if (!lent || guest_stat(guest, machine_id_path, false, &st, NULL) < 0 || !S_ISREG(st.mode))
        return 0;
    return guest_replace(guest, machine_id_path, lent, strlen(lent), err);
}
