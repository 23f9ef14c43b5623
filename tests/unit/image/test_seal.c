/* Sealed templates: the sidecar, and what it forbids. */

#include "image/copy.h"
#include "image/seal.h"
#include "image/seal_write.h"
#include "tests/unit/image/scratch.h"

static void must_seal(const char *image)
{
    _cleanup_strv_ struct strv operations = {0};
    struct error *error = NULL;
    strv_add(&operations, "machine-id", NULL);
    strv_add(&operations, "hostname", NULL);
    if (seal_write(image, &operations, NULL, &error) < 0)
        fail_msg("%s", error_message(error));
}

static void put(const char *path, const char *text)
{
    make_file(path, 0);
    write_at(path, 0, text, strlen(text));
}

static int open_writable(const char *path, bool unseal, struct error **err)
{
    const struct image_open_options options = {.writable = true, .unseal = unseal};
    _cleanup_block_ struct block *block = NULL;
    return image_open(path, &options, &block, err);
}

static void a_seal_tells_what_was_sealed(void **state)
{
    (void)state;
    make_file("disk.img", 1 << 20);
    write_pattern("disk.img", 4096, 5000);
    setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
    must_seal("disk.img");
    unsetenv("SOURCE_DATE_EPOCH");
    _cleanup_seal_ struct seal seal = {0};
    assert_int_equal(seal_read("disk.img", &seal, NULL), 0);
    assert_string_equal(seal.time, "2023-11-14T22:13:20Z");
    assert_int_equal(seal.operations.count, 2);
    assert_string_equal(seal.operations.items[0], "machine-id");
    char hex[DIGEST_MAX_HEX];
    _cleanup_block_ struct block *block = must_open("disk.img", IMAGE_AUTO, false);
    assert_int_equal(block_digest(block, DIGEST_SHA256, hex, NULL), 0);
    assert_string_equal(seal.digest, hex);
}

static void a_sealed_image_is_not_opened_for_writing(void **state)
{
    (void)state;
    make_file("disk.img", 65536);
    must_seal("disk.img");
    struct error *error = NULL;
    assert_int_equal(open_writable("disk.img", false, &error), -EPERM);
    assert_non_null(strstr(error_message(error), "sealed since"));
    assert_non_null(strstr(error_remedy(error), "--unseal"));
    error_clear(&error);
    assert_int_equal(open_writable("disk.img", true, NULL), 0);
    block_close(must_open("disk.img", IMAGE_AUTO, false));
    /* A link to it is no way around. */
    assert_int_equal(symlink("disk.img", "other.img"), 0);
    assert_int_equal(open_writable("other.img", false, NULL), -EPERM);
    assert_int_equal(seal_remove("other.img", NULL), 0);
    assert_int_equal(open_writable("disk.img", false, NULL), 0);
    assert_int_equal(access("disk.img.kiln.json", F_OK), -1);
    assert_int_equal(seal_remove("disk.img", NULL), 0);
}

static void a_sidecar_that_says_nothing_clear_counts_as_a_seal(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "nonsense",
        "[]",
        "{\"seal\": 1}",
        "{\"seal\": {\"version\": 2}}",
        ("{\"seal\": {\"version\": 1, \"digest\": \"sha256:00\", \"time\": \"x\", "
         "\"operations\": []}}"),
    };
    make_file("disk.img", 65536);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct error *error = NULL;
        struct seal seal;
        put("disk.img.kiln.json", bad[i]);
        assert_int_equal(seal_read("disk.img", &seal, &error), -EINVAL);
        assert_non_null(strstr(error_message(error), "disk.img.kiln.json"));
        error_clear(&error);
        assert_int_equal(open_writable("disk.img", false, NULL), -EINVAL);
        assert_int_equal(seal_remove("disk.img", NULL), 0);
        assert_int_equal(open_writable("disk.img", false, NULL), 0);
    }
}

static void what_others_keep_in_the_sidecar_stays(void **state)
{
    (void)state;
    struct seal seal;
    _cleanup_free_ char *text = NULL;
    make_file("disk.img", 65536);
    put("disk.img.kiln.json", "{\"verdict\": \"boots\"}");
    assert_int_equal(seal_read("disk.img", &seal, NULL), -ENOENT);
    assert_int_equal(open_writable("disk.img", false, NULL), 0);
    must_seal("disk.img");
    assert_int_equal(open_writable("disk.img", false, NULL), -EPERM);
    assert_int_equal(seal_remove("disk.img", NULL), 0);
    assert_int_equal(file_read("disk.img.kiln.json", 1000, &text, NULL, NULL), 0);
    assert_non_null(strstr(text, "boots"));
    assert_null(strstr(text, "seal"));
}

static void only_files_are_sealed(void **state)
{
    (void)state;
    const struct strv none = {0};
    assert_int_equal(mkdir("directory", 0755), 0);
    assert_int_equal(seal_write("directory", &none, NULL, NULL), -EINVAL);
    assert_int_equal(seal_write("absent", &none, NULL, NULL), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(a_seal_tells_what_was_sealed),
        scratch_test(a_sealed_image_is_not_opened_for_writing),
        scratch_test(a_sidecar_that_says_nothing_clear_counts_as_a_seal),
        scratch_test(what_others_keep_in_the_sidecar_stays),
        scratch_test(only_files_are_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
