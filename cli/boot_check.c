#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/boot.h"
#include "cli/options.h"

static bool is_engine(const char *name)
{
    for (const struct vm_runner *const *runner = vm_runners; *runner; runner++)
        if (strcmp((*runner)->name, name) == 0)
            return true;
    return strcmp(name, "auto") == 0;
}

static int check_engine(const char *name, struct error **err)
{
    if (is_engine(name))
        return 0;
    _cleanup_str_ struct str known = {0};
    str_append(&known, "auto");
    for (const struct vm_runner *const *runner = vm_runners; *runner; runner++)
        str_appendf(&known, ", %s", (*runner)->name);
    return cli_usage(err, "--engine: '%s' is none of %s", name, known.data ? known.data : "auto");
}

/* Turns the error of a library's check of a value into wrong usage. */
static int usage_of(int r, struct error *cause, struct error **err)
{
    if (r < 0)
        cli_usage(err, "%s", error_message(cause));
    error_free(cause);
    return r;
}

static int check_port(uint64_t port, const char *what, struct error **err)
{
    return port >= 1 && port <= UINT16_MAX
               ? 0
               : cli_usage(err, "%s: a port is a number between 1 and 65535", what);
}

static int parse_forward(const char *text, struct vm_forward *ret, struct error **err)
{
    struct error *cause = NULL;
    const char *colon = strchr(text, ':');
    if (!colon)
        return cli_usage(err, "--forward: '%s' is not HOST:GUEST, two ports", text);
    _cleanup_free_ char *host = strndup(text, (size_t)(colon - text));
    uint64_t host_port, guest_port;
    if (!host)
        return error_oom(err);
    int r = parse_u64(host, "--forward", &host_port, &cause);
    if (r == 0)
        r = parse_u64(colon + 1, "--forward", &guest_port, &cause);
    r = usage_of(r, cause, err);
    if (r == 0)
        r = check_port(host_port, "--forward", err);
    if (r == 0)
        r = check_port(guest_port, "--forward", err);
    if (r == 0)
        *ret = (struct vm_forward){(uint16_t)host_port, (uint16_t)guest_port};
    return r;
}

static int check_forwards(const struct boot_arguments *arguments, struct boot_request *request,
                          struct error **err)
{
    bool reached = false;
    request->forwards = calloc(arguments->forwards.count + 1, sizeof(*request->forwards));
    if (!request->forwards)
        return error_oom(err);
    for (size_t i = 0; i < arguments->forwards.count; i++) {
        struct vm_forward *forward = &request->forwards[request->forward_count++];
        int r = parse_forward(arguments->forwards.items[i], forward, err);
        if (r < 0)
            return r;
        reached = reached || forward->guest_port == arguments->wait_port;
    }
    if (request->forward_count > 0 && !arguments->network)
        return cli_usage(err, "--forward needs the network, and --no-network switches it off");
    if (!arguments->wait_port)
        return 0;
    int r = check_port(arguments->wait_port, "--wait-port", err);
    if (r < 0 || reached)
        return r;
    return cli_usage(err, "--wait-port: port %llu is not forwarded; add --forward HOST:%llu",
                     (unsigned long long)arguments->wait_port,
                     (unsigned long long)arguments->wait_port);
}

static int compile_pattern(const char *text, struct boot_request *request, struct error **err)
{
    char why[200];
    int r = regcomp(&request->pattern, text, REG_EXTENDED | REG_NOSUB);
    if (r != 0) {
        regerror(r, &request->pattern, why, sizeof(why));
        return cli_usage(err, "--wait-for: '%s': %s", text, why);
    }
    request->has_pattern = true;
    return 0;
}

static int check_expectation(const struct boot_arguments *arguments, struct boot_request *request,
                             struct error **err)
{
    bool waits = arguments->wait_for || arguments->wait_port;
    if (arguments->expect) {
        struct error *cause = NULL;
        int r = vm_verdict_parse(arguments->expect, &request->expected, &cause);
        r = usage_of(r, cause, err);
        if (r < 0)
            return r;
    } else if (waits && !arguments->run) {
        request->expected = arguments->wait_port ? VERDICT_PORT_OPEN : VERDICT_LINE_SEEN;
    } else if (arguments->seeds.count > 0) {
        request->expected = VERDICT_CLOUD_INIT_DONE;
    }
    if (request->expected == VERDICT_LINE_SEEN && !arguments->wait_for)
        return cli_usage(err, "--expect line-seen needs --wait-for");
    if (request->expected == VERDICT_PORT_OPEN && !arguments->wait_port)
        return cli_usage(err, "--expect port-open needs --wait-port");
    if (arguments->run && arguments->seeds.count == 0)
        return cli_usage(err, "--run needs --seed, by which the command gets into the guest; kiln "
                              "seed makes one");
    return 0;
}

static int check_terminal(const struct boot_arguments *arguments, struct error **err)
{
    if (arguments->interactive && arguments->json)
        return cli_usage(err, "--interactive and --json exclude each other: both use standard "
                              "output");
    return 0;
}

static int check_way(const struct boot_arguments *arguments, struct error **err)
{
    bool overrides = boot_overrides(&arguments->override);
    if (arguments->firmware && arguments->direct_kernel)
        return cli_usage(err, "--direct-kernel and --firmware exclude each other");
    if (arguments->firmware && overrides)
        return cli_usage(err, "--kernel, --initrd and --append have no meaning with --firmware");
    if (arguments->firmware && strcmp(arguments->firmware, "bios") != 0 &&
        strcmp(arguments->firmware, "uefi") != 0)
        return cli_usage(err, "--firmware: '%s' is neither bios nor uefi", arguments->firmware);
    return 0;
}

/* On a terminal the user decides when to end. */
static void set_timeout(const struct boot_arguments *arguments, struct boot_request *request)
{
    static const uint64_t usual_ms = 120 * 1000;
    bool endless = arguments->interactive && isatty(STDIN_FILENO);
    request->timeout_ms = arguments->timeout;
    if (arguments->timeout == BOOT_TIMEOUT_DEFAULT && !endless)
        request->timeout_ms = usual_ms;
}

static int check_numbers(const struct boot_arguments *arguments, struct error **err)
{
    if (arguments->memory < 32ull << 20 || arguments->memory > 1ull << 40)
        return cli_usage(err, "--memory: between 32M and 1T");
    if (arguments->hugepages && arguments->memory % (2ull << 20) != 0)
        return cli_usage(err, "--memory: a multiple of 2M with --hugepages");
    if (arguments->cpus < 1 || arguments->cpus > 255)
        return cli_usage(err, "--cpus: between 1 and 255");
    if (arguments->timeout < 1)
        return cli_usage(err, "--timeout: must be greater than 0");
    return 0;
}

int boot_check(const struct boot_arguments *arguments, struct boot_request *request,
               struct error **err)
{
    struct error *cause = NULL;
    int r = image_format_parse(arguments->format, &request->format, &cause);
    r = usage_of(r, cause, err);
    if (r == 0)
        r = check_way(arguments, err);
    if (r == 0)
        r = check_engine(arguments->engine, err);
    if (r == 0)
        r = check_numbers(arguments, err);
    if (r == 0)
        r = check_forwards(arguments, request, err);
    if (r == 0)
        r = check_expectation(arguments, request, err);
    if (r == 0)
        r = check_terminal(arguments, err);
    if (r == 0)
        r = boot_smbios_parse(&arguments->smbios, &request->smbios, err);
    set_timeout(arguments, request);
    if (r == 0 && arguments->wait_for)
        r = compile_pattern(arguments->wait_for, request, err);
    return r;
}

void boot_request_free(struct boot_request *request)
{
    if (request->has_pattern)
        regfree(&request->pattern);
    free(request->forwards);
    boot_smbios_free(&request->smbios);
    *request = (struct boot_request){0};
}
