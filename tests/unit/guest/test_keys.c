/* Keys of encrypted devices, as --key names them. */
#include "tests/unit/guest/fixture.h"

#include "guest/keys.h"

static void expect_key(const struct guest_keys *keys, size_t i, const char *device,
                       const char *passphrase)
{
    assert_true(i < keys->count);
    assert_string_equal(keys->items[i].device, device);
    assert_string_equal(keys->items[i].passphrase, passphrase);
}

static void selectors_are_read(void **state)
{
    struct fixture *fx = *state;
    struct guest_keys keys = {0};
    char path[300], selector[400];
    snprintf(path, sizeof(path), "%s/key", fx->dir);
    assert_ok(file_write_atomic(path, "first line \r\nsecond\n", 20, 0600, err));
    snprintf(selector, sizeof(selector), "all:file:%s", path);
    assert_ok(guest_keys_add(&keys, "/dev/sda2:key:with: colons:", err));
    assert_ok(guest_keys_add(&keys, selector, err));
    expect_key(&keys, 0, "/dev/sda2", "with: colons:");
    expect_key(&keys, 1, "all", "first line \r");
    guest_keys_free(&keys);
    assert_int_equal(keys.count, 0);
}

static void what_is_no_selector_is_refused_without_a_word_of_it(void **state)
{
    static const char *const bad[] = {"",        "x",          "x:",          ":key:hush",
                                      "x:hush",  "x:key",      "x:key:",      "x:file",
                                      "x:file:", "x:Key:hush", "x:pass:hush", "key:hush"};
    struct fixture *fx = *state;
    struct guest_keys keys = {0};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        _cleanup_error_ struct error *err = NULL;
        assert_int_equal(guest_keys_add(&keys, bad[i], &err), -EINVAL);
        assert_null(strstr(error_message(err), "hush"));
        assert_non_null(error_remedy(err));
    }
    assert_fails(EOPNOTSUPP, guest_keys_add(&keys, "all:clevis", err));
    assert_fails(ENOENT, guest_keys_add(&keys, "all:file:/nowhere/key", err));
    static const struct {
        const char *data;
        size_t size;
    } files[] = {{"", 0}, {"\nkey\n", 5}, {"a\0b\n", 4}};
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        char path[300], selector[400];
        snprintf(path, sizeof(path), "%s/key", fx->dir);
        assert_ok(file_write_atomic(path, files[i].data, files[i].size, 0600, err));
        snprintf(selector, sizeof(selector), "all:file:%s", path);
        assert_fails(EINVAL, guest_keys_add(&keys, selector, err));
    }
    assert_int_equal(keys.count, 0);
    guest_keys_free(&keys);
}

static void keys_fit_devices_by_any_of_their_names(void **state)
{
    static const char uuid[] = "98241221-f234-49a8-a42c-cc93d1d56a82";
    static const struct {
        const char *key, *device;
        bool fits;
    } cases[] = {
        {"all", "/dev/sda1", true},
        {"/dev/sda1", "/dev/sda1", true},
        {"/dev/sda1", "/dev/sda10", false},
        {"98241221-F234-49A8-A42C-CC93D1D56A82", "/dev/sda1", true},
        {"98241221", "/dev/sda1", false},
        {"", "/dev/sda1", false},
        {"/dev/mapper/vg-root", "/dev/vg/root", true},
        {"/dev/mapper/my--vg-my--root", "/dev/my-vg/my-root", true},
        {"/dev/mapper/my-vg-my--root", "/dev/my-vg/my-root", false},
        {"/dev/mapper/vg-root2", "/dev/vg/root", false},
        {"/dev/mapper/vg-roo", "/dev/vg/root", false},
        {"/dev/mapper/", "/dev/", true},
        {"/dev/mapper/x", "sda", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct guest_key key = {.device = (char *)cases[i].key};
        if (guest_key_fits(&key, cases[i].device, uuid) != cases[i].fits)
            fail_msg("%s for %s", cases[i].key, cases[i].device);
    }
    const struct guest_key empty = {.device = (char *)""};
    assert_false(guest_key_fits(&empty, "/dev/sda1", ""));
    assert_false(guest_key_fits(&empty, "/dev/sda1", NULL));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up_root, fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(selectors_are_read),
        TEST(what_is_no_selector_is_refused_without_a_word_of_it),
        TEST(keys_fit_devices_by_any_of_their_names),
    };
    return cmocka_run_group_tests_name("guest/keys", tests, NULL, NULL);
}
