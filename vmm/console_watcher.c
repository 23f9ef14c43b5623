#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "vmm/console_line.h"
#include "vmm/console_patterns.h"

enum {
    tail_lines = 50,
    tail_width = 512, /* bytes of a line that the tail keeps */
    reset_limit = 4,  /* boot managers and relabelling reset once or twice, and go on */
};

struct console_watcher {
    bool seeded;
    bool wants_login; /* whether this ends the boot well */
    bool wants_cloud;
    const regex_t *pattern; /* NULL: none */
    struct console_line line;
    unsigned resets;

    /* The lines that gave these signs; NULL: not seen. */
    char *login;
    char *cloud;   /* the last stage has run */
    char *warning; /* cloud-init's first one */
    char *failure; /* cloud-init's first one */
    char *found;   /* matches the pattern */

    enum vm_verdict verdict;
    char *reason;

    char tail[tail_lines][tail_width + 1];
    size_t tail_count; /* of all lines so far */
};

int console_watcher_new(bool seeded, enum vm_verdict expected, struct console_watcher **ret,
                        struct error **err)
{
    struct console_watcher *watcher = calloc(1, sizeof(*watcher));
    if (!watcher)
        return error_oom(err);
    bool cloud_expected = expected == VERDICT_CLOUD_INIT_DONE ||
                          expected == VERDICT_CLOUD_INIT_DEGRADED ||
                          expected == VERDICT_CLOUD_INIT_FAILED;
    watcher->seeded = seeded;
    bool others_decide = expected == VERDICT_LINE_SEEN || expected == VERDICT_PORT_OPEN;
    watcher->wants_login =
        expected == VERDICT_LOGIN_PROMPT || (!seeded && !cloud_expected && !others_decide);
    watcher->wants_cloud = expected != VERDICT_LOGIN_PROMPT && !others_decide;
    *ret = watcher;
    return 0;
}

/* The printable form of the line. NULL: out of memory. */
static char *quote(const char *line)
{
    _cleanup_free_ char *copy = strdup(line);
    return copy ? str_printable(str_strip(copy)) : NULL;
}

static void remember(char **slot, const char *line)
{
    if (!*slot)
        *slot = quote(line);
}

/* Takes over reason; without memory there is a verdict without one. */
static void decide(struct console_watcher *watcher, enum vm_verdict verdict, char *reason)
{
    free(watcher->reason);
    watcher->verdict = verdict;
    watcher->reason = reason;
}

/* The verdict for cloud-init's end, given the errors that it printed before. */
static void decide_cloud(struct console_watcher *watcher)
{
    if (watcher->failure)
        decide(watcher, VERDICT_CLOUD_INIT_FAILED, strdup(watcher->failure));
    else if (watcher->warning)
        decide(watcher, VERDICT_CLOUD_INIT_DEGRADED, strdup(watcher->warning));
    else
        decide(watcher, VERDICT_CLOUD_INIT_DONE, strdup(watcher->cloud));
}

static void decide_fatal(struct console_watcher *watcher, enum vm_verdict verdict, const char *line)
{
    /* A panic overrides any other verdict; but after a missing root device it is only the
     * consequence. */
    bool panic = verdict == VERDICT_PANIC && watcher->verdict != VERDICT_NO_ROOT_DEVICE &&
                 watcher->verdict != VERDICT_PANIC;
    if (watcher->verdict == VERDICT_NONE || panic)
        decide(watcher, verdict, quote(line));
}

static void take_sign(struct console_watcher *watcher, const struct console_sign *sign,
                      const char *line)
{
    switch (sign->event) {
    case CONSOLE_NOTHING:
        return;
    case CONSOLE_FATAL:
        decide_fatal(watcher, sign->verdict, line);
        return;
    case CONSOLE_LOGIN:
        remember(&watcher->login, line);
        break;
    case CONSOLE_CLOUD_WARNING:
        remember(&watcher->warning, line);
        break;
    case CONSOLE_CLOUD_MODULE:
        remember(&watcher->failure, line);
        break;
    case CONSOLE_CLOUD_SOURCELESS:
        if (watcher->seeded)
            remember(&watcher->failure, line);
        remember(&watcher->cloud, line);
        break;
    case CONSOLE_CLOUD_STAGE:
        remember(&watcher->failure, line);
        remember(&watcher->cloud, line);
        break;
    case CONSOLE_CLOUD_FINISHED:
        remember(&watcher->cloud, line);
        break;
    }
    if (watcher->verdict != VERDICT_NONE)
        return;
    if (watcher->cloud && watcher->wants_cloud)
        decide_cloud(watcher);
    else if (watcher->login && watcher->wants_login)
        decide(watcher, VERDICT_LOGIN_PROMPT, strdup(watcher->login));
}

/* Length of a printk time stamp ("[   12.345678] ") at text, 0 when there is none. */
static size_t timestamp_length(const char *text)
{
    if (*text != '[')
        return 0;
    size_t i = 1;
    i += strspn(text + i, " ");
    size_t seconds = strspn(text + i, "0123456789");
    if (seconds == 0 || text[i + seconds] != '.')
        return 0;
    i += seconds + 1;
    if (strspn(text + i, "0123456789") != 6 || text[i + 6] != ']')
        return 0;
    return i + 7 + (text[i + 7] == ' ');
}

/* The kernel also prints into the lines of others, behind a prompt for example: what follows a time
 * stamp is looked at as a line of its own. */
static void examine(struct console_watcher *watcher, const char *text, bool unfinished)
{
    if (watcher->pattern && !watcher->found && regexec(watcher->pattern, text, 0, NULL, 0) == 0)
        remember(&watcher->found, text);
    while (text) {
        size_t stamp = timestamp_length(text);
        struct console_sign sign = console_sign_of(text + stamp, unfinished);
        take_sign(watcher, &sign, text + stamp);
        do
            text = strchr(text + 1, '[');
        while (text && timestamp_length(text) == 0);
    }
}

static void keep(struct console_watcher *watcher)
{
    char *slot = watcher->tail[watcher->tail_count++ % tail_lines];
    size_t length = strnlen(watcher->line.text, tail_width);
    memcpy(slot, watcher->line.text, length);
    slot[length] = 0;
}

/* Prompts end with one of a few signs and a blank, those of BusyBox' init with a full stop; "C:\>"
 * and "SAC>" have no blank. */
static bool at_prompt(const struct console_line *line)
{
    static const char busybox[] = "activate this console. ";
    size_t length = line->length;
    if (length == 4 && line->text[3] == '>')
        return true;
    if (length < 2 || line->text[length - 1] != ' ')
        return false;
    return strchr(":#$>)", line->text[length - 2]) ||
           (length >= strlen(busybox) &&
            memcmp(line->text + length - strlen(busybox), busybox, strlen(busybox)) == 0);
}

void console_watcher_feed(struct console_watcher *watcher, const char *bytes, size_t count)
{
    struct console_line *line = &watcher->line;
    for (size_t i = 0; i < count;) {
        enum console_line_event event;
        if (console_line_feed(line, bytes[i], &event))
            i++;
        if (event == CONSOLE_LINE_ENDED) {
            examine(watcher, line->text, false);
            keep(watcher);
        } else if (event == CONSOLE_LINE_GREW && at_prompt(line)) {
            examine(watcher, line->text, true);
        }
    }
}

static void end_line(struct console_watcher *watcher)
{
    console_watcher_feed(watcher, "\n", 1);
}

void console_watcher_reset(struct console_watcher *watcher)
{
    end_line(watcher);
    watcher->resets++;
    /* The next boot has to reach its prompt again; what cloud-init failed at stays failed. */
    free(TAKE_PTR(watcher->login));
    if (watcher->resets >= reset_limit && watcher->verdict == VERDICT_NONE)
        decide(watcher, VERDICT_RESET_LOOP, strdup("the machine was reset four times"));
}

void console_watcher_power_off(struct console_watcher *watcher)
{
    end_line(watcher);
    if (watcher->verdict != VERDICT_NONE)
        return;
    if (watcher->cloud)
        decide_cloud(watcher);
    else if (watcher->login)
        decide(watcher, VERDICT_LOGIN_PROMPT, strdup(watcher->login));
    else
        decide(watcher, VERDICT_POWER_OFF, strdup("the machine switched itself off"));
}

void console_watcher_look_for(struct console_watcher *watcher, const regex_t *pattern)
{
    watcher->pattern = pattern;
}

const char *console_watcher_found(const struct console_watcher *watcher)
{
    return watcher->found;
}

enum vm_verdict console_watcher_verdict(const struct console_watcher *watcher)
{
    return watcher->verdict;
}

const char *console_watcher_reason(const struct console_watcher *watcher)
{
    return watcher->reason ? watcher->reason : "";
}

/* The index-th of the lines kept, the oldest being 0. */
static const char *kept(const struct console_watcher *watcher, size_t index)
{
    size_t first = watcher->tail_count > tail_lines ? watcher->tail_count - tail_lines : 0;
    return watcher->tail[(first + index) % tail_lines];
}

static size_t kept_count(const struct console_watcher *watcher)
{
    return watcher->tail_count < tail_lines ? watcher->tail_count : tail_lines;
}

/* What stands on the line that is not finished yet. */
static const char *unfinished(const struct console_watcher *watcher)
{
    return watcher->line.ended ? "" : watcher->line.text;
}

char *console_watcher_state(const struct console_watcher *watcher)
{
    if (watcher->cloud)
        return str_printf(NULL, "cloud-init ended (%s), but no login prompt appeared",
                          watcher->cloud);
    if (watcher->login)
        return str_printf(NULL, "a login prompt appeared (%s), but cloud-init did not finish",
                          watcher->login);
    size_t count = kept_count(watcher);
    const char *last = unfinished(watcher);
    if (!*last && count > 0)
        last = kept(watcher, count - 1);
    if (!*last)
        return strdup("nothing was printed on the serial console");
    _cleanup_free_ char *printable = str_printable(last);
    return printable ? str_printf(NULL, "the last line was: %s", printable) : NULL;
}

char *console_watcher_tail(const struct console_watcher *watcher)
{
    _cleanup_str_ struct str text = {0};
    for (size_t i = 0; i <= kept_count(watcher); i++) {
        const char *raw = i < kept_count(watcher) ? kept(watcher, i) : unfinished(watcher);
        _cleanup_free_ char *line = str_printable(raw);
        if (!line)
            return NULL;
        if (*line)
            str_appendf(&text, "%s\n", line);
    }
    return str_take(&text, NULL);
}

void console_watcher_free(struct console_watcher *watcher)
{
    if (!watcher)
        return;
    free(watcher->login);
    free(watcher->cloud);
    free(watcher->warning);
    free(watcher->failure);
    free(watcher->found);
    free(watcher->reason);
    free(watcher);
}
