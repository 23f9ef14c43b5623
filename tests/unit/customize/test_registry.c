/* Registry hives: what is set is read back, also by other tools; what is damaged is refused. */
#include "guest/inspect/registry.h"

#include <errno.h>
#include <stdio.h>

#include "base/fdio.h"
#include "base/proc.h"
#include "tests/unit/customize/hive.h"
#include "tests/unit/unit.h"

static struct registry *open_hive(int fd, bool writable)
{
    struct registry *registry = NULL;
    struct error *error = NULL;
    if (registry_open_fd(fd, "TEST", writable, &registry, &error) < 0)
        fail_msg("%s", error_message(error));
    return registry;
}

static void set_one(struct registry *registry, const char *key, const struct registry_value *value)
{
    struct error *error = NULL;
    if (registry_set(registry, key, value, 1, &error) < 0)
        fail_msg("%s", error_message(error));
}

static void expect_text(struct registry *registry, const char *key, const char *name,
                        const char *expected)
{
    _cleanup_free_ char *text = NULL;
    assert_int_equal(registry_get_text(registry, key, name, &text, NULL), 0);
    assert_string_equal(text, expected);
}

static void values_are_read_back(void **state)
{
    (void)state;
    uint32_t number;
    _cleanup_close_ int fd = hive_open_new();
    struct registry *registry = open_hive(fd, true);
    const char *key = "ControlSet001\\Services\\viostor";
    assert_false(registry_has_key(registry, key));
    set_one(registry, key, &(struct registry_value){"Start", REGISTRY_DWORD, .number = 3});
    set_one(registry, key, &(struct registry_value){"Start", REGISTRY_DWORD, .number = 0x80000001});
    set_one(registry, key, &(struct registry_value){"Group", REGISTRY_SZ, .text = "SCSI miniport"});
    set_one(registry, key,
            &(struct registry_value){"ImagePath", REGISTRY_EXPAND_SZ, .text = "%X%\\a.sys"});
    set_one(registry, key, &(struct registry_value){"", REGISTRY_SZ, .text = "default"});
    set_one(registry, key,
            &(struct registry_value){"Name", REGISTRY_SZ,
                                     .text = "Z\xc3\xbcrich \xe2\x82\xac "
                                             "\xf0\x9f\x94\xa5"});
    assert_int_equal(registry_save(registry, fd, NULL), 0);
    registry_close(registry);

    registry = open_hive(fd, false);
    assert_int_equal(
        registry_get_number(registry, "controlset001\\SERVICES\\VioStor", "start", &number, NULL),
        0);
    assert_int_equal(number, 0x80000001);
    expect_text(registry, key, "Group", "SCSI miniport");
    expect_text(registry, key, "imagepath", "%X%\\a.sys");
    expect_text(registry, key, "", "default");
    expect_text(registry, key, "Name", "Z\xc3\xbcrich \xe2\x82\xac \xf0\x9f\x94\xa5");
    assert_true(registry_has_key(registry, "ControlSet001"));
    assert_true(registry_has_key(registry, "ControlSet001\\Services\\"));
    registry_close(registry);
}

static void absent_and_mistyped_values_are_told_apart(void **state)
{
    (void)state;
    uint32_t number;
    char *text = NULL;
    struct error *error = NULL;
    _cleanup_close_ int fd = hive_open_new();
    struct registry *registry = open_hive(fd, true);
    set_one(registry, "Select", &(struct registry_value){"Current", REGISTRY_DWORD, .number = 1});
    assert_int_equal(registry_get_number(registry, "Nowhere", "Current", &number, &error), -ENOENT);
    assert_non_null(strstr(error_message(error), "TEST: has no key Nowhere"));
    error_clear(&error);
    assert_int_equal(registry_get_number(registry, "Select", "Default", &number, &error), -ENOENT);
    assert_non_null(strstr(error_message(error), "no value Default"));
    error_clear(&error);
    assert_int_equal(registry_get_text(registry, "Select", "Current", &text, &error), -EINVAL);
    assert_non_null(strstr(error_message(error), "unexpected kind"));
    error_clear(&error);
    char longer[400];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(registry_set(registry, longer, NULL, 0, &error), -EINVAL);
    error_clear(&error);
    registry_close(registry);
}

static void expect_refusal(const void *data, size_t size, bool writable, int errnum,
                           const char *words)
{
    struct registry *registry = NULL;
    struct error *error = NULL;
    _cleanup_close_ int fd = memfd_create("hive", MFD_CLOEXEC);
    assert_int_equal(write(fd, data, size), size);
    assert_int_equal(registry_open_fd(fd, "TEST", writable, &registry, &error), -errnum);
    assert_non_null(strstr(error_message(error), words));
    error_free(error);
}

static void damaged_hives_are_refused(void **state)
{
    (void)state;
    uint8_t hive[hive_size];
    hive_make(hive);
    expect_refusal(hive, 100, false, EINVAL, "too short");
    hive[0] = 'R';
    expect_refusal(hive, sizeof(hive), false, EINVAL, "no registry hive");
    hive_make(hive);
    hive[100] ^= 1;
    expect_refusal(hive, sizeof(hive), false, EINVAL, "damaged");
    hive_make(hive);
    memset(hive + hive_bin, 0, hive_size - hive_bin);
    expect_refusal(hive, sizeof(hive), true, EINVAL, "damaged");
    hive_make(hive);
    hive_put32(hive + 40, 0x6d002000);
    hive_checksum(hive);
    expect_refusal(hive, sizeof(hive), true, EINVAL, "ends too early");
    hive_make(hive);
    hive_put32(hive + 36, 0x7fffffff);
    hive_checksum(hive);
    expect_refusal(hive, sizeof(hive), true, EINVAL, "damaged");

    _cleanup_close_ int fd = memfd_create("hive", MFD_CLOEXEC);
    struct registry *registry = NULL;
    assert_int_equal(ftruncate(fd, (off_t)registry_size_max + 1), 0);
    assert_int_equal(registry_open_fd(fd, "TEST", false, &registry, NULL), -EFBIG);
}

static void what_windows_has_not_finished_is_only_read(void **state)
{
    (void)state;
    uint8_t hive[hive_size];
    struct registry *registry = NULL;
    hive_make(hive);
    hive_put32(hive + 4, 2);
    hive_checksum(hive);
    expect_refusal(hive, sizeof(hive), true, EUCLEAN, "to its end");
    _cleanup_close_ int fd = memfd_create("hive", MFD_CLOEXEC);
    assert_int_equal(write(fd, hive, sizeof(hive)), sizeof(hive));
    assert_int_equal(registry_open_fd(fd, "TEST", false, &registry, NULL), 0);
    registry_close(registry);
}

static void text_that_is_no_utf16_does_no_harm(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *expected;
    } cases[] = {
        {"a\0b\0", 4, "ab"},
        {"a\0b\0c", 5, "ab"},
        {"a\0\0\0b\0", 6, "a"},
        {"\x3d\xd8", 2, "\xef\xbf\xbd"},
        {"\x3d\xd8x\0", 4, "\xef\xbf\xbdx"},
        {"\x25\xddx\0", 4, "\xef\xbf\xbdx"},
        {"", 0, ""},
    };
    _cleanup_close_ int fd = hive_open_new();
    struct registry *registry = open_hive(fd, true);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        /* A type of its own is all that tells such a value from text. */
        const struct registry_value value = {"Raw", REGISTRY_BINARY, .data = cases[i].bytes,
                                             .size = cases[i].size};
        set_one(registry, "Key", &value);
        assert_int_equal(registry_save(registry, fd, NULL), 0);
        uint8_t *data = malloc(1 << 16);
        ssize_t size = pread(fd, data, 1 << 16, 0);
        bool found = false;
        for (ssize_t at = 0; at + 20 < size; at++)
            if (memcmp(data + at, "vk\x03\0", 4) == 0) {
                hive_put32(data + at + 12, REGISTRY_SZ);
                found = true;
            }
        assert_true(found);
        assert_int_equal(pwrite(fd, data, (size_t)size, 0), size);
        free(data);
        struct registry *again = open_hive(fd, false);
        expect_text(again, "Key", "Raw", cases[i].expected);
        registry_close(again);
    }
    registry_close(registry);
}

/* libhivex's own tool, where it is installed. */
static void others_see_the_same(void **state)
{
    (void)state;
    if (!proc_found("hivexget"))
        skip_because("hivexget is not installed");
    _cleanup_close_ int fd = hive_open_new();
    struct registry *registry = open_hive(fd, true);
    set_one(registry, "A\\B", &(struct registry_value){"List", REGISTRY_MULTI_SZ, .text = "one"});
    set_one(registry, "A\\B", &(struct registry_value){"Text", REGISTRY_SZ, .text = "two"});
    assert_int_equal(registry_save(registry, fd, NULL), 0);
    registry_close(registry);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)getpid(), fd);
    const char *argv[] = {"hivexget", path, "A\\B", NULL};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv};
    _cleanup_proc_output_ struct proc_output output = {0};
    assert_int_equal(proc_check(&options, NULL, 0, 1 << 16, 10000, &output, NULL), 0);
    assert_non_null(strstr(output.out, "\"List\"=hex(7):6f,00,6e,00,65,00,00,00,00,00"));
    assert_non_null(strstr(output.out, "\"Text\"="));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_back),
        cmocka_unit_test(absent_and_mistyped_values_are_told_apart),
        cmocka_unit_test(damaged_hives_are_refused),
        cmocka_unit_test(what_windows_has_not_finished_is_only_read),
        cmocka_unit_test(text_that_is_no_utf16_does_no_harm),
        cmocka_unit_test(others_see_the_same),
    };
    return cmocka_run_group_tests_name("customize/registry", tests, NULL, NULL);
}
