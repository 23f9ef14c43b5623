/* Small guests for the tests of guest/: directory trees made into ext file systems. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/outfile.h"
#include "base/proc.h"
#include "base/str.h"
#include "guest/guest.h"
#include "tests/unit/unit.h"

#define COMMAND_MS 60000

struct fixture {
    char dir[256];  /* removed with everything in it */
    char tree[300]; /* where the guest's files are gathered */
    char image[300];
};

#define assert_ok(expression)                                                                      \
    do {                                                                                           \
        struct error *error_ = NULL, **err = &error_;                                              \
        if ((expression) < 0)                                                                      \
            fail_msg("%s: %s", #expression, error_message(error_));                                \
    } while (0)

/* The expression fails with this errno, and says why. */
#define assert_fails(errnum, expression)                                                           \
    do {                                                                                           \
        struct error *error_ = NULL, **err = &error_;                                              \
        int r_ = (expression);                                                                     \
        if (r_ != -(errnum))                                                                       \
            fail_msg("%s: %d (%s) instead of %s", #expression, r_, error_message(error_),          \
                     strerror(errnum));                                                            \
        assert_non_null(error_);                                                                   \
        assert_true(strlen(error_message(error_)) > 0);                                            \
        error_free(error_);                                                                        \
    } while (0)

/* Runs a program of the system; argv ends with NULL. Returns its exit status. */
static inline int fixture_run(const char *const *argv, char **ret_out)
{
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    _cleanup_proc_output_ struct proc_output output = {0};
    assert_ok(proc_run(&options, NULL, 0, 1 << 20, COMMAND_MS, &output, err));
    if (ret_out)
        *ret_out = str_printf(NULL, "%s%s", output.out, output.err);
    return WIFEXITED(output.status) ? WEXITSTATUS(output.status) : -1;
}

#define fixture_command(...) fixture_run((const char *const[]){__VA_ARGS__, NULL}, NULL)

static inline void fixture_setup(struct fixture *fx)
{
    /* Where mke2fs and its kin are, which is not in everybody's PATH. */
    _cleanup_free_ char *path = str_printf(NULL, "%s:/usr/sbin:/sbin", getenv("PATH"));
    setenv("PATH", path, 1);
    const char *tmp = getenv("TMPDIR");
    snprintf(fx->dir, sizeof(fx->dir), "%.200s/kiln-guest.XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(fx->dir));
    snprintf(fx->tree, sizeof(fx->tree), "%s/tree", fx->dir);
    snprintf(fx->image, sizeof(fx->image), "%s/disk.img", fx->dir);
    assert_int_equal(mkdir(fx->tree, 0755), 0);
}

static inline void fixture_teardown(struct fixture *fx)
{
    fixture_command("rm", "-rf", fx->dir);
}

static inline char *fixture_path(const struct fixture *fx, const char *path)
{
    return str_printf(NULL, "%s%s", fx->tree, path);
}

static inline void fixture_dir(const struct fixture *fx, const char *path)
{
    _cleanup_free_ char *full = fixture_path(fx, path);
    assert_ok(dir_create(full, 0755, err));
}

static inline void fixture_file_n(const struct fixture *fx, const char *path, const void *data,
                                  size_t size)
{
    _cleanup_free_ char *full = fixture_path(fx, path), *parent = path_parent(full);
    assert_ok(dir_create(parent, 0755, err));
    _cleanup_close_ int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
}

static inline void fixture_file(const struct fixture *fx, const char *path, const char *text)
{
    fixture_file_n(fx, path, text, strlen(text));
}

static inline void fixture_link(const struct fixture *fx, const char *target, const char *path)
{
    _cleanup_free_ char *full = fixture_path(fx, path), *parent = path_parent(full);
    assert_ok(dir_create(parent, 0755, err));
    assert_int_equal(symlink(target, full), 0);
}

/* What makes a tree be taken for a root file system. */
static inline void fixture_root(const struct fixture *fx)
{
    fixture_file(fx, "/usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n");
    fixture_link(fx, "../usr/lib/os-release", "/etc/os-release");
    fixture_dir(fx, "/usr/bin");
    fixture_link(fx, "usr/bin", "/bin");
}

/* Makes the tree into a file system at `image`. extra: more options for mke2fs, NULL-terminated, or
 * NULL. */
static inline void fixture_mkfs_at(const struct fixture *fx, const char *image, const char *type,
                                   const char *size, const char *const *extra)
{
    const char *argv[32] = {"mke2fs", "-q", "-F", "-t", type, "-d", fx->tree};
    size_t n = 7;
    while (extra && *extra && n < 28)
        argv[n++] = *extra++;
    argv[n++] = image;
    argv[n++] = size;
    char *out = NULL;
    if (fixture_run(argv, &out) != 0)
        fail_msg("mke2fs: %s", out);
    free(out);
}

static inline void fixture_mkfs(const struct fixture *fx, const char *type, const char *size,
                                const char *const *extra)
{
    fixture_mkfs_at(fx, fx->image, type, size, extra);
}

static inline void fixture_check_clean(const char *image)
{
    _cleanup_free_ char *out = NULL;
    if (fixture_run((const char *const[]){"e2fsck", "-fn", image, NULL}, &out) != 0)
        fail_msg("e2fsck: %s", out);
    if (strstr(out, "Fix? no") || strstr(out, "WARNING"))
        fail_msg("e2fsck: %s", out);
}

static inline struct guest *fixture_open(const struct fixture *fx, bool writable)
{
    struct guest_open_options options = {
        .format = IMAGE_RAW, .resources.engine = GUEST_ENGINE_NATIVE, .writable = writable};
    struct guest *guest = NULL;
    assert_ok(guest_open(fx->image, &options, &guest, err));
    return guest;
}

static inline void fixture_close(struct guest *guest)
{
    assert_ok(guest_close(guest, err));
}

/* A change has failed half-way: the guest serves nothing any more, and nothing of it is written. */
static inline void fixture_close_unusable(const struct fixture *fx, struct guest *guest,
                                          const char *why)
{
    struct guest_stat st;
    _cleanup_error_ struct error *error = NULL;
    assert_fails(EIO, guest_stat(guest, "/", true, &st, err));
    assert_fails(EIO, guest_mkdir(guest, "/more", 0755, err));
    assert_int_equal(guest_close(guest, &error), -EIO);
    assert_non_null(strstr(error_message(error), "a change to it failed half-way: "));
    assert_non_null(strstr(error_message(error), why));
    fixture_check_clean(fx->image);
}

static inline void fixture_write(struct guest *guest, const char *path, const char *text)
{
    struct guest_file_attr attr = {.mode = 0644};
    assert_ok(guest_write(guest, path, text, strlen(text), &attr, err));
}

static inline void fixture_expect(struct guest *guest, const char *path, const char *text)
{
    _cleanup_free_ char *data = NULL;
    assert_ok(guest_read(guest, path, 1 << 20, &data, NULL, err));
    assert_string_equal(data, text);
}

#define OPTIONS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* What debugfs prints. */
static inline char *fixture_debugfs(const struct fixture *fx, const char *request)
{
    char *out = NULL;
    fixture_run((const char *const[]){"debugfs", "-R", request, fx->image, NULL}, &out);
    return out;
}

#define assert_debugfs(fx, request, part)                                                          \
    do {                                                                                           \
        _cleanup_free_ char *out_ = fixture_debugfs(fx, request);                                  \
        if (!strstr(out_, part))                                                                   \
            fail_msg("%s: '%s' is not in '%s'", request, part, out_);                              \
    } while (0)

/* Closes, and asks e2fsck. */
static inline void fixture_finish(const struct fixture *fx, struct guest *guest)
{
    fixture_close(guest);
    fixture_check_clean(fx->image);
}

static inline struct guest_stat fixture_stat(struct guest *guest, const char *path)
{
    struct guest_stat st;
    assert_ok(guest_stat(guest, path, false, &st, err));
    return st;
}

/* The usual setups of a group's tests: a tree with a root, without and with these files. */
static inline int fixture_set_up_root(void **state)
{
    struct fixture *fx = calloc(1, sizeof(*fx));
    fixture_setup(fx);
    fixture_root(fx);
    *state = fx;
    return 0;
}

static inline int fixture_set_up_files(void **state)
{
    fixture_set_up_root(state);
    fixture_file(*state, "/etc/file", "contents\n");
    fixture_link(*state, "file", "/etc/link");
    return 0;
}

static inline int fixture_tear_down(void **state)
{
    fixture_teardown(*state);
    free(*state);
    return 0;
}

static inline int fixture_put(struct guest *guest, const char *path, const char *text,
                              struct error **err)
{
    static const struct guest_file_attr attr = {.mode = 0644};
    return guest_write(guest, path, text, strlen(text), &attr, err);
}
