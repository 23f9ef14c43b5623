#include "cli/terminal.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/str.h"

struct terminal {
    struct reporter reporter; /* first: the callbacks cast back */
    enum report_level most;
    bool quiet;
    bool is_tty;
    bool bar_shown;
    uint64_t last_drawn_ms;
    uint64_t started_ms;
};

static void erase_bar(struct terminal *terminal)
{
    if (terminal->bar_shown)
        fputs("\r\033[K", stderr);
    terminal->bar_shown = false;
}

static void show_message(struct reporter *reporter, enum report_level level, const char *text)
{
    struct terminal *terminal = (struct terminal *)reporter;
    if (level > terminal->most)
        return;
    _cleanup_free_ char *printable = str_printable(text);
    erase_bar(terminal);
    if (level == REPORT_WARNING)
        fprintf(stderr, "kiln: warning: %s\n", printable ? printable : text);
    else
        fprintf(stderr, "[%6.1f] %s\n", (double)(clock_now_ms() - terminal->started_ms) / 1000,
                printable ? printable : text);
}

static void show_progress(struct reporter *reporter, const char *task, uint64_t done,
                          uint64_t total)
{
    enum { frame_ms = 100, bar_width = 30 };
    struct terminal *terminal = (struct terminal *)reporter;
    if (!terminal->is_tty || terminal->quiet)
        return;
    if (total > 0 && done >= total) {
        erase_bar(terminal);
        return;
    }
    uint64_t now = clock_now_ms();
    if (now - terminal->last_drawn_ms < frame_ms)
        return;
    terminal->last_drawn_ms = now;
    terminal->bar_shown = true;
    char size[16];
    if (total == 0) {
        fprintf(stderr, "\r\033[K%s: %s", task, format_size(done, size));
        return;
    }
    unsigned filled = (unsigned)((long double)done * bar_width / (long double)total);
    static const char marks[bar_width + 1] = "##############################";
    fprintf(stderr, "\r\033[K%s [%-*.*s] %3u%%", task, bar_width, (int)filled, marks,
            (unsigned)((long double)done * 100 / (long double)total));
}

struct terminal *terminal_new(void)
{
    struct terminal *terminal = calloc(1, sizeof(*terminal));
    if (!terminal)
        return NULL;
    terminal->reporter = (struct reporter){.message = show_message, .progress = show_progress};
    terminal->most = REPORT_INFO;
    terminal->is_tty = isatty(STDERR_FILENO);
    terminal->started_ms = clock_now_ms();
    return terminal;
}

void terminal_set_levels(struct terminal *terminal, bool quiet, bool verbose)
{
    terminal->quiet = quiet;
    terminal->most = quiet ? REPORT_WARNING : verbose ? REPORT_DEBUG : REPORT_INFO;
}

struct reporter *terminal_reporter(struct terminal *terminal)
{
    return &terminal->reporter;
}

/* Lines behind the first, the output of a program for one, are indented: none of them can look like
 * a message of kiln. */
static void print_lines(const char *prefix, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        _cleanup_free_ char *line = strndup(text, length);
        _cleanup_free_ char *shown = line ? str_printable(line) : NULL;
        fprintf(stderr, "%s%s\n", prefix, shown ? shown : "(out of memory)");
        text += length + (text[length] == '\n');
        prefix = "      ";
    }
}

void terminal_error(struct terminal *terminal, const struct error *error)
{
    if (terminal)
        erase_bar(terminal);
    print_lines("kiln: ", error_message(error));
    if (error_remedy(error))
        print_lines("      ", error_remedy(error));
}

unsigned terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col > 120 ? 120 : size.ws_col;
    return 80;
}

void terminal_free(struct terminal *terminal)
{
    if (terminal)
        erase_bar(terminal);
    free(terminal);
}
