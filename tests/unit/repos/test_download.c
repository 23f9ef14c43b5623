/* Downloads from a real server that misbehaves in every way a network can. */

#include <sys/resource.h>

#include "base/clock.h"
#include "repos/download.h"
#include "tests/unit/repos/world.h"

enum { FILE_SIZE = 300000 };

static char pattern(size_t i)
{
    return (char)(i * 7 + i / 251);
}

static void write_pattern(struct world *world, const char *name, size_t size)
{
    _cleanup_free_ char *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = pattern(i);
    world_write(world, name, bytes, size);
}

static void serve_pattern(struct world *world, size_t size)
{
    write_pattern(world, "web/file", size);
    world_serve(world);
}

static char *address(const struct world *world, const char *path)
{
    return str_printf(NULL, "%s%s", world->base, path);
}

static int open_target(const struct world *world)
{
    _cleanup_free_ char *path = world_path(world, "target");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    return fd;
}

static uint64_t size_of(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    return (uint64_t)st.st_size;
}

static void expect_pattern(int fd, size_t size)
{
    assert_int_equal(size_of(fd), size);
    _cleanup_free_ char *bytes = malloc(size + 1);
    assert_int_equal(fd_pread_full(fd, bytes, size, 0, "target", NULL), 0);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(bytes[i], pattern(i));
}

/* Downloads base + path into fd. */
static int fetch(struct world *world, const char *path, int fd, struct download_options options,
                 struct error **err)
{
    _cleanup_free_ char *uri = address(world, path);
    options.reporter = &world->reporter;
    return download_to_fd(uri, fd, &options, err);
}

static void a_file_arrives_whole(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, FILE_SIZE);
    _cleanup_close_ int fd = open_target(world);
    static const char *const paths[] = {"/file", "/redirect/file", "/no-length/file",
                                        "/no-range/file"};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        expect_success(fetch(world, paths[i], fd, (struct download_options){0}, &err), &err);
        expect_pattern(fd, FILE_SIZE);
    }
}

static void what_was_there_before_is_replaced(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 100);
    _cleanup_close_ int fd = open_target(world);
    assert_int_equal(pwrite(fd, "garbage", 7, 1000), 7);
    expect_success(fetch(world, "/file", fd, (struct download_options){0}, &err), &err);
    expect_pattern(fd, 100);
}

static void an_empty_file_is_one(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 0);
    _cleanup_close_ int fd = open_target(world);
    expect_success(fetch(world, "/file", fd, (struct download_options){.max_size = 1}, &err), &err);
    assert_int_equal(size_of(fd), 0);
}

static void answers_that_are_errors_name_the_uri(void **state)
{
    struct world *world = *state;
    serve_pattern(world, 10);
    static const struct {
        const char *path;
        int code;
        const char *message;
    } cases[] = {
        {"/absent", -ENOENT, "/absent: not found (HTTP status 404)"},
        {"/status/410/file", -ENOENT, "/status/410/file: not found"},
        {"/status/403/file", -EACCES, "/status/403/file: the server denies access"},
        {"/auth/file", -EACCES, "/auth/file: the server denies access (HTTP status 401)"},
        {"/status/500/file", -EIO, "/status/500/file: the server answers with HTTP status 500"},
        {"/status/418/file", -EIO, "answers with HTTP status 418"},
        {"/redirect-loop/file", -ELOOP, "/redirect-loop/file: redirects more than 5 times"},
        {"/redirect-local/file", -EPROTO, "/redirect-local/file: "},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error *err = NULL;
        _cleanup_close_ int fd = open_target(world);
        int r = fetch(world, cases[i].path, fd, (struct download_options){0}, &err);
        assert_true(contains(error_message(err), "http://127.0.0.1:"));
        expect_refusal(r, cases[i].code, &err, cases[i].message, NULL);
        /* The page that came with the error is not the file. */
        assert_int_equal(size_of(fd), 0);
    }
}

static void secrets_of_a_uri_are_used_but_not_shown(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 10);
    _cleanup_close_ int fd = open_target(world);
    _cleanup_free_ char *good =
        str_printf(NULL, "http://kiln:secret@%s/auth/file", world->base + strlen("http://"));
    _cleanup_free_ char *bad =
        str_printf(NULL, "http://kiln:geheim@%s/auth/file", world->base + strlen("http://"));
    const struct download_options options = {0};
    expect_success(download_to_fd(good, fd, &options, &err), &err);
    expect_pattern(fd, 10);
    int r = download_to_fd(bad, fd, &options, &err);
    assert_false(contains(error_message(err), "geheim"));
    expect_refusal(r, -EACCES, &err, "denies access", NULL);
}

static void servers_that_fail_at_first_are_tried_again(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 1000);
    _cleanup_close_ int fd = open_target(world);
    struct download_options options = {.retries = 1};
    expect_success(fetch(world, "/fail/1/file", fd, options, &err), &err);
    expect_pattern(fd, 1000);
    assert_true(contains(world->infos.data, "HTTP status 503; trying again"));
    expect_refusal(fetch(world, "/fail/2/file?x", fd, options, &err), -EIO, &err, "HTTP status 503",
                   NULL);
    assert_int_equal(world_requests(world, "/fail/2/file?x"), 2);
    /* What will not change is not asked for again. */
    expect_refusal(fetch(world, "/absent", fd, options, &err), -ENOENT, &err, "404", NULL);
    assert_int_equal(world_requests(world, "/absent"), 1);
}

static void a_connection_that_breaks_is_resumed(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, FILE_SIZE);
    _cleanup_close_ int fd = open_target(world);
    struct download_options options = {.resume = true};
    expect_refusal(fetch(world, "/cut/100000/file", fd, options, &err), -EIO, &err,
                   "/cut/100000/file: the connection broke after 100000 bytes", NULL);
    expect_pattern(fd, 100000);
    /* The same within one call: what is left takes two more connections. */
    options.retries = 1;
    expect_success(fetch(world, "/cut/100000/file", fd, options, &err), &err);
    expect_pattern(fd, FILE_SIZE);
    assert_int_equal(world_requests(world, "bytes=100000- 206"), 1);
    assert_int_equal(world_requests(world, "bytes=200000- 206"), 1);
}

static void without_resume_a_retry_begins_anew(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, FILE_SIZE);
    _cleanup_close_ int fd = open_target(world);
    expect_success(
        fetch(world, "/cut-once/1000/file", fd, (struct download_options){.retries = 1}, &err),
        &err);
    expect_pattern(fd, FILE_SIZE);
    assert_int_equal(world_requests(world, " - 200"), 2);
}

static void good_progress_does_not_count_as_a_retry(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 5 << 20);
    _cleanup_close_ int fd = open_target(world);
    expect_success(fetch(world, "/cut/1100000/file", fd,
                         (struct download_options){.resume = true, .retries = 1}, &err),
                   &err);
    expect_pattern(fd, 5 << 20);
}

static void a_complete_prefix_asks_for_nothing_more(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 1000);
    _cleanup_close_ int fd = open_target(world);
    const struct download_options options = {.resume = true, .retries = 1};
    expect_success(fetch(world, "/file", fd, options, &err), &err);
    expect_success(fetch(world, "/file", fd, options, &err), &err);
    expect_pattern(fd, 1000);
    assert_int_equal(world_requests(world, "bytes=1000- 416"), 1);
    /* A prefix that is longer than the file belongs to another one. */
    assert_int_equal(pwrite(fd, "x", 1, 5000), 1);
    expect_success(fetch(world, "/file", fd, options, &err), &err);
    expect_pattern(fd, 1000);
}

static void a_server_without_ranges_sends_everything(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 1000);
    _cleanup_close_ int fd = open_target(world);
    assert_int_equal(pwrite(fd, "stale", 5, 0), 5);
    expect_success(
        fetch(world, "/no-range/file", fd, (struct download_options){.resume = true}, &err), &err);
    expect_pattern(fd, 1000);
}

static void wrong_lengths_are_noticed(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 1000);
    _cleanup_close_ int fd = open_target(world);
    expect_refusal(fetch(world, "/length/10/file", fd, (struct download_options){0}, &err), -EIO,
                   &err, "the connection broke after 1000 bytes", NULL);
}

static void sizes_are_capped(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, FILE_SIZE);
    _cleanup_close_ int fd = open_target(world);
    const struct download_options options = {.max_size = 100000, .resume = true};
    expect_refusal(fetch(world, "/file", fd, options, &err), -EFBIG, &err,
                   "/file: is larger than the 100000 bytes allowed", NULL);
    assert_int_equal(size_of(fd), 0);
    expect_refusal(fetch(world, "/no-length/file", fd, options, &err), -EFBIG, &err,
                   "is larger than the 100000 bytes allowed", NULL);
    expect_refusal(fetch(world, "/endless/file", fd, options, &err), -EFBIG, &err,
                   "is larger than the 100000 bytes allowed", NULL);
    assert_true(size_of(fd) <= 100000);
    assert_int_equal(ftruncate(fd, 0), 0);
    expect_success(fetch(world, "/file", fd,
                         (struct download_options){.max_size = FILE_SIZE, .resume = true}, &err),
                   &err);
}

static void a_line_of_a_gigabyte_takes_no_memory_to_speak_of(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    world_serve(world);
    _cleanup_free_ char *uri = address(world, "/endless/index"), *text = NULL;
    size_t size = 0;
    const struct download_options options = {.max_size = 1 << 20};
    expect_refusal(download_to_memory(uri, &options, &text, &size, &err), -EFBIG, &err,
                   "/endless/index: is larger than the 1048576 bytes allowed", NULL);
    assert_null(text);
}

static void silence_is_a_timeout(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 1000);
    _cleanup_close_ int fd = open_target(world);
    uint64_t start = clock_now_ms();
    expect_refusal(
        fetch(world, "/stall/10/file", fd, (struct download_options){.stall_ms = 300}, &err),
        -ETIMEDOUT, &err, "/stall/10/file: nothing arrived for", NULL);
    assert_true(clock_now_ms() - start < 60000);
}

static void a_server_that_is_too_slow_is_given_up(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 1000);
    _cleanup_close_ int fd = open_target(world);
    struct download_options options = {.stall_ms = 2000, .min_speed = 1000};
    expect_refusal(fetch(world, "/slow/10/file", fd, options, &err), -ETIMEDOUT, &err,
                   "less than 1000 a second", "--min-speed 0");
    options.min_speed = 10;
    expect_success(fetch(world, "/slow/1000000/file", fd, options, &err), &err);
}

static void a_header_without_end_is_an_error(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 1000);
    _cleanup_close_ int fd = open_target(world);
    expect_refusal(fetch(world, "/header/4194304/file", fd, (struct download_options){0}, &err),
                   -EPROTO, &err, "/header/4194304/file: the server sends a header that is too",
                   NULL);
}

static void unreachable_servers_are_errors(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    _cleanup_close_ int fd = open_target(world);
    setenv("no_proxy", "127.0.0.1", 1);
    const struct download_options options = {0};
    expect_refusal(download_to_fd("http://127.0.0.1:1/file", fd, &options, &err), -ECONNREFUSED,
                   &err, "http://127.0.0.1:1/file: ", NULL);
    expect_refusal(download_to_fd("smb://127.0.0.1/file", fd, &options, &err), -EINVAL, &err,
                   "smb://127.0.0.1/file: is no http, https, ftp or file URI", NULL);
    expect_refusal(download_to_fd("file://elsewhere/file", fd, &options, &err), -EINVAL, &err,
                   "is no http", NULL);
}

static void proxies_are_used_as_told(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    serve_pattern(world, 10);
    _cleanup_close_ int fd = open_target(world);
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("no_proxy", "", 1);
    int system_r = fetch(world, "/file", fd, (struct download_options){.proxy = "system"}, &err);
    error_clear(&err);
    int no_r = fetch(world, "/file", fd, (struct download_options){.proxy = "no"}, &err);
    error_clear(&err);
    unsetenv("http_proxy");
    int given_r =
        fetch(world, "/file", fd, (struct download_options){.proxy = "http://127.0.0.1:1"}, &err);
    error_clear(&err);
    assert_int_equal(system_r, -ECONNREFUSED);
    assert_int_equal(no_r, 0);
    assert_int_equal(given_r, -ECONNREFUSED);
}

static void a_full_disk_is_said(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct rlimit kept, small = {.rlim_cur = 4096};
    serve_pattern(world, FILE_SIZE);
    _cleanup_close_ int fd = open_target(world);
    /* A limit stands in for the disk: writing beyond it fails in the same way. */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
    small.rlim_max = kept.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    int r = fetch(world, "/file", fd, (struct download_options){.retries = 3}, &err);
    setrlimit(RLIMIT_FSIZE, &kept);
    expect_refusal(r, -EFBIG, &err, "/file: cannot write", NULL);
    assert_int_equal(world_requests(world, "/file"), 1);
}

static void ftp_serves_as_well(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    write_pattern(world, "web/sub/file", FILE_SIZE);
    write_pattern(world, "web/cut/file", FILE_SIZE);
    world_serve_by(world, "tests/fakes/ftp-server", "ftp");
    _cleanup_close_ int fd = open_target(world);
    struct download_options options = {.max_size = FILE_SIZE, .resume = true, .retries = 1};
    expect_success(fetch(world, "/sub/file", fd, options, &err), &err);
    expect_pattern(fd, FILE_SIZE);
    assert_int_equal(ftruncate(fd, 0), 0);
    expect_success(fetch(world, "/cut/file", fd, options, &err), &err);
    expect_pattern(fd, FILE_SIZE);
    assert_int_equal(world_requests(world, "RETR file 1000"), 1);
    /* Nothing is left to fetch. */
    expect_success(fetch(world, "/cut/file", fd, options, &err), &err);
    expect_pattern(fd, FILE_SIZE);
    /* More than there is belongs to something else. */
    assert_int_equal(pwrite(fd, "x", 1, 2 * FILE_SIZE), 1);
    expect_success(fetch(world, "/cut/file", fd, options, &err), &err);
    expect_pattern(fd, FILE_SIZE);
    options.max_size = 1000;
    assert_int_equal(ftruncate(fd, 0), 0);
    expect_refusal(fetch(world, "/sub/file", fd, options, &err), -EFBIG, &err, "is larger than",
                   NULL);
    expect_refusal(fetch(world, "/sub/absent", fd, options, &err), -ENOENT, &err,
                   "/sub/absent: ", NULL);
}

static void local_files_need_no_server(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    world_text(world, "a file", "hello");
    _cleanup_close_ int fd = open_target(world);
    _cleanup_free_ char *encoded = str_printf(NULL, "file://%s/a%%20file", world->dir);
    _cleanup_free_ char *plain = str_printf(NULL, "%s/a file", world->dir), *text = NULL;
    _cleanup_free_ char *absent = str_printf(NULL, "file://%s/absent", world->dir);
    struct download_options options = {.max_size = 5};
    size_t size = 0;
    expect_success(download_to_fd(encoded, fd, &options, &err), &err);
    assert_int_equal(size_of(fd), 5);
    expect_success(download_to_memory(plain, &options, &text, &size, &err), &err);
    assert_string_equal(text, "hello");
    assert_int_equal(size, 5);
    options.max_size = 4;
    expect_refusal(download_to_fd(plain, fd, &options, &err), -EFBIG, &err,
                   "a file: is larger than the 4 bytes allowed", NULL);
    expect_refusal(download_to_fd(absent, fd, &options, &err), -ENOENT, &err, "absent: cannot open",
                   NULL);
    expect_refusal(download_to_fd(world->dir, fd, &options, &err), -EISDIR, &err,
                   "is no regular file", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(a_file_arrives_whole),
        world_test(what_was_there_before_is_replaced),
        world_test(an_empty_file_is_one),
        world_test(answers_that_are_errors_name_the_uri),
        world_test(secrets_of_a_uri_are_used_but_not_shown),
        world_test(servers_that_fail_at_first_are_tried_again),
        world_test(a_connection_that_breaks_is_resumed),
        world_test(without_resume_a_retry_begins_anew),
        world_test(good_progress_does_not_count_as_a_retry),
        world_test(a_complete_prefix_asks_for_nothing_more),
        world_test(a_server_without_ranges_sends_everything),
        world_test(wrong_lengths_are_noticed),
        world_test(sizes_are_capped),
        world_test(a_line_of_a_gigabyte_takes_no_memory_to_speak_of),
        world_test(silence_is_a_timeout),
        world_test(a_server_that_is_too_slow_is_given_up),
        world_test(a_header_without_end_is_an_error),
        world_test(unreachable_servers_are_errors),
        world_test(proxies_are_used_as_told),
        world_test(a_full_disk_is_said),
        world_test(ftp_serves_as_well),
        world_test(local_files_need_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
