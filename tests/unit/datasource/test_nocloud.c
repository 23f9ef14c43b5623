/* Seeds: what is composed from which input, and what cloud-init would have ignored in silence. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "datasource/nocloud.h"
#include "tests/unit/datasource/expect.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGyUoPwXtszKx3QBKWnXiw41G71CxSIHljENPrAKhnTu"

static struct nocloud_seed compose(const struct nocloud_options *options)
{
    struct nocloud_seed seed = {0};
    _cleanup_error_ struct error *err = NULL;
    int r = nocloud_compose(options, &seed, &err);
    expect_success(r, err);
    return seed;
}

static void refuse(const struct nocloud_options *options, int wanted, const char *message,
                   const char *remedy)
{
    struct nocloud_seed seed = {0};
    struct error *err = NULL;
    int r = nocloud_compose(options, &seed, &err);
    assert_null(seed.user_data.data);
    expect_refusal(r, wanted, &err, message, remedy);
}

static void nothing_given_makes_a_seed_with_a_fresh_id(void **state)
{
    (void)state;
    unsetenv("SOURCE_DATE_EPOCH");
    struct nocloud_options options = {0};
    _cleanup_nocloud_seed_ struct nocloud_seed one = compose(&options);
    _cleanup_nocloud_seed_ struct nocloud_seed two = compose(&options);
    assert_string_equal(one.user_data.data, "#cloud-config\n{}\n");
    assert_int_equal(strlen(one.instance_id), strlen("iid-") + 32);
    assert_true(str_starts(one.instance_id, "iid-"));
    assert_string_not_equal(one.instance_id, two.instance_id);
    _cleanup_free_ char *wanted = str_printf(NULL, "instance-id: \"%s\"\n", one.instance_id);
    assert_string_equal(one.meta_data.data, wanted);
    assert_null(one.network_config.data);
    assert_null(one.vendor_data.data);
    assert_null(one.hostname);
}

static void under_a_build_date_equal_input_gives_an_equal_id(void **state)
{
    setenv("SOURCE_DATE_EPOCH", "1700000000", 1);
    const char *path = scratch_file(state, "user-data", "#!/bin/sh\n");
    struct nocloud_options options = {.user_data = path, .hostname = "a"};
    _cleanup_nocloud_seed_ struct nocloud_seed one = compose(&options);
    _cleanup_nocloud_seed_ struct nocloud_seed same = compose(&options);
    assert_string_equal(one.instance_id, same.instance_id);
    assert_string_equal(one.meta_data.data, same.meta_data.data);
    options.hostname = "b";
    _cleanup_nocloud_seed_ struct nocloud_seed renamed = compose(&options);
    assert_string_not_equal(one.instance_id, renamed.instance_id);
    options.hostname = "a";
    options.vendor_data = path;
    _cleanup_nocloud_seed_ struct nocloud_seed extended = compose(&options);
    assert_string_not_equal(one.instance_id, extended.instance_id);
    unsetenv("SOURCE_DATE_EPOCH");
}

static void options_complete_the_meta_data(void **state)
{
    struct nocloud_options options = {
        .meta_data =
            scratch_file(state, "meta-data", "# mine\nlocal-hostname: old # was\nx: [1,\n2]"),
        .hostname = "web1.example.com",
        .instance_id = "i-42",
    };
    assert_int_equal(strv_add(&options.ssh_keys, KEY " a \"b\" \\", NULL), 0);
    assert_int_equal(strv_add(&options.ssh_keys, KEY, NULL), 0);
    _cleanup_nocloud_seed_ struct nocloud_seed seed = compose(&options);
    assert_string_equal(seed.meta_data.data,
                        "# mine\n"
                        "instance-id: \"i-42\"\n"
                        "public-keys: [\"" KEY " a \\\"b\\\" \\\\\", \"" KEY "\"]\n"
                        "local-hostname: \"web1.example.com\" # was\nx: [1,\n2]");
    assert_string_equal(seed.instance_id, "i-42");
    assert_string_equal(seed.hostname, "web1.example.com");
    strv_free(&options.ssh_keys);
}

static void complete_meta_data_stays_as_it_is(void **state)
{
    static const char text[] = "{\r\n  \"instance-id\": 42,\r\n  \"local-hostname\": \"web1\"\r\n}";
    struct nocloud_options options = {.meta_data = scratch_file(state, "meta-data", text)};
    _cleanup_nocloud_seed_ struct nocloud_seed seed = compose(&options);
    assert_string_equal(seed.meta_data.data, text);
    assert_string_equal(seed.instance_id, "42");
    assert_string_equal(seed.hostname, "web1");
}

static void the_instance_id_is_what_the_guest_uses(void **state)
{
    static const char *const cases[][2] = {
        {"instance-id: 0123\n", "83"},
        {"instance-id: yes\n", "True"},
        {"instance-id: 1.10\n", "1.1"},
        {"instance-id: '0123'\n", "0123"},
        {"instance-id: 2026-01-02\n", "2026-01-02"},
        {"a: &x i-1\ninstance-id: *x\n", "i-1"},
        {"<<: {instance-id: i-2}\n", "i-2"},
        {"instance-id: i-1\ninstance-id: i-2\n", "i-2"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct nocloud_options options = {.meta_data =
                                              scratch_file(state, "meta-data", cases[i][0])};
        _cleanup_nocloud_seed_ struct nocloud_seed seed = compose(&options);
        assert_string_equal(seed.instance_id, cases[i][1]);
        assert_string_equal(seed.meta_data.data, cases[i][0]);
    }
}

static void an_empty_instance_id_is_filled_in(void **state)
{
    struct nocloud_options options = {.meta_data =
                                          scratch_file(state, "meta-data", "instance-id:\na: b\n")};
    _cleanup_nocloud_seed_ struct nocloud_seed seed = compose(&options);
    assert_true(str_starts(seed.instance_id, "iid-"));
    assert_true(str_starts(seed.meta_data.data, "instance-id: \"iid-"));
}

static void meta_data_that_cannot_serve_is_refused(void **state)
{
    struct nocloud_options options = {0};
    options.meta_data = scratch_file(state, "meta-data", "- a\n");
    refuse(&options, -EINVAL, "meta-data:1:1: a mapping (key: value) is expected", NULL);
    options.meta_data = scratch_file(state, "meta-data", "instance-id: [a]\n");
    refuse(&options, -EINVAL, "'instance-id' must be a plain value", NULL);
    options.meta_data = scratch_file(state, "meta-data", "a: [\n");
    refuse(&options, -EINVAL, "meta-data:2:1: ", NULL);
    static const struct {
        const char *text;
        const char *message;
    } names[] = {
        {"local-hostname: 12345\n", "meta-data:1:17: 'local-hostname' is a number"},
        {"local-hostname: on\n", "'local-hostname' is a boolean"},
        {"local-hostname: 12:30\n", "'local-hostname' is a number"},
        {"local-hostname: 10.0.0.5\n", "'local-hostname' is the IP address '10.0.0.5'"},
        {"local-hostname: 'fe80::1'\n", "'local-hostname' is the IP address 'fe80::1'"},
        {"\x1f\x8b\x08", "is compressed, and cloud-init would drop the whole seed"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        options.meta_data = scratch_file(state, "meta-data", names[i].text);
        refuse(&options, -EINVAL, names[i].message, NULL);
    }
    options.meta_data = scratch_file(state, "meta-data", "public-keys: [x]\n");
    assert_int_equal(strv_add(&options.ssh_keys, KEY, NULL), 0);
    refuse(&options, -EEXIST, "has public-keys of its own", "add the keys there");
    strv_free(&options.ssh_keys);
}

static void every_form_of_user_data_passes_unchanged(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } forms[] = {
#define FORM(text) {text, sizeof(text) - 1}
        FORM(""),
        FORM("\n \n"),
        FORM("#cloud-config\n"),
        FORM("#cloud-config\r\npackages:\r\n  - vim\r\n"),
        FORM("#Cloud-Config\npackages: [vim]\n"),
        FORM("#cloud-config-archive\n- a\n- content: b\n"),
        FORM("#cloud-config-jsonp\n[{\"op\": \"add\"}]\n"),
        FORM("#!/bin/sh\necho 'a: [b'\n"),
        FORM("#include\nhttp://example.com/x\n"),
        FORM("#include-once http://example.com/x\n"),
        FORM("#part-handler\ndef list_types():\n"),
        FORM("#cloud-boothook\n#!/bin/sh\n"),
        FORM("## template: jinja\n#cloud-config\n{% if a %}\nb: {{ c }}\n{% endif %}\n"),
        FORM("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x--\n"),
        FORM("Content-Type: multipart/mixed; boundary=x\nMIME-Version: 1.0\n\n--x--\n"),
        FORM("\x1f\x8b\x08\0\0\0\0\0\0\xff binary"),
        FORM("#ps1_sysnative\nWrite-Host\n"),
        FORM("rem cmd\r\ndir\r\n"),
#undef FORM
    };
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        const char *path = scratch_bytes(state, "user-data", forms[i].bytes, forms[i].size);
        struct nocloud_options options = {.user_data = path, .vendor_data = path};
        _cleanup_nocloud_seed_ struct nocloud_seed seed = compose(&options);
        assert_int_equal(seed.user_data.size, forms[i].size);
        assert_memory_equal(seed.user_data.data, forms[i].bytes, forms[i].size);
        assert_int_equal(seed.vendor_data.size, forms[i].size);
    }
}

static void user_data_that_would_be_ignored_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
        const char *remedy;
    } cases[] = {
        {"# cloud-config\na: b\n", "begins with '# cloud-config'",
         "'#cloud-config', without a space"},
        {"#cloud_config\n", "begins with '#cloud_config'", "'#cloud-config'"},
        {"cloud-config:\n", "would ignore the whole file", "'#cloud-config'"},
        {"\n## template: jinja\n#cloud-config\n", "must be the very start", "blank lines"},
        {"\n#cloud-boothook\n#!/bin/sh\n", "'#cloud-boothook' must be the very start", NULL},
        {" #!/bin/sh\n", "'#!' must be the very start", "blank lines"},
        {"\xef\xbb\xbf#cloud-config\n", "byte order mark", "without BOM"},
        {"packages: [vim]\n", "its first line is of no form that cloud-init knows",
         "#cloud-config"},
        {"echo hello\n", "of no form that cloud-init knows", "#!/bin/sh"},
        {"Content-Type: multipart/mixed; boundary=x\n\n", "of no form that cloud-init knows", NULL},
        {"#cloud-config\na: [1,\nb: 2\n", "user-data:4:1: ", "line 2"},
        {"#cloud-config\n- a\n", "user-data:2:1: a mapping (key: value) is expected here", NULL},
        {"#cloud-config\njust words\n", "user-data:2:1: a mapping", NULL},
        {"#cloud-config-archive\na: b\n", "a list (- item) is expected here", NULL},
        {"#cloud-config\na: 1\n---\nb: 2\n", "user-data:3:1: a second document", NULL},
        {"#cloud-config\nruncmd:\n\t- ls\n", "user-data:3:1: ", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *path = scratch_file(state, "user-data", cases[i].text);
        struct nocloud_options options = {.user_data = path};
        refuse(&options, -EINVAL, cases[i].message, cases[i].remedy);
        options = (struct nocloud_options){.vendor_data = path};
        refuse(&options, -EINVAL, cases[i].message, cases[i].remedy);
    }
}

static void network_config_of_both_versions_passes(void **state)
{
    static const char *const texts[] = {
        "version: 2\nethernets: {any: {match: {name: \"en*\"}, dhcp4: true}}\n",
        "version: 1\nconfig:\n  - type: physical\n    name: eth0\n",
        "network:\n  version: 2\n  ethernets: {eth0: {dhcp4: true}}\n",
        "{\"version\": 2, \"ethernets\": {\"eth0\": {\"dhcp4\": true}}}",
        "network: {config: disabled}\n",
        "config: disabled\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *path = scratch_file(state, "network-config", texts[i]);
        struct nocloud_options options = {.network_config = path};
        _cleanup_nocloud_seed_ struct nocloud_seed seed = compose(&options);
        assert_string_equal(seed.network_config.data, texts[i]);
    }
}

static void other_network_config_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *message;
        const char *remedy;
    } cases[] = {
        {"", "neither 'version' nor 'network'", "left out"},
        {"ethernets: {}\n", "neither 'version' nor 'network'", "version: 2"},
        {"version: 3\n", "'version: 3' of network-config is not known", "version: 2"},
        {"network: on\n", "1:10: 'network' is a boolean and not a mapping", "DHCP"},
        {"network:\n  a: b\n", "2:3: 'network' has no 'version'", "version: 2"},
        {"version: \"2\"\n", "1:10: 'version' is the text '2'", "without quotes"},
        {"version: 2\n", "1:1: version 2 names no device", "DHCP"},
        {"version: 2\nethernets: {}\n", "names no device", NULL},
        {"version: 2\nethernets:\n", "2:11: 'ethernets' is null", NULL},
        {"version: 2\nethernet: {}\n", "2:1: 'ethernet' is no section of version 2", NULL},
        {"version: 2\nethernets: {a: {match: {macaddress: 52:54:00:12:34:56}}}\n",
         "2:37: the MAC address 52:54:00:12:34:56 is a number", "quotes"},
        {"version: 2\nethernets: {a: {addresses: [10.0.0.300/24]}}\n", "is no IP address", NULL},
        {"version: 2\nvlans: {a: {id: 5}}\n", "2:12: the VLAN 'a' needs 'id'", NULL},
        {"version: 1\n", "1:1: version 1 has no list of settings under 'config'", NULL},
        {"version: 1\nconfig: []\n", "2:9: 'config' sets up no device", NULL},
        {"version: 1\nconfig: [{type: ether}]\n", "2:17: 'ether' is no type", NULL},
        {"\x1f\x8b\x08", "is compressed, and cloud-init would drop the whole seed", "decompress"},
        {"- a\n", "network-config:1:1: a mapping", NULL},
        {"version: 2\n bad: x\n", "network-config:2:5: ", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct nocloud_options options = {.network_config =
                                              scratch_file(state, "network-config", cases[i].text)};
        refuse(&options, -EINVAL, cases[i].message, cases[i].remedy);
    }
}

static void host_names_and_ids_are_checked(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "web1", "WEB-1", "1.2.3", "a.b-c.example"};
    static const char *const bad[] = {"",   ".",   "a.",  ".a",  "a..b",     "-a",
                                      "a-", "a_b", "a b", "a/b", "\xc3\xa9", "a\n"};
    static const char *const addresses[] = {"10.0.0.5", "255.255.255.255", "::1", "fe80::1"};
    static const char *const bad_ids[] = {"",    ".",   "..",  ".hidden",
                                          "a/b", "a b", "a\n", "\xc3\xa9"};
    char long_label[65], long_name[260];
    for (size_t i = 0; i < ARRAY_SIZE(good); i++)
        assert_int_equal(nocloud_check_hostname(good[i], NULL), 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct error *err = NULL;
        int r = nocloud_check_hostname(bad[i], &err);
        expect_refusal(r, -EINVAL, &err, "is not a valid host name", "letters, digits");
    }
    for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
        struct error *err = NULL;
        int r = nocloud_check_hostname(addresses[i], &err);
        expect_refusal(r, -EINVAL, &err, "is an IP address and not a host name", "like web1");
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad_ids); i++) {
        struct nocloud_options options = {.instance_id = bad_ids[i]};
        refuse(&options, -EINVAL, "is not a valid instance-id", "without blanks and slashes");
    }
    memset(long_label, 'a', 64);
    long_label[64] = '\0';
    assert_int_equal(nocloud_check_hostname(long_label, NULL), -EINVAL);
    assert_int_equal(nocloud_check_hostname(long_label + 1, NULL), 0);
    for (size_t i = 0; i < 254; i++)
        long_name[i] = i % 2 ? '.' : 'a';
    long_name[254] = '\0';
    assert_int_equal(nocloud_check_hostname(long_name + 1, NULL), -EINVAL);
    long_name[253] = '\0';
    assert_int_equal(nocloud_check_hostname(long_name, NULL), 0);
    assert_int_equal(nocloud_check_instance_id("i-0123:abc~", NULL), 0);
}

static void files_that_cannot_be_read_are_named(void **state)
{
    struct scratch *scratch = *state;
    struct nocloud_options options = {.user_data = "/nonexistent/u.yaml"};
    refuse(&options, -ENOENT, "user-data: /nonexistent/u.yaml", NULL);
    options = (struct nocloud_options){.network_config = scratch->dir};
    refuse(&options, -EISDIR, "is a directory", NULL);
    options = (struct nocloud_options){.user_data = "-", .meta_data = "-"};
    refuse(&options, -EINVAL, "standard input", NULL);
    const char *path = scratch_file(state, "user-data", "#!/bin/sh\n");
    assert_int_equal(truncate(path, 16 * 1024 * 1024 + 1), 0);
    options = (struct nocloud_options){.user_data = path};
    refuse(&options, -EFBIG, "16777216 bytes", "fetch large data from within the guest");
}

static void a_full_disk_is_told(void **state)
{
    (void)state;
    struct nocloud_options options = {0};
    _cleanup_nocloud_seed_ struct nocloud_seed seed = compose(&options);
    _cleanup_close_ int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct error *err = NULL;
    int r = nocloud_write_iso(&seed, fd, "seed.iso", &err);
    expect_refusal(r, -ENOSPC, &err, "seed.iso: cannot write", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_given_makes_a_seed_with_a_fresh_id),
        scratch_test(under_a_build_date_equal_input_gives_an_equal_id),
        scratch_test(options_complete_the_meta_data),
        scratch_test(complete_meta_data_stays_as_it_is),
        scratch_test(the_instance_id_is_what_the_guest_uses),
        scratch_test(an_empty_instance_id_is_filled_in),
        scratch_test(meta_data_that_cannot_serve_is_refused),
        scratch_test(every_form_of_user_data_passes_unchanged),
        scratch_test(user_data_that_would_be_ignored_is_refused),
        scratch_test(network_config_of_both_versions_passes),
        scratch_test(other_network_config_is_refused),
        cmocka_unit_test(host_names_and_ids_are_checked),
        scratch_test(files_that_cannot_be_read_are_named),
        cmocka_unit_test(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
