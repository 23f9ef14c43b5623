/* The changes of the guest's files: a line for each, or a unified diff. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fdio.h"
#include "base/proc.h"
#include "builder/edit_guest.h"

static const uint64_t diff_timeout_ms = 60 * 1000;
static const size_t diff_max = 16 << 20;

int edit_report_changes(const struct guest_journal *journal, struct strv *changes,
                        struct error **err)
{
    static const char signs[] = {
        [GUEST_CHANGE_CREATED] = '+',
        [GUEST_CHANGE_CONTENTS] = '~',
        [GUEST_CHANGE_ATTRIBUTES] = '=',
        [GUEST_CHANGE_REMOVED] = '-',
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < journal->count; i++)
        r = strv_addf(changes, err, "%c %s", signs[journal->entries[i].change],
                      journal->entries[i].path);
    return r;
}

/* One side of a difference. */
struct side {
    mode_t mode; /* 0: does not exist */
    const char *text;
    size_t size;
    bool known; /* text and size are what it held */
};

static bool has_text(mode_t mode)
{
    return S_ISREG(mode) || S_ISLNK(mode);
}

/* A link's own mode says nothing about who may read where it leads. */
static bool is_secret(const struct side *side)
{
    return S_ISREG(side->mode) && !(side->mode & S_IROTH);
}

static bool is_binary(const struct side *side)
{
    return side->size > 0 && memchr(side->text, '\0', side->size);
}

static int text_fd(const struct side *side, struct error **err)
{
    _cleanup_close_ int fd = memfd_create("kiln-diff", MFD_CLOEXEC);
    if (fd < 0)
        return error_sys(err, errno, "cannot prepare a difference");
    int r = side->size > 0 ? fd_write_full(fd, side->text, side->size, "a difference", err) : 0;
    /* What ends without a newline looks no worse in a link's target. */
    if (r == 0 && S_ISLNK(side->mode))
        r = fd_write_full(fd, "\n", 1, "a difference", err);
    return r < 0 ? r : TAKE_FD(fd);
}

static int run_diff(const char *path, const struct side *before, const struct side *after,
                    struct str *out, struct error **err)
{
    _cleanup_close_ int a = text_fd(before, err);
    _cleanup_close_ int b = a < 0 ? -1 : text_fd(after, err);
    if (a < 0 || b < 0)
        return a < 0 ? a : b;
    _cleanup_free_ char *old_label = str_printf(err, before->mode ? "a%s" : "/dev/null", path);
    _cleanup_free_ char *new_label =
        str_printf(old_label ? err : NULL, after->mode ? "b%s" : "/dev/null", path);
    if (!new_label)
        return -ENOMEM;
    const char *const argv[] = {
        "diff",    "-u",      "--text",          "--label",         old_label,
        "--label", new_label, "/proc/self/fd/3", "/proc/self/fd/4", NULL};
    const struct proc_fd fds[] = {{a, 3}, {b, 4}};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv, .fds = fds,
                                   .fd_count = ARRAY_SIZE(fds)};
    _cleanup_proc_output_ struct proc_output output = {0};
    int r = proc_run(&options, NULL, 0, diff_max, diff_timeout_ms, &output, err);
    if (r == -ENOENT)
        error_hint(err, "install diffutils");
    if (r < 0)
        return error_wrap(err, "cannot compare %s", path);
    if (!WIFEXITED(output.status) || WEXITSTATUS(output.status) > 1)
        return error_set(err, EIO, "cannot compare %s: %s", path, output.err);
    str_append_n(out, output.out, output.out_size);
    return 0;
}

static int append_entry(const char *path, const struct side *before, const struct side *after,
                        struct str *out, struct error **err)
{
    const char *old_root = before->mode ? "a" : "", *new_root = after->mode ? "b" : "";
    const char *old_path = before->mode ? path : "/dev/null";
    const char *new_path = after->mode ? path : "/dev/null";
    const char *why = NULL;
    if (is_secret(before) || is_secret(after))
        why = "contents not shown: not everybody may read them in the guest";
    else if (!before->known || !after->known)
        why = "contents not shown: too large";
    else if (!is_binary(before) && !is_binary(after))
        return run_diff(path, before, after, out, err);
    if (why)
        str_appendf(out, "Files %s%s and %s%s differ (%s)\n", old_root, old_path, new_root,
                    new_path, why);
    else
        str_appendf(out, "Binary files %s%s and %s%s differ\n", old_root, old_path, new_root,
                    new_path);
    return 0;
}

/* What would break the lines of a difference cannot stand in a name there. */
static char *one_line(const char *path, struct error **err)
{
    char *copy = strdup(path);
    if (!copy)
        error_oom(err);
    for (char *at = copy; at && *at; at++)
        if (*at == '\n' || *at == '\t')
            *at = '?';
    return copy;
}

/* The path as it is now. *ret_text holds what side->text points to. */
static int look_now(struct guest *guest, const char *path, struct side *side, char **ret_text)
{
    struct guest_stat st;
    int r = guest_stat(guest, path, false, &st, NULL);
    if (r < 0)
        return r;
    side->mode = st.mode;
    side->known = !has_text(st.mode);
    if (S_ISLNK(st.mode) && guest_readlink(guest, path, ret_text, NULL) == 0) {
        side->size = strlen(*ret_text);
        side->known = true;
    } else if (S_ISREG(st.mode) && st.size <= guest_journal_keep_max) {
        side->known =
            guest_read(guest, path, guest_journal_keep_max, ret_text, &side->size, NULL) == 0;
    }
    side->text = *ret_text;
    return 0;
}

static int append_difference(struct guest *guest, const struct guest_journal_entry *entry,
                             struct str *out, struct error **err)
{
    _cleanup_free_ char *text = NULL;
    struct side before = {.known = true}, after = {.known = true};
    if (entry->change == GUEST_CHANGE_ATTRIBUTES)
        return 0;
    if (entry->change != GUEST_CHANGE_CREATED)
        before = (struct side){.mode = entry->old_mode,
                               .text = entry->old_contents,
                               .size = entry->old_size,
                               .known = !has_text(entry->old_mode) || entry->old_contents};
    if (entry->change != GUEST_CHANGE_REMOVED && look_now(guest, entry->path, &after, &text) < 0)
        return 0;
    _cleanup_free_ char *name = one_line(entry->path, err);
    int r = name ? 0 : -ENOMEM;
    if (r == 0 && (has_text(before.mode) || has_text(after.mode)))
        r = append_entry(name, &before, &after, out, err);
    if (text)
        explicit_bzero(text, after.size);
    return r;
}

int edit_report_difference(struct guest *guest, const struct guest_journal *journal, char **ret,
                           struct error **err)
{
    _cleanup_str_ struct str out = {0};
    for (size_t i = 0; i < journal->count; i++) {
        int r = append_difference(guest, &journal->entries[i], &out, err);
        if (r < 0)
            return r;
    }
    *ret = str_take(&out, err);
    return *ret ? 0 : -ENOMEM;
}
