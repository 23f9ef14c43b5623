/* ISO images: a foreign reader finds the files, and who makes them, when and where leaves no
 * trace. */

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/digest.h"
#include "datasource/iso.h"
#include "tests/unit/datasource/expect.h"

static const struct iso_file files[] = {
    {"meta-data", "instance-id: i-1\n", 17},
    {"network-config", "version: 2\n", 11},
    {"user-data", "", 0},
};

struct image {
    char *data;
    size_t size;
};

static struct image make(void)
{
    struct image image = {0};
    _cleanup_error_ struct error *err = NULL;
    int r = iso_make("cidata", files, ARRAY_SIZE(files), &image.data, &image.size, &err);
    expect_success(r, err);
    return image;
}

static void a_reader_finds_the_files(void **state)
{
    (void)state;
    struct image image = make();
    struct archive *reader = archive_read_new();
    struct archive_entry *entry;
    archive_read_support_format_iso9660(reader);
    assert_int_equal(archive_read_open_memory(reader, image.data, image.size), ARCHIVE_OK);
    size_t found = 0;
    while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
        assert_int_equal(archive_entry_uid(entry), 0);
        assert_int_equal(archive_entry_gid(entry), 0);
        assert_int_equal(archive_entry_mtime(entry), 946684800);
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
            char bytes[64];
            if (strcmp(archive_entry_pathname(entry), files[i].name) != 0)
                continue;
            assert_int_equal(archive_entry_mode(entry), 0100644);
            assert_int_equal(archive_entry_size(entry), files[i].size);
            assert_int_equal(archive_read_data(reader, bytes, sizeof(bytes)), files[i].size);
            assert_memory_equal(bytes, files[i].data, files[i].size);
            found++;
        }
    }
    assert_int_equal(found, ARRAY_SIZE(files));
    archive_read_free(reader);
    free(image.data);
}

static void the_volume_is_labelled_and_dated(void **state)
{
    (void)state;
    struct image image = make();
    const char *primary = image.data + 16 * 2048, *joliet = image.data + 17 * 2048;
    assert_memory_equal(primary + 1, "CD001", 5);
    assert_memory_equal(primary + 813,
                        "2000010100000000\0"
                        "2000010100000000\0",
                        34);
    assert_memory_equal(joliet + 40, "\0c\0i\0d\0a\0t\0a", 12);
    assert_null(memmem(image.data, image.size, "libarchive", 10));
    free(image.data);
}

/* Returns in a child what the parent compares: the digest of the image. */
static void digest_in_child(void (*become_another)(void), char hex[static DIGEST_MAX_HEX])
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        become_another();
        struct image image = {0};
        bool made =
            iso_make("cidata", files, ARRAY_SIZE(files), &image.data, &image.size, NULL) == 0 &&
            digest_bytes(DIGEST_SHA256, image.data, image.size, hex, NULL) == 0 &&
            write(ends[1], hex, 65) == 65;
        _exit(!made);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(ends[0], hex, 65), 65);
    close(ends[0]);
    close(ends[1]);
}

static void stay_the_same(void)
{
}

static void move_to_tokyo(void)
{
    setenv("TZ", "Asia/Tokyo-9", 1);
    tzset();
    umask(077);
}

static void wait_a_second(void)
{
    nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 100000000}, NULL);
}

static void become_nobody(void)
{
    if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
        _exit(2);
}

static void equal_input_gives_equal_bytes(void **state)
{
    (void)state;
    void (*const others[])(void) = {move_to_tokyo, wait_a_second, become_nobody};
    char first[DIGEST_MAX_HEX], other[DIGEST_MAX_HEX];
    digest_in_child(stay_the_same, first);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        digest_in_child(others[i], other);
        assert_string_equal(first, other);
    }
}

/* A disk that is full, as far as this process can tell. */
static void no_room_for_the_temporary_file_is_an_error(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        struct image image = {0};
        struct error *err = NULL;
        struct rlimit none = {.rlim_cur = 1024, .rlim_max = 1024};
        static char big[1 << 20];
        struct iso_file file = {"user-data", big, sizeof(big)};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &none);
        int r = iso_make("cidata", &file, 1, &image.data, &image.size, &err);
        bool told =
            r < 0 && !image.data && strstr(error_message(err), "cannot create the ISO image");
        error_free(err);
        _exit(!told);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Should libarchive ever lay images out otherwise, that is an error and not a crash. */
static void foreign_layouts_are_refused(void **state)
{
    (void)state;
    struct image image = make();
    struct error *err = NULL;
    size_t root = 28 * 2048;
    for (size_t size = 0; size <= root; size += 1024) {
        _cleanup_free_ char *copy = malloc(size + 1);
        memcpy(copy, image.data, size);
        int r = iso_pin(copy, size, &err);
        expect_refusal(r, -EBADMSG, &err, "not laid out as expected", NULL);
    }
    _cleanup_free_ char *copy = malloc(image.size);
    unsigned refused = 0;
    for (size_t at = 16 * 2048; at < root + 2048; at += 1) {
        memcpy(copy, image.data, image.size);
        copy[at] = (char)(copy[at] ^ 0xff);
        refused += iso_pin(copy, image.size, NULL) < 0;
        if (at > 16 * 2048 + 256 && at < root)
            at += 37;
    }
    assert_true(refused > 0);
    free(image.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_finds_the_files),
        cmocka_unit_test(the_volume_is_labelled_and_dated),
        cmocka_unit_test(equal_input_gives_equal_bytes),
        cmocka_unit_test(no_room_for_the_temporary_file_is_an_error),
        cmocka_unit_test(foreign_layouts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
