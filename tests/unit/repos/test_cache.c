/* The cache: entries appear complete or not at all, one process fills at a time, and emptying it
 * disturbs nobody. */

#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "repos/cache.h"
#include "tests/unit/repos/world.h"

#define KEY_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define KEY_B KEY_A KEY_A

static struct cache *open_cache(const struct world *world)
{
    struct error *err = NULL;
    struct cache *cache = NULL;
    _cleanup_free_ char *path = world_path(world, "cache");
    expect_success(cache_open(path, &cache, &err), &err);
    return cache;
}

static struct cache_fill *begin(struct cache *cache, const char *key)
{
    struct error *err = NULL;
    struct cache_fill *fill = NULL;
    expect_success(cache_fill_begin(cache, key, NULL, &fill, &err), &err);
    return fill;
}

/* Puts text under the key; the descriptor of the entry. */
static int put(struct cache *cache, const char *key, const char *text)
{
    struct error *err = NULL;
    struct cache_fill *fill = begin(cache, key);
    int out = cache_fill_image_fd(fill, &err);
    expect_success(out, &err);
    assert_int_equal(fd_write_full(out, text, strlen(text), "entry", NULL), 0);
    assert_int_equal(cache_fill_set_label(fill, "mini x86_64", NULL), 0);
    int fd = cache_fill_commit(fill, &err);
    expect_success(fd, &err);
    return fd;
}

static bool exists(const struct world *world, const char *name)
{
    _cleanup_free_ char *path = world_path(world, name);
    return access(path, F_OK) == 0;
}

static void an_entry_is_there_once_it_is_committed(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    _cleanup_(cache_closep) struct cache *cache = open_cache(world);
    expect_refusal(cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, &err), -ENOENT, &err, KEY_A, NULL);
    struct cache_fill *fill = begin(cache, KEY_A);
    int out = cache_fill_image_fd(fill, NULL);
    assert_int_equal(write(out, "half", 4), 4);
    assert_int_equal(cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, NULL), -ENOENT);
    _cleanup_close_ int fd = cache_fill_commit(fill, &err);
    expect_success(fd, &err);
    char text[8] = "";
    assert_int_equal(read(fd, text, sizeof(text)), 4);
    assert_string_equal(text, "half");
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0444);
    _cleanup_close_ int again = cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, &err);
    expect_success(again, &err);
}

static void an_abandoned_filling_leaves_nothing_but_the_download(void **state)
{
    struct world *world = *state;
    _cleanup_(cache_closep) struct cache *cache = open_cache(world);
    struct cache_fill *fill = begin(cache, KEY_A);
    assert_int_equal(write(cache_fill_image_fd(fill, NULL), "half", 4), 4);
    assert_int_equal(write(cache_fill_download_fd(fill, NULL), "part", 4), 4);
    cache_fill_end(fill);
    assert_false(exists(world, "cache/base/" KEY_A ".raw"));
    fill = begin(cache, KEY_A);
    struct stat st;
    assert_int_equal(fstat(cache_fill_download_fd(fill, NULL), &st), 0);
    assert_int_equal(st.st_size, 4);
    assert_int_equal(cache_fill_reset_download(fill, NULL), 0);
    assert_int_equal(fstat(cache_fill_download_fd(fill, NULL), &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(write(cache_fill_image_fd(fill, NULL), "whole", 5), 5);
    _cleanup_close_ int fd = cache_fill_commit(fill, NULL);
    assert_true(fd >= 0);
    assert_false(exists(world, "cache/download/" KEY_A ".part"));
}

static void a_second_attempt_begins_with_an_empty_file(void **state)
{
    struct world *world = *state;
    _cleanup_(cache_closep) struct cache *cache = open_cache(world);
    struct cache_fill *fill = begin(cache, KEY_A);
    assert_int_equal(write(cache_fill_image_fd(fill, NULL), "wrong", 5), 5);
    assert_int_equal(write(cache_fill_image_fd(fill, NULL), "ok", 2), 2);
    _cleanup_close_ int fd = cache_fill_commit(fill, NULL);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 2);
}

static void keys_that_are_none_are_refused(void **state)
{
    struct world *world = *state;
    static const char *const keys[] = {"",        "abc",     "../../etc/passwd", KEY_A "/",
                                       KEY_A "a", "A" KEY_A, KEY_B "a"};
    _cleanup_(cache_closep) struct cache *cache = open_cache(world);
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        struct cache_fill *fill = NULL;
        uint64_t freed = 0;
        assert_int_equal(cache_lookup(cache, keys[i], CACHE_CHECK_QUICK, NULL), -EINVAL);
        assert_int_equal(cache_fill_begin(cache, keys[i], NULL, &fill, NULL), -EINVAL);
        assert_int_equal(cache_remove(cache, keys[i], &freed, NULL), -EINVAL);
    }
}

/* Runs in another process: fills the key after a while. */
static pid_t fill_elsewhere(const struct world *world, struct cache *cache)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct cache_fill *fill = NULL;
        if (cache_fill_begin(cache, KEY_A, NULL, &fill, NULL) < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        usleep(200 * 1000);
        bool good = write(cache_fill_image_fd(fill, NULL), "theirs", 6) == 6;
        _exit(good && cache_fill_commit(fill, NULL) >= 0 ? 0 : 2);
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    (void)world;
    return child;
}

static void others_wait_for_who_fills_an_entry(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    _cleanup_(cache_closep) struct cache *cache = open_cache(world);
    pid_t child = fill_elsewhere(world, cache);
    struct cache_fill *fill = NULL;
    uint64_t freed = 0;
    expect_refusal(cache_remove(cache, KEY_A, &freed, &err), -EBUSY, &err,
                   "another process is fetching", NULL);
    expect_success(cache_remove(cache, NULL, &freed, &err), &err);
    expect_success(cache_fill_begin(cache, KEY_A, &world->reporter, &fill, &err), &err);
    assert_true(contains(world->infos.data, "Waiting for another process"));
    _cleanup_close_ int fd = cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, NULL);
    assert_true(fd >= 0);
    cache_fill_end(fill);
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
}

static void a_killed_filler_holds_nobody_up(void **state)
{
    struct world *world = *state;
    _cleanup_(cache_closep) struct cache *cache = open_cache(world);
    pid_t child = fill_elsewhere(world, cache);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    _cleanup_close_ int fd = put(cache, KEY_A, "ours");
    assert_true(fd >= 0);
}

/* What outfile leaves where a file system has no nameless files. */
static void unfinished_images_of_killed_fillers_are_swept(void **state)
{
    struct world *world = *state;
    _cleanup_(cache_closep) struct cache *cache = open_cache(world);
    uint64_t freed = 0;
    world_text(world, "cache/base/." KEY_A ".raw.0123456789abcdef.tmp", "half");
    world_text(world, "cache/base/." KEY_B ".raw.0123456789abcdef.tmp", "half");
    cache_fill_end(begin(cache, KEY_A));
    assert_false(exists(world, "cache/base/." KEY_A ".raw.0123456789abcdef.tmp"));
    assert_int_equal(cache_remove(cache, NULL, &freed, NULL), 0);
    assert_false(exists(world, "cache/base/." KEY_B ".raw.0123456789abcdef.tmp"));
}

static void the_list_says_what_is_there(void **state)
{
    struct world *world = *state;
    _cleanup_(cache_closep) struct cache *cache = open_cache(world);
    close(put(cache, KEY_A, "twelve bytes"));
    struct cache_fill *fill = begin(cache, KEY_B);
    assert_int_equal(write(cache_fill_download_fd(fill, NULL), "part", 4), 4);
    cache_fill_end(fill);
    world_text(world, "cache/base/stranger.raw", "x");
    _cleanup_free_ char *entry = world_path(world, "cache/base/" KEY_A ".raw");
    _cleanup_free_ char *seal = world_path(world, "cache/seal/" KEY_A);
    _cleanup_free_ char *part = world_path(world, "cache/download/" KEY_B ".part");
    const struct timespec used[2] = {{.tv_sec = 2000}, {.tv_sec = 2000}};
    const struct timespec filled[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, entry, filled, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, seal, used, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, part, filled, 0), 0);
    struct cache_listing listing = {0};
    assert_int_equal(cache_list(cache, &listing, NULL), 0);
    assert_int_equal(listing.count, 2);
    assert_string_equal(listing.items[0].key, KEY_A);
    assert_string_equal(listing.items[0].label, "mini x86_64");
    assert_int_equal(listing.items[0].size, 12);
    assert_int_equal(listing.items[0].last_used, 2000);
    assert_false(listing.items[0].partial);
    assert_string_equal(listing.items[1].key, KEY_B);
    assert_string_equal(listing.items[1].label, "");
    assert_int_equal(listing.items[1].last_used, 1000);
    assert_true(listing.items[1].partial);
    cache_listing_free(&listing);
    /* Looking an entry up is a use; the time of its filling stays. */
    close(cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, NULL));
    struct stat st;
    assert_int_equal(stat(entry, &st), 0);
    assert_int_equal(st.st_mtime, 1000);
    assert_int_equal(cache_list(cache, &listing, NULL), 0);
    assert_true(listing.items[0].last_used > 2000);
    cache_listing_free(&listing);
}

static void write_into(const char *path, off_t at, const char *text)
{
    assert_int_equal(chmod(path, 0600), 0);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, text, strlen(text), at), strlen(text));
    close(fd);
}

static void an_altered_entry_is_noticed(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    _cleanup_(cache_closep) struct cache *cache = open_cache(world);
    _cleanup_free_ char *entry = world_path(world, "cache/base/" KEY_A ".raw");
    _cleanup_free_ char *seal = world_path(world, "cache/seal/" KEY_A);
    close(put(cache, KEY_A, "as it was"));
    /* Other times alone are no other contents; from then on they are the recorded ones. */
    const struct timespec other[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, entry, other, 0), 0);
    close(cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, &err));
    expect_success(0, &err);
    write_into(entry, 0, "is");
    expect_refusal(cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, &err), -EBADMSG, &err,
                   "other contents", NULL);
    write_into(entry, 0, "as");
    close(cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, &err));
    expect_success(0, &err);
    assert_int_equal(truncate(entry, 4), 0);
    expect_refusal(cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, &err), -EBADMSG, &err,
                   "another size", NULL);
    assert_int_equal(unlink(seal), 0);
    expect_refusal(cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, &err), -EBADMSG, &err, "no record",
                   NULL);
}

/* The record, with each number that begins at that place replaced. */
static void edit_record(const char *path, unsigned place, const char *number)
{
    _cleanup_free_ char *text = NULL;
    assert_int_equal(file_read(path, 4096, &text, NULL, NULL), 0);
    char *at = text, *end;
    for (; place > 0; place--)
        at = strchr(at, ' ') + 1;
    end = strchr(at, ' ');
    _cleanup_free_ char *edited = str_printf(NULL, "%.*s%s%s", (int)(at - text), text, number, end);
    assert_int_equal(file_write_atomic(path, edited, strlen(edited), 0600, NULL), 0);
}

/* What the file system does not tell: a failing disk, or a program that sets times back. */
static void contents_are_read_when_asked_and_from_time_to_time(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct stat st;
    char number[32];
    _cleanup_(cache_closep) struct cache *cache = open_cache(world);
    _cleanup_free_ char *entry = world_path(world, "cache/base/" KEY_A ".raw");
    _cleanup_free_ char *seal = world_path(world, "cache/seal/" KEY_A);
    close(put(cache, KEY_A, "as it was"));
    write_into(entry, 0, "is");
    assert_int_equal(stat(entry, &st), 0);
    snprintf(number, sizeof(number), "%lld%09ld", (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    edit_record(seal, 2, number);
    snprintf(number, sizeof(number), "%lld%09ld", (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
    edit_record(seal, 4, number);
    close(cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, &err));
    expect_success(0, &err);
    expect_refusal(cache_lookup(cache, KEY_A, CACHE_CHECK_CONTENTS, &err), -EBADMSG, &err,
                   "other contents", NULL);
    snprintf(number, sizeof(number), "%lld", (long long)time(NULL) - 31 * 24 * 3600);
    edit_record(seal, 5, number);
    expect_refusal(cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, &err), -EBADMSG, &err,
                   "other contents", NULL);
}

static void removing_disturbs_no_reader(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    _cleanup_(cache_closep) struct cache *cache = open_cache(world);
    _cleanup_close_ int fd = put(cache, KEY_A, "kept");
    close(put(cache, KEY_B, "other"));
    uint64_t freed = 0;
    expect_success(cache_remove(cache, KEY_A, &freed, &err), &err);
    assert_true(freed > 0);
    char text[8] = "";
    assert_int_equal(pread(fd, text, sizeof(text), 0), 4);
    assert_int_equal(cache_lookup(cache, KEY_A, CACHE_CHECK_QUICK, NULL), -ENOENT);
    expect_refusal(cache_remove(cache, KEY_A, &freed, &err), -ENOENT, &err, "is not in the cache",
                   NULL);
    expect_success(cache_remove(cache, NULL, &freed, &err), &err);
    struct cache_listing listing = {0};
    assert_int_equal(cache_list(cache, &listing, NULL), 0);
    assert_int_equal(listing.count, 0);
    cache_listing_free(&listing);
    _cleanup_free_ char *lock = world_path(world, "cache/lock");
    assert_int_equal(rmdir(lock), 0);
}

static void directories_of_others_are_refused(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct cache *cache = NULL;
    _cleanup_free_ char *path = world_path(world, "open"), *file = world_path(world, "file");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chmod(path, 0777), 0);
    expect_refusal(cache_open(path, &cache, &err), -EPERM, &err, "everybody may write",
                   "chmod go-w");
    /* As mkdir makes it under the umask 002 of user private groups. */
    assert_int_equal(chmod(path, 0775), 0);
    expect_refusal(cache_open(path, &cache, &err), -EPERM, &err, "its group may write",
                   "chmod go-w");
    assert_int_equal(chmod(path, 01777), 0);
    expect_success(cache_open(path, &cache, &err), &err);
    cache_close(TAKE_PTR(cache));
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 12345, 12345), 0);
        expect_refusal(cache_open(path, &cache, &err), -EPERM, &err, "belongs to another user",
                       "XDG_CACHE_HOME");
    }
    world_text(world, "file", "x");
    expect_refusal(cache_open(file, &cache, &err), -ENOTDIR, &err, "is not a directory", "--cache");
}

/* Others may add to the top of a cache in a directory like /tmp, not to what the entries lie in. */
static void folders_of_others_are_refused(void **state)
{
    static const mode_t modes[] = {0770, 0777, 01777};
    struct world *world = *state;
    struct error *err = NULL;
    struct cache *cache = NULL;
    _cleanup_free_ char *path = world_path(world, "cache"), *base = world_path(world, "cache/base");
    cache_close(open_cache(world));
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        assert_int_equal(chmod(base, modes[i]), 0);
        expect_refusal(cache_open(path, &cache, &err), -EPERM, &err, "may write", "cache/base'");
    }
    assert_int_equal(rmdir(base), 0);
    assert_int_equal(symlink("/tmp", base), 0);
    expect_refusal(cache_open(path, &cache, &err), -ENOTDIR, &err, "links are not followed", NULL);
}

static void a_cache_is_private_whatever_the_umask(void **state)
{
    struct world *world = *state;
    struct stat st;
    mode_t before = umask(0);
    cache_close(open_cache(world));
    umask(before);
    _cleanup_free_ char *path = world_path(world, "cache"), *base = world_path(world, "cache/base");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(stat(base, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void the_default_place_follows_the_environment(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct cache *cache = NULL;
    _cleanup_free_ char *wanted = world_path(world, "kiln");
    setenv("XDG_CACHE_HOME", world->dir, 1);
    expect_success(cache_open(NULL, &cache, &err), &err);
    assert_string_equal(cache_directory(cache), wanted);
    cache_close(TAKE_PTR(cache));
    struct stat st;
    assert_int_equal(stat(wanted, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    unsetenv("XDG_CACHE_HOME");
    _cleanup_free_ char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    unsetenv("HOME");
    int r = cache_open(NULL, &cache, &err);
    if (home)
        setenv("HOME", home, 1);
    expect_refusal(r, -ENOENT, &err, "HOME is not set", "--cache");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(an_entry_is_there_once_it_is_committed),
        world_test(an_abandoned_filling_leaves_nothing_but_the_download),
        world_test(a_second_attempt_begins_with_an_empty_file),
        world_test(keys_that_are_none_are_refused),
        world_test(others_wait_for_who_fills_an_entry),
        world_test(a_killed_filler_holds_nobody_up),
        world_test(unfinished_images_of_killed_fillers_are_swept),
        world_test(the_list_says_what_is_there),
        world_test(an_altered_entry_is_noticed),
        world_test(contents_are_read_when_asked_and_from_time_to_time),
        world_test(removing_disturbs_no_reader),
        world_test(directories_of_others_are_refused),
        world_test(folders_of_others_are_refused),
        world_test(a_cache_is_private_whatever_the_umask),
        world_test(the_default_place_follows_the_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
