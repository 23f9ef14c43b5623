/* Labels on one path and on whole trees. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "customize/selinux/policy.h"
#include "guest/visited.h"

/* Those that the guest's init mounts over; what an image has there is not what runs. */
const char *const selinux_pseudo[] = {"/proc", "/sys", "/dev", "/selinux", NULL};

enum { progress_each = 1000 /* paths */ };

struct label {
    char *value;
};

static int keep_label(void *context, const char *name, const void *value, size_t size)
{
    struct label *label = context;
    if (strcmp(name, SELINUX_ATTRIBUTE) != 0)
        return 0;
    free(label->value);
    label->value = strndup(value, size); /* the kernel keeps a NUL at the end */
    return label->value ? 0 : -ENOMEM;
}

static bool means_no_labels(int r)
{
    return r == -EOPNOTSUPP || r == -ENOTSUP || r == -ENOSYS;
}

/* 0 as well where the file system has no attributes; *ret_possible tells. */
static int read_label(struct guest *guest, const char *path, char **ret, bool *ret_possible,
                      struct error **err)
{
    struct label label = {0};
    struct error *cause = NULL;
    int r = guest_list_xattrs(guest, path, keep_label, &label, &cause);
    *ret_possible = !means_no_labels(r);
    if (r < 0 && *ret_possible) {
        free(label.value);
        return cause ? error_move(err, cause) : error_oom(err);
    }
    error_free(cause);
    *ret = label.value;
    return 0;
}

int selinux_label_path(struct guest *guest, struct selinux_policy *policy, const char *path,
                       const struct guest_stat *st, enum selinux_when when,
                       struct selinux_count *count, struct error **err)
{
    const char *wanted;
    int r = file_contexts_lookup(policy->contexts, path, st->mode, &wanted, err);
    if (r < 0)
        return r;
    count->seen++;
    if (!wanted)
        return 0;
    bool possible;
    _cleanup_free_ char *present = NULL;
    r = read_label(guest, path, &present, &possible, err);
    if (r < 0 || !possible)
        return r;
    if (present && (when == SELINUX_IF_MISSING || strcmp(present, wanted) == 0))
        return 0;
    struct error *cause = NULL;
    r = guest_set_xattr(guest, path, SELINUX_ATTRIBUTE, wanted, strlen(wanted) + 1, &cause);
    if (r < 0 && !means_no_labels(r))
        return error_move(err, cause);
    error_free(cause);
    count->changed += r == 0;
    return 0;
}

struct walk {
    struct guest *guest;
    struct selinux_policy *policy;
    const struct strv *excludes;
    enum selinux_when when;
    struct reporter *reporter;
    struct selinux_count *count;
    struct visited visited;
};

static bool is_at(const char *directory, const char *path)
{
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/')
        length--;
    return strncmp(path, directory, length) == 0 && path[length] == '\0';
}

/* What is pseudo is labelled itself, as it is a mount point; what is excluded is not. */
static bool is_excluded(const struct walk *walk, const char *path)
{
    for (size_t i = 0; walk->excludes && i < walk->excludes->count; i++)
        if (is_at(walk->excludes->items[i], path))
            return true;
    return false;
}

static bool is_pseudo(const char *path)
{
    for (size_t i = 0; selinux_pseudo[i]; i++)
        if (strcmp(selinux_pseudo[i], path) == 0)
            return true;
    return false;
}

static int add_name(void *context, const char *name, mode_t type)
{
    (void)type;
    return strv_add(context, name, NULL);
}

static int walk_path(struct walk *walk, const char *path, struct error **err);

/* A mount point whose file system this engine cannot read, such as the ESP, is no failure. */
static int pass_over(int r, struct error *cause, struct error **err)
{
    if (!means_no_labels(r))
        return r < 0 ? error_move(err, cause) : 0;
    error_free(cause);
    return 0;
}

static int walk_directory(struct walk *walk, const char *path, const struct guest_stat *st,
                          struct error **err)
{
    struct error *cause = NULL;
    _cleanup_strv_ struct strv names = {0};
    int r = visited_enter(&walk->visited, st, path, err);
    if (r < 0)
        return r;
    r = guest_list(walk->guest, path, add_name, &names, &cause);
    if (r < 0)
        return pass_over(r, cause, err);
    for (size_t i = 0; r == 0 && i < names.count; i++) {
        _cleanup_free_ char *child =
            str_printf(err, "%s/%s", strcmp(path, "/") == 0 ? "" : path, names.items[i]);
        if (!child)
            return -ENOMEM;
        /* Deeper than PATH_MAX allows: no path can name it. */
        if (guest_path_check(child, NULL) == 0)
            r = walk_path(walk, child, err);
    }
    return r;
}

static int walk_path(struct walk *walk, const char *path, struct error **err)
{
    struct guest_stat st;
    if (is_excluded(walk, path))
        return 0;
    struct error *cause = NULL;
    int r = guest_stat(walk->guest, path, false, &st, &cause);
    if (r < 0)
        return pass_over(r, cause, err);
    r = selinux_label_path(walk->guest, walk->policy, path, &st, walk->when, walk->count, err);
    if (r < 0)
        return r;
    if (walk->count->seen % progress_each == 0)
        report_progress(walk->reporter, "Labelling", walk->count->seen, 0);
    return S_ISDIR(st.mode) && !is_pseudo(path) ? walk_directory(walk, path, &st, err) : 0;
}

int selinux_label_tree(struct guest *guest, struct selinux_policy *policy,
                       const struct strv *excludes, enum selinux_when when,
                       struct reporter *reporter, struct selinux_count *count, struct error **err)
{
    struct walk walk = {
        .guest = guest,
        .policy = policy,
        .excludes = excludes,
        .when = when,
        .reporter = reporter,
        .count = count,
    };
    int r = walk_path(&walk, "/", err);
    visited_free(&walk.visited);
    return r;
}
