/* --edit FILE:EXPR */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/proc.h"
#include "base/random.h"
#include "customize/ops/argument.h"
#include "customize/ops/operations.h"
#include "guest/text/place.h"

/* The contents pass through memory, so that what is secret in them never lies on the host's disk.
 */
static const uint64_t file_max = (uint64_t)256 << 20;

/* The contract of virt-customize for an expression: each line in $_, with its newline, is printed
 * after the expression was evaluated; $lineno is its number. The words are arguments, not code. */
static const char edit_script[] = "$expr = shift @ARGV;"
                                  "binmode STDIN; binmode STDOUT;"
                                  "$lineno = 0;"
                                  "while (<STDIN>) {"
                                  "    ++$lineno;"
                                  "    eval $expr;"
                                  "    die $@ if $@;"
                                  "    print STDOUT $_ or die \"cannot write: $!\\n\";"
                                  "}"
                                  "close STDOUT or die \"cannot write: $!\\n\";";

static int edit_parse(const char *argument, void **ret_data, struct error **err)
{
    _cleanup_argument_pair_ struct argument_pair *pair = NULL;
    int r = argument_split("edit", edit_operation.metavar, argument, &pair, err);
    if (r == 0)
        r = argument_guest_path("edit", pair->left, err);
    if (r < 0)
        return r;
    if (!proc_found("perl")) {
        error_set(err, ENOENT, "--edit: perl is not installed on this machine");
        return error_hint(err, "install perl, or use --write, --upload or --append-line");
    }
    *ret_data = TAKE_PTR(pair);
    return 0;
}

static int run_expression(const char *expression, int in, int out, struct error **err)
{
    const char *const argv[] = {"perl", "-e", edit_script, "--", expression, NULL};
    const struct proc_options options = {
        .argv = argv,
        .stdin_fd = in,
        .stdout_fd = out,
        .stderr_fd = -1,
    };
    return proc_check(&options, NULL, 0, 0, UINT64_MAX, NULL, err);
}

static int open_memory(struct error **err)
{
    int fd = memfd_create("edit", MFD_CLOEXEC);
    return fd < 0 ? error_sys(err, errno, "memfd_create failed") : fd;
}

static int rewind_fd(int fd, struct error **err)
{
    return lseek(fd, 0, SEEK_SET) < 0 ? error_sys(err, errno, "cannot read a memory file") : 0;
}

/* Runs the expression over the file's lines. *ret_fd is at the start of what came out. */
static int make_contents(struct guest *guest, const char *path, const char *expression, int *ret_fd,
                         struct error **err)
{
    _cleanup_close_ int in = open_memory(err);
    _cleanup_close_ int out = in < 0 ? -1 : open_memory(err);
    if (in < 0 || out < 0)
        return in < 0 ? in : out;
    int r = guest_download(guest, path, in, err);
    if (r == 0)
        r = rewind_fd(in, err);
    if (r == 0)
        r = run_expression(expression, in, out, err);
    if (r == 0)
        r = rewind_fd(out, err);
    if (r == 0)
        *ret_fd = TAKE_FD(out);
    return r;
}

struct attribute_copy {
    struct guest *guest;
    const char *to;
    struct error **err;
};

static int copy_attribute(void *context, const char *name, const void *value, size_t size)
{
    const struct attribute_copy *copy = context;
    return guest_set_xattr(copy->guest, copy->to, name, value, size, copy->err);
}

static int fill_beside(struct guest *guest, const char *path, const struct guest_stat *st,
                       const char *beside, int fd, struct error **err)
{
    const struct guest_file_attr attr = {
        .mode = st->mode & 07777,
        .uid = st->uid,
        .gid = st->gid,
        .force = true,
    };
    struct attribute_copy copy = {.guest = guest, .to = beside, .err = err};
    int r = guest_upload(guest, fd, beside, &attr, err);
    return r < 0 ? r : guest_list_xattrs(guest, path, copy_attribute, &copy, err);
}

/* The new contents go into a file beside the old one, which then takes its name: a guest whose edit
 * is cut off has the one or the other. */
static int replace_file(struct guest *guest, const char *path, const struct guest_stat *st, int fd,
                        struct error **err)
{
    char name[9];
    int r = random_text("abcdefghijklmnopqrstuvwxyz0123456789", sizeof(name) - 1, name, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *parent = path_parent(path);
    if (!parent)
        return error_oom(err);
    _cleanup_free_ char *beside = place_join(parent, name, err);
    if (!beside)
        return -ENOMEM;
    r = fill_beside(guest, path, st, beside, fd, err);
    if (r == 0)
        r = guest_rename(guest, beside, path, err);
    if (r < 0)
        guest_unlink(guest, beside, NULL);
    return r;
}

static int edit_apply(const void *data, const char *argument, struct customize_context *context,
                      struct error **err)
{
    (void)argument;
    const struct argument_pair *pair = data;
    struct guest *guest = context->guest;
    report(context->reporter, REPORT_INFO, "Editing %s", pair->left);
    _cleanup_free_ char *path = NULL;
    int r = guest_resolve(guest, pair->left, true, &path, err);
    if (r < 0)
        return r;
    struct guest_stat st;
    r = guest_stat(guest, path, false, &st, err);
    if (r < 0)
        return r;
    if (!S_ISREG(st.mode))
        return error_set(err, EINVAL, "%s is not a regular file in the guest", pair->left);
    if (st.size > file_max)
        return error_set(err, EFBIG, "%s is too large to be edited", pair->left);
    _cleanup_close_ int fd = -1;
    r = make_contents(guest, path, pair->right, &fd, err);
    if (r < 0)
        return error_wrap(err, "%s", pair->left);
    return replace_file(guest, path, &st, fd, err);
}

const struct customize_operation edit_operation = {
    .name = "edit",
    .metavar = "FILE:EXPR",
    .help = "edit a file of the guest with a Perl expression",
    .manual =
        "Evaluate the Perl expression EXPR for each line of FILE in the guest. The line is in $_, "
        "with the newline at its end, and what EXPR leaves there takes its place; setting $_ to "
        "the empty string deletes the line. $lineno is the number of the line. Perl runs on the "
        "host, where it must be installed, on the contents of the file alone. The new contents "
        "replace the old ones at once; mode, owner and extended attributes stay. FILE must be a "
        "regular file; a symbolic link is followed.",
    .example = "--edit '/etc/default/grub:s/ quiet//'",
    .parse = edit_parse,
    .apply = edit_apply,
    .free_data = argument_pair_free,
};
