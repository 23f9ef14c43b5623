#include "vmm/watch.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/clock.h"
#include "base/str.h"
#include "vmm/forward_probe.h"
#include "vmm/results.h"

enum {
    step_ms = 500,            /* between looks at the port */
    results_grace_ms = 15000, /* for the rest of the results that the guest has begun to send */
};

struct vm_watch {
    const struct vm_config *config;
    struct console_watcher *console;
    struct forward_probe probe;
    struct str results;
    bool results_complete;
    bool switched_off;
    bool interrupted;
    uint64_t next_step;
    uint64_t decided_at; /* when the verdict was first known; 0: not yet */
};

int vm_watch_new(const struct vm_config *config, struct vm_watch **ret, struct error **err)
{
    bool seeded = false;
    for (size_t i = 0; i < config->disk_count; i++)
        seeded = seeded || config->disks[i].seed;
    _cleanup_vm_watch_ struct vm_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return error_oom(err);
    watch->config = config;
    watch->probe.fd = -1;
    watch->probe.guest_port = config->wait_port;
    for (size_t i = 0; i < config->forward_count; i++)
        if (config->forwards[i].guest_port == config->wait_port)
            watch->probe.host_port = config->forwards[i].host_port;
    int r = console_watcher_new(seeded, config->expected, &watch->console, err);
    if (r < 0)
        return r;
    console_watcher_look_for(watch->console, config->wait_for);
    *ret = TAKE_PTR(watch);
    return 0;
}

/* What has not come yet of all that is waited for. */
enum missing { MISSING_NOTHING, MISSING_SIGN, MISSING_LINE, MISSING_PORT, MISSING_RESULTS };

static bool wants_sign(const struct vm_watch *watch)
{
    return watch->config->expected != VERDICT_LINE_SEEN &&
           watch->config->expected != VERDICT_PORT_OPEN;
}

static enum missing find_missing(const struct vm_watch *watch)
{
    const struct vm_config *config = watch->config;
    if (wants_sign(watch) && console_watcher_verdict(watch->console) == VERDICT_NONE)
        return MISSING_SIGN;
    if (config->wait_for && !console_watcher_found(watch->console))
        return MISSING_LINE;
    if (config->wait_port && !watch->probe.accepted)
        return MISSING_PORT;
    return config->results_needed && !watch->results_complete ? MISSING_RESULTS : MISSING_NOTHING;
}

enum vm_verdict vm_watch_verdict(const struct vm_watch *watch)
{
    enum vm_verdict sign = console_watcher_verdict(watch->console);
    if (sign != VERDICT_NONE && !vm_verdict_good(sign))
        return sign;
    if (find_missing(watch) != MISSING_NOTHING)
        return watch->switched_off ? VERDICT_POWER_OFF : VERDICT_NONE;
    return wants_sign(watch) ? sign : watch->config->expected;
}

bool vm_watch_listens(const struct vm_watch *watch)
{
    enum vm_verdict verdict = vm_watch_verdict(watch);
    if (watch->config->terminal)
        return false;
    return verdict == VERDICT_LINE_SEEN || (verdict != VERDICT_NONE && !vm_verdict_good(verdict));
}

static bool is_of_cloud_init(enum vm_verdict verdict)
{
    return verdict == VERDICT_CLOUD_INIT_DONE || verdict == VERDICT_CLOUD_INIT_DEGRADED ||
           verdict == VERDICT_CLOUD_INIT_FAILED;
}

/* Until when the rest of the results is waited for; 0: it is not. */
static uint64_t results_deadline(const struct vm_watch *watch)
{
    bool coming = watch->config->results && !watch->results_complete && !watch->switched_off &&
                  results_begun(watch->results.data, watch->results.length);
    return coming && is_of_cloud_init(vm_watch_verdict(watch))
               ? watch->decided_at + results_grace_ms
               : 0;
}

bool vm_watch_over(const struct vm_watch *watch)
{
    if (watch->config->terminal)
        return watch->interrupted;
    return vm_watch_verdict(watch) != VERDICT_NONE && clock_now_ms() >= results_deadline(watch);
}

static void note_decision(struct vm_watch *watch)
{
    if (watch->decided_at == 0 && vm_watch_verdict(watch) != VERDICT_NONE)
        watch->decided_at = clock_now_ms();
}

void vm_watch_console(struct vm_watch *watch, const char *bytes, size_t count)
{
    console_watcher_feed(watch->console, bytes, count);
    note_decision(watch);
}

void vm_watch_results(struct vm_watch *watch, const char *bytes, size_t count)
{
    if (!watch->config->results || count == 0 || watch->results_complete)
        return;
    str_append_n(&watch->results, bytes,
                 min_u64(count, (uint64_t)RESULTS_MAX - watch->results.length));
    watch->results_complete = watch->results.failed || watch->results.length == RESULTS_MAX ||
                              results_complete(watch->results.data, watch->results.length);
    note_decision(watch);
}

void vm_watch_connections(struct vm_watch *watch, const char *list)
{
    forward_probe_read_list(&watch->probe, list);
    note_decision(watch);
}

void vm_watch_reset(struct vm_watch *watch)
{
    if (vm_watch_over(watch))
        return;
    console_watcher_reset(watch->console);
    /* The next boot starts a new report. */
    str_free(&watch->results);
    watch->results_complete = false;
    note_decision(watch);
}

void vm_watch_power_off(struct vm_watch *watch)
{
    if (vm_watch_verdict(watch) == VERDICT_NONE)
        console_watcher_power_off(watch->console);
    watch->switched_off = true;
    note_decision(watch);
}

void vm_watch_interrupt(struct vm_watch *watch)
{
    watch->interrupted = true;
}

uint64_t vm_watch_step(struct vm_watch *watch, bool *ret_wants_connections)
{
    uint64_t now = clock_now_ms(), deadline = results_deadline(watch);
    bool probing = watch->config->wait_port && !watch->probe.accepted;
    *ret_wants_connections = false;
    if (probing && now >= watch->next_step) {
        forward_probe_step(&watch->probe);
        note_decision(watch);
        *ret_wants_connections = watch->probe.fd >= 0;
        watch->next_step = now + step_ms;
    }
    uint64_t wake = probing ? watch->next_step : UINT64_MAX;
    if (deadline)
        wake = min_u64(wake, max_u64(deadline, now));
    return wake == UINT64_MAX ? wake : wake - now;
}

static char *explain_missing(const struct vm_watch *watch, struct error **err)
{
    enum vm_verdict sign = console_watcher_verdict(watch->console);
    _cleanup_free_ char *known = sign == VERDICT_NONE ? console_watcher_state(watch->console)
                                                      : strdup(vm_verdict_name(sign));
    if (!known) {
        error_oom(err);
        return NULL;
    }
    switch (find_missing(watch)) {
    case MISSING_LINE:
        return str_printf(err, "no line of the console matched; %s", known);
    case MISSING_PORT:
        return str_printf(err, "port %u of the guest did not accept a connection; %s",
                          watch->config->wait_port, known);
    case MISSING_RESULTS:
        return str_printf(err, "%s, but the guest did not report the command's result (%s)", known,
                          results_begun(watch->results.data, watch->results.length)
                              ? "it had begun"
                              : "nothing came through the port " RESULTS_PORT);
    case MISSING_SIGN:
    case MISSING_NOTHING:
        break;
    }
    return TAKE_PTR(known);
}

static char *explain(const struct vm_watch *watch, struct error **err)
{
    enum vm_verdict verdict = vm_watch_verdict(watch);
    _cleanup_free_ char *missing = NULL;
    switch (verdict) {
    case VERDICT_NONE:
        return explain_missing(watch, err);
    case VERDICT_LINE_SEEN:
        return str_printf(err, "%s", console_watcher_found(watch->console));
    case VERDICT_PORT_OPEN:
        return str_printf(err, "port %u of the guest accepts connections on 127.0.0.1:%u",
                          watch->probe.guest_port, watch->probe.host_port);
    case VERDICT_POWER_OFF:
        if (console_watcher_verdict(watch->console) == VERDICT_POWER_OFF)
            break;
        missing = explain_missing(watch, err);
        return missing ? str_printf(err, "the machine switched itself off: %s", missing) : NULL;
    default:
        break;
    }
    return str_printf(err, "%s", console_watcher_reason(watch->console));
}

int vm_watch_fill(struct vm_watch *watch, struct vm_result *ret, struct error **err)
{
    enum vm_verdict verdict = vm_watch_verdict(watch);
    _cleanup_vm_result_ struct vm_result result = {
        .verdict = verdict != VERDICT_NONE ? verdict
                   : watch->interrupted    ? VERDICT_INTERRUPTED
                                           : VERDICT_TIMEOUT,
        .reason = explain(watch, err),
    };
    if (!result.reason)
        return -ENOMEM;
    result.tail = console_watcher_tail(watch->console);
    result.results_size = watch->results.length;
    if (!result.tail)
        return error_oom(err);
    result.results = str_take(&watch->results, err);
    if (!result.results)
        return -ENOMEM;
    *ret = result;
    result = (struct vm_result){0};
    return 0;
}

void vm_watch_free(struct vm_watch *watch)
{
    if (!watch)
        return;
    forward_probe_close(&watch->probe);
    console_watcher_free(watch->console);
    str_free(&watch->results);
    free(watch);
}
