/* What the tests of this folder share: a scratch directory, a reporter that remembers, refusals,
 * the HTTP server of tests/fakes, and keys of gpg. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fdio.h"
#include "base/outfile.h"
#include "base/proc.h"
#include "base/report.h"
#include "base/str.h"
#include "tests/unit/unit.h"

struct world {
    struct reporter reporter; /* first: the callbacks get its address */
    char dir[200];
    struct str warnings, infos;
    struct proc *server;
    char base[64]; /* "http://127.0.0.1:PORT", or of another scheme */
    bool keyring;
    char *tmpdir; /* $TMPDIR as it was */
};

/* Temporary files of what is tested go into the scratch directory, until the test ends. */
static inline void world_use_as_tmpdir(struct world *world)
{
    setenv("TMPDIR", world->dir, 1);
}

static inline void world_message(struct reporter *reporter, enum report_level level,
                                 const char *text)
{
    struct world *world = (struct world *)reporter;
    if (level != REPORT_DEBUG)
        str_appendf(level == REPORT_WARNING ? &world->warnings : &world->infos, "%s\n", text);
}

static inline int world_make(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    const char *tmp = getenv("TMPDIR");
    world->reporter.message = world_message;
    snprintf(world->dir, sizeof(world->dir), "%.150s/kiln-test.XXXXXX", tmp ? tmp : "/tmp");
    world->tmpdir = tmp ? strdup(tmp) : NULL;
    *state = world;
    return mkdtemp(world->dir) ? 0 : -1;
}

static inline int world_remove_one(const char *path, const struct stat *st, int kind,
                                   struct FTW *walk)
{
    (void)st;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline int world_remove(void **state)
{
    struct world *world = *state;
    proc_free(world->server);
    if (world->keyring) {
        const char *const argv[] = {"gpgconf", "--kill", "all", NULL};
        const struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
        struct proc_output output = {0};
        proc_run(&options, NULL, 0, 65536, 10000, &output, NULL);
        proc_output_free(&output);
        unsetenv("GNUPGHOME");
    }
    if (world->tmpdir)
        setenv("TMPDIR", world->tmpdir, 1);
    else
        unsetenv("TMPDIR");
    free(world->tmpdir);
    int r = nftw(world->dir, world_remove_one, 8, FTW_DEPTH | FTW_PHYS);
    str_free(&world->warnings);
    str_free(&world->infos);
    free(world);
    return r;
}

#define world_test(test) cmocka_unit_test_setup_teardown(test, world_make, world_remove)

/* "DIR/name"; caller frees. */
static inline char *world_path(const struct world *world, const char *name)
{
    return str_printf(NULL, "%s/%s", world->dir, name);
}

static inline void world_write(const struct world *world, const char *name, const void *bytes,
                               size_t size)
{
    _cleanup_free_ char *path = world_path(world, name);
    _cleanup_free_ char *parent = path_parent(path);
    assert_int_equal(dir_create(parent, 0755, NULL), 0);
    assert_int_equal(file_write_atomic(path, bytes, size, 0644, NULL), 0);
}

static inline void world_text(const struct world *world, const char *name, const char *text)
{
    world_write(world, name, text, strlen(text));
}

static inline bool contains(const char *text, const char *part)
{
    return text && strstr(text, part);
}

/* Checks code, message and (unless NULL) remedy, and clears *err. */
static inline void expect_refusal(int r, int wanted, struct error **err, const char *message,
                                  const char *remedy)
{
    if (r >= 0)
        fail_msg("not refused, where '%s' was expected", message);
    assert_non_null(*err);
    if (!contains(error_message(*err), message))
        fail_msg("'%s' does not say '%s'", error_message(*err), message);
    if (remedy && !contains(error_remedy(*err), remedy))
        fail_msg("'%s': the remedy '%s' does not say '%s'", error_message(*err),
                 error_remedy(*err) ? error_remedy(*err) : "", remedy);
    assert_int_equal(r, wanted);
    error_clear(err);
}

/* By address: the call that sets it stands beside it in the arguments. */
static inline void expect_success(int r, struct error **err)
{
    if (r < 0)
        fail_msg("refused: %s", error_message(*err));
}

static inline void expect_warning(struct world *world, const char *text)
{
    if (!contains(world->warnings.data, text))
        fail_msg("no warning says '%s': %s", text,
                 world->warnings.data ? world->warnings.data : "");
}

/* Starts a server of tests/fakes on DIR/web, logging into DIR/requests. Runs from the root of the
 * sources, as make does. */
static inline void world_serve_by(struct world *world, const char *program, const char *scheme)
{
    _cleanup_free_ char *web = world_path(world, "web"), *log = world_path(world, "requests");
    const char *const argv[] = {program, web, log, NULL};
    int ends[2];
    char port[16] = "";
    assert_int_equal(dir_create(web, 0755, NULL), 0);
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    options.stdout_fd = ends[1];
    assert_int_equal(proc_spawn(&options, &world->server, NULL), 0);
    close(ends[1]);
    for (size_t count = 0; count < sizeof(port) - 1 && !strchr(port, '\n'); count++)
        assert_int_equal(read(ends[0], port + count, 1), 1);
    close(ends[0]);
    snprintf(world->base, sizeof(world->base), "%s://127.0.0.1:%d", scheme, atoi(port));
    setenv("no_proxy", "127.0.0.1", 1);
}

static inline void world_serve(struct world *world)
{
    world_serve_by(world, "tests/fakes/http-server", "http");
}

/* How many requests of the log contain part. */
static inline unsigned world_requests(const struct world *world, const char *part)
{
    _cleanup_free_ char *path = world_path(world, "requests"), *text = NULL;
    unsigned count = 0;
    if (file_read(path, 1 << 20, &text, NULL, NULL) < 0)
        return 0;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        count += contains(line, part);
    return count;
}

/* Runs gpg on a keyring of this test's own. Its standard output; caller frees. */
static inline char *world_gpg(struct world *world, const char *const *arguments, const char *input)
{
    _cleanup_free_ char *home = world_path(world, "gnupg");
    if (!world->keyring) {
        assert_int_equal(mkdir(home, 0700), 0);
        setenv("GNUPGHOME", home, 1);
        world->keyring = true;
    }
    const char *argv[32] = {"gpg", "-q", "--batch", "--yes", "--passphrase", ""};
    size_t count = 6;
    while (*arguments && count < ARRAY_SIZE(argv) - 1)
        argv[count++] = *arguments++;
    const struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    struct proc_output output = {0};
    struct error *err = NULL;
    int r = proc_check(&options, input, input ? strlen(input) : 0, 1 << 20, 30000, &output, &err);
    if (r < 0)
        fail_msg("%s", error_message(err));
    char *out = TAKE_PTR(output.out);
    proc_output_free(&output);
    return out;
}
#define GPG(world, input, ...) world_gpg(world, (const char *const[]){__VA_ARGS__, NULL}, input)
