#include "cli/appliance.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/secret.h"
#include "cli/kvm.h"

/* What cryptsetup takes of a passphrase that is typed. */
enum { passphrase_max = 512 };

/* *ret is NULL at the end of the input, and for an empty line. */
static int read_key(int fd, const char *name, char **ret, struct error **err)
{
    int r = secret_read_line(fd, name, passphrase_max, ret, err);
    if (r == 0 && *ret && !**ret)
        secret_free(TAKE_PTR(*ret));
    return r;
}

static int ask_stdin(void *opaque, const char *device, char **ret, struct error **err)
{
    (void)opaque, (void)device;
    return read_key(STDIN_FILENO, "standard input", ret, err);
}

static int ask_terminal(void *opaque, const char *device, char **ret, struct error **err)
{
    const struct key_arguments *arguments = opaque;
    struct termios before, silent;
    /* Without a terminal there is no prompt. */
    _cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || tcgetattr(fd, &before) < 0) {
        *ret = NULL;
        return 0;
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    dprintf(fd, "\rPassphrase of %s (empty: leave it closed): ", device);
    if (!arguments->echo)
        tcsetattr(fd, TCSAFLUSH, &silent);
    int r = read_key(fd, "the terminal", ret, err);
    if (!arguments->echo) {
        tcsetattr(fd, TCSAFLUSH, &before);
        dprintf(fd, "\n");
    }
    return r;
}

static int gather_keys(const struct key_arguments *arguments, struct guest_keys *ret,
                       struct error **err)
{
    *ret = (struct guest_keys){
        .ask = arguments->from_stdin ? ask_stdin : ask_terminal,
        .ask_context = (void *)arguments,
    };
    for (size_t i = 0; i < arguments->selectors.count; i++) {
        struct error *cause = NULL;
        int r = guest_keys_add(ret, arguments->selectors.items[i], &cause);
        if (r < 0)
            return r == -EINVAL ? cli_usage_because(err, cause) : error_move(err, cause);
    }
    return 0;
}

/* --attach-format is for those behind it. */
static int gather_attached(const struct strv *given, struct cli_resources *ret, struct error **err)
{
    enum image_format format = IMAGE_AUTO;
    ret->attached = calloc(given->count + 1, sizeof(*ret->attached));
    ret->guest.attached = ret->attached;
    if (!ret->attached)
        return error_oom(err);
    for (size_t i = 0; i < given->count; i++) {
        const char *value = strchr(given->items[i], '=') + 1;
        struct error *cause = NULL;
        if (str_starts(given->items[i], "attach="))
            ret->attached[ret->guest.attached_count++] =
                (struct guest_drive){.path = value, .format = format};
        else if (image_format_parse(value, &format, &cause) < 0)
            return cli_usage_because(err, cause);
    }
    return 0;
}

static int size_appliance(const struct appliance_arguments *arguments, struct guest_resources *ret,
                          struct error **err)
{
    if (arguments->smp > 255)
        return cli_usage(err, "--smp %llu is too many", (unsigned long long)arguments->smp);
    ret->memory = arguments->memsize;
    ret->cpus = (unsigned)arguments->smp;
    return 0;
}

int cli_resources(const char *engine, const struct appliance_arguments *appliance,
                  const struct key_arguments *keys, struct cli_resources *ret, struct error **err)
{
    struct error *cause = NULL;
    int r = guest_engine_parse(engine, &ret->guest.engine, &cause);
    if (r < 0)
        return cli_usage_because(err, cause);
    if (appliance)
        r = size_appliance(appliance, &ret->guest, err);
    if (r == 0 && appliance)
        r = gather_attached(&appliance->attached, ret, err);
    if (r == 0)
        r = gather_keys(keys, &ret->keys, err);
    if (r < 0)
        return r;
    ret->guest.keys = &ret->keys;
    ret->guest.kvm_healthy = cli_kvm_healthy();
    return 0;
}

void cli_resources_free(struct cli_resources *resources)
{
    free(resources->attached);
    guest_keys_free(&resources->keys);
    *resources = (struct cli_resources){0};
}

/* Which of several systems. */

enum { answer_max = 512 };

/* The number that is typed, or a device of the list; none for anything else. */
static size_t read_choice(const char *answer, const struct strv *found)
{
    size_t count = found->count / 2;
    uint64_t number;
    for (size_t i = 0; i < count; i++)
        if (strcmp(answer, found->items[2 * i]) == 0)
            return i;
    if (parse_u64(answer, "number", &number, NULL) < 0 || number < 1 || number > count)
        return count;
    return (size_t)number - 1;
}

static int ask_root(void *opaque, const struct strv *found, size_t *ret, struct error **err)
{
    (void)opaque;
    size_t count = found->count / 2;
    *ret = count;
    _cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return 0;
    dprintf(fd, "\rThe disks hold several operating systems:\n");
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *name = str_printable(found->items[2 * i + 1]);
        dprintf(fd, "[%zu] %s%s%s\n", i + 1, found->items[2 * i], str_empty(name) ? "" : "  ",
                name ? name : "");
    }
    dprintf(fd, "Which one is meant? Number or device (empty: none): ");
    _cleanup_free_ char *answer = NULL;
    int r = secret_read_line(fd, "the terminal", answer_max, &answer, err);
    if (r == 0 && answer)
        *ret = read_choice(str_strip(answer), found);
    return r;
}

int cli_resources_root(const char *text, struct cli_resources *resources, struct error **err)
{
    struct error *cause = NULL;
    if (guest_root_choice_parse(text, &resources->root, &cause) < 0)
        return cli_usage_because(err, cause);
    resources->root.ask = ask_root;
    resources->guest.root = &resources->root;
    return 0;
}
