/* Seeds that are read back, and scripts that are added to them. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fdio.h"
#include "datasource/iso.h"
#include "datasource/mime.h"
#include "datasource/nocloud.h"
#include "tests/unit/unit.h"

/* A memory file with these bytes, by a path. */
struct memory {
    int fd;
    char path[64];
};

static struct memory make_memory(const void *data, size_t size)
{
    struct memory memory = {.fd = memfd_create("seed", MFD_CLOEXEC)};
    assert_true(memory.fd >= 0);
    assert_int_equal(fd_write_full(memory.fd, data, size, "seed", NULL), 0);
    snprintf(memory.path, sizeof(memory.path), "/proc/self/fd/%d", memory.fd);
    return memory;
}

static struct memory make_iso(const char *label, const struct iso_file *files, size_t count)
{
    _cleanup_free_ char *data = NULL;
    size_t size;
    assert_int_equal(iso_make(label, files, count, &data, &size, NULL), 0);
    return make_memory(data, size);
}

static const struct iso_file documents[] = {
    {"meta-data", "instance-id: i-1\n", 17},
    {"something-else", "x", 1},
    {"user-data", "#cloud-config\n\0\xff{}\n", 18},
};

static void documents_come_back_as_they_are(void **state)
{
    (void)state;
    struct memory memory = make_iso("cidata", documents, ARRAY_SIZE(documents));
    _cleanup_nocloud_seed_ struct nocloud_seed seed = {0};
    assert_int_equal(nocloud_read_iso(memory.path, &seed, NULL), 0);
    assert_string_equal(seed.meta_data.data, "instance-id: i-1\n");
    assert_int_equal(seed.user_data.size, 18);
    assert_memory_equal(seed.user_data.data, documents[2].data, 18);
    assert_null(seed.network_config.data);
    assert_null(seed.vendor_data.data);
    close(memory.fd);
}

static void other_things_are_refused(void **state)
{
    (void)state;
    static char zeroes[100000];
    static const struct iso_file unrelated[] = {{"readme", "x", 1}};
    struct memory cases[] = {
        make_memory("", 0),
        make_memory(zeroes, sizeof(zeroes)),
        make_iso("config-2", documents, ARRAY_SIZE(documents)),
        make_iso("cidata2", documents, ARRAY_SIZE(documents)),
        make_iso("cidata", unrelated, ARRAY_SIZE(unrelated)),
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_nocloud_seed_ struct nocloud_seed seed = {0};
        _cleanup_error_ struct error *err = NULL;
        assert_int_equal(nocloud_read_iso(cases[i].path, &seed, &err), -EINVAL);
        assert_non_null(strstr(error_message(err), cases[i].path));
        close(cases[i].fd);
    }
}

static void a_cut_image_is_no_crash(void **state)
{
    (void)state;
    _cleanup_free_ char *data = NULL;
    size_t size;
    assert_int_equal(iso_make("cidata", documents, ARRAY_SIZE(documents), &data, &size, NULL), 0);
    for (size_t cut = 0; cut < size; cut += 1000) {
        struct memory memory = make_memory(data, cut);
        _cleanup_nocloud_seed_ struct nocloud_seed seed = {0};
        (void)nocloud_read_iso(memory.path, &seed, NULL);
        close(memory.fd);
    }
}

static void a_script_joins_what_is_there(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *part; /* of the result */
    } cases[] = {
        {NULL, "Content-Type: text/x-shellscript\n"},
        {" \n", "Content-Type: text/x-shellscript\n"},
        {"#cloud-config\n{}\n", "Content-Type: text/plain\n"},
        {"\x1f\x8b\x08", "Content-Type: application/gzip\n"},
        {"MIME-Version: 1.0\nContent-Type: text/cloud-config\n\n{}\n",
         "\nMIME-Version: 1.0\nContent-Type: text/cloud-config\n\n{}\n\n--"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct nocloud_seed seed = {0};
        if (cases[i].before) {
            seed.vendor_data.data = strdup(cases[i].before);
            seed.vendor_data.size = strlen(cases[i].before);
        }
        assert_int_equal(nocloud_add_vendor_script(&seed, "name", "#!/bin/sh\ntrue\n", NULL), 0);
        assert_non_null(strstr(seed.vendor_data.data, "IyEvYmluL3NoCnRydWUK\n"));
        assert_non_null(strstr(seed.vendor_data.data, cases[i].part));
        assert_int_equal(strlen(seed.vendor_data.data), seed.vendor_data.size);
        nocloud_seed_free(&seed);
    }
}

/* RFC 4648, section 10, and a line's end. */
static void base64_is_right(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *encoded;
    } cases[] = {
        {"f", "\n\nZg==\n--"},
        {"fo", "\n\nZm8=\n--"},
        {"foo", "\n\nZm9v\n--"},
        {"foob", "\n\nZm9vYg==\n--"},
        {"fooba", "\n\nZm9vYmE=\n--"},
        {"foobar", "\n\nZm9vYmFy\n--"},
        {"\xff\xfe\xfd", "\n\n//79\n--"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
         "\n\nYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh\nYg==\n-"
         "-"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct mime_part part = {
            .type = "text/plain", .data = cases[i].plain, .size = strlen(cases[i].plain)};
        _cleanup_free_ char *data = NULL;
        size_t size;
        assert_int_equal(mime_join(&part, 1, &data, &size, NULL), 0);
        assert_non_null(strstr(data, cases[i].encoded));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_come_back_as_they_are),
        cmocka_unit_test(other_things_are_refused),
        cmocka_unit_test(a_cut_image_is_no_crash),
        cmocka_unit_test(a_script_joins_what_is_there),
        cmocka_unit_test(base64_is_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
