/* What cloud-init drops or changes within documents: the warnings, and what parts are refused for.
 */

#include <errno.h>
#include <string.h>

#include "datasource/nocloud.h"
#include "tests/unit/datasource/expect.h"

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGyUoPwXtszKx3QBKWnXiw41G71CxSIHljENPrAKhnTu"

struct listener {
    struct reporter reporter;
    struct str said;
};

static void listen_to(struct reporter *reporter, enum report_level level, const char *text)
{
    struct listener *listener = (struct listener *)reporter;
    assert_int_equal(level, REPORT_WARNING);
    str_appendf(&listener->said, "%s\n", text);
}

/* Composes, and checks for a warning (NULL: none) or, where `r` is not 0, the refusal. */
static void expect_composed(struct nocloud_options *options, int r, const char *message)
{
    struct listener listener = {.reporter.message = listen_to};
    _cleanup_nocloud_seed_ struct nocloud_seed seed = {0};
    struct error *err = NULL;
    options->reporter = &listener.reporter;
    int got = nocloud_compose(options, &seed, &err);
    if (r < 0) {
        expect_refusal(got, r, &err, message, NULL);
    } else {
        expect_success(got, err);
        const char *said = listener.said.data ? listener.said.data : "";
        if (message ? !strstr(said, message) : *said)
            fail_msg("'%s' was said, not '%s'", said, message ? message : "");
    }
    str_free(&listener.said);
}

struct expected {
    const char *text;
    int r;
    const char *message;
};

static void user_data_is_checked_within(void **state)
{
    static const struct expected cases[] = {
        {"", 0, NULL},
        {"\n", 0, "has only blanks"},
        {"#cloud-config\n", 0, "is a cloud-config without settings"},
        {"#cloud-config\n{}\n", 0, NULL},
        {"\n#cloud-config\na: b\n", 0, "blanks stand before '#cloud-config'"},
        {"\n#include http://h/x\n", 0, "blanks stand before '#include'"},
        {" #include http://h/x\n", -EINVAL, "'#include' must be the very start"},
        {" #cloud-config\na: b\n", 0, "blanks stand before '#cloud-config'"},
        {"\x1f\x8b\x08", 0, "is compressed, and was not checked"},
        {"#cloud-config\na: 1\na: 2\n", 0, "user-data:3:1: the key 'a' is given a second time"},
        {"#cloud-config\nhostname: 12345\n", -EINVAL, "user-data:2:11: 'hostname' is a number"},
        {"#cloud-config\nfqdn: 10.0.0.5\n", -EINVAL, "'fqdn' is the IP address '10.0.0.5'"},
        {"#cloud-config\nhostname: a_b\n", 0, "'a_b', which is not a valid host name"},
        {"#cloud-config\nhostname: web1.example.org\n", 0, NULL},
        {"#cloud-config\non: x\n", 0, "user-data:2:1: the key 'on' is a boolean"},
        {"#cloud-config\nmerge_how: list(append)\n", -EINVAL, "2:12: no merger is one of mappings"},
        {"#cloud-config\nmerge_how: list(append)+Dict(replace)\n", 0, NULL},
        {"#cloud-config\nmerge_how: dict\n", -EINVAL, "2:12: is no list of mergers"},
        {"#cloud-config\nmerge_how: map()\n", -EINVAL, "is no list of mergers"},
        {"#cloud-config\nmerge_type: str()\n", -EINVAL, "no merger is one of mappings"},
        {"#cloud-config\nmerge_how: [{name: list, settings: [append]}]\n", -EINVAL, "no merger is"},
        {"#cloud-config\nmerge_how: [{name: dict, settings: [replace]}]\n", 0, NULL},
        {"#cloud-config\nmerge_how: [[dict, replace], [list]]\n", 0, NULL},
        {"#cloud-config\nmerge_how:\n", 0, NULL},
        {"#!/bin/sh\necho caf\xe9\n", -EINVAL, "user-data: holds bytes that are not UTF-8"},
        {"#!/bin/sh\necho caf\xc3\xa9\n", 0, NULL},
        {"#include\n", 0, "includes nothing"},
        {"#include http://h/x\n", 0, NULL},
        {"#include-once\n# c\n\nhttp://h/x\n", 0, NULL},
        {"#cloud-config-jsonp\n[{\"op\": \"add\", \"path\": \"/a\", \"value\": 1}]\n", 0, NULL},
        {"#cloud-config-jsonp\n[\n\t{\"op\": \"remove\", \"path\": \"/a\"}\n]\n", 0, NULL},
        {"#cloud-config-jsonp\n[{\"op\": \"add\"}]\n", 0, "is no list of JSON patch operations"},
        {"#cloud-config-jsonp\n{a\n", 0, "is no list of JSON patch operations"},
        {"## template: jinja\na: b\n", 0, "drops what the template makes"},
        {"## template: jinja\n{% if a %}#cloud-config{% endif %}\n", 0, NULL},
        {"## template: jinja2\n", -EINVAL, "names no template language"},
        {"#cloud-config-archive\n- a\n", 0, "user-data: item 1:1:1: a mapping (key: value) is"},
        {"#cloud-config-archive\n- [a]\n", 0, "user-data:2:3: is a list, no text"},
        {"#cloud-config-archive\n- {content: 5}\n", -EINVAL, "user-data:2:13: the value must be"},
        {"#cloud-config-archive\n- {content: a, type: x}\n", -EINVAL, "'type' is no type"},
        {"#cloud-config-archive\n- {content: \"#!/bin/sh\", filename: a}\n"
         "- {content: \"#!/bin/sh\", filename: a}\n",
         0, "user-data: item 2: a script before it has the file name 'a'"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *path = scratch_file(state, "user-data", cases[i].text);
        struct nocloud_options options = {.user_data = path, .instance_id = "i"};
        expect_composed(&options, cases[i].r, cases[i].message);
        options = (struct nocloud_options){.vendor_data = path, .instance_id = "i"};
        expect_composed(&options, cases[i].r, cases[i].message);
    }
}

#define MIME(boundary, rest)                                                                       \
    "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=" boundary "\n\n" rest

static void mime_archives_are_taken_apart(void **state)
{
    static const struct expected cases[] = {
        {MIME("X", "--X\nContent-Type: text/cloud-config\n\na: b\n--X--\n"), 0, NULL},
        {MIME("\"X y\"", "--X y\nContent-Type: text/cloud-config\n\na: b\n--X y--\n"), 0, NULL},
        {MIME("X", "X\nContent-Type: text/cloud-config\n\na: b\nX--\n"), -EINVAL,
         "user-data: no line is '--X'"},
        {MIME("X", "-X\n\na: b\n-X--\n"), -EINVAL, "no line is '--X'"},
        {MIME("X", "--Xy\n\na: b\n"), -EINVAL, "no line is '--X'"},
        {"MIME-Version: 1.0\nContent-Type: multipart/mixed\n\n--X\n\na\n", -EINVAL,
         "names no boundary"},
        {MIME("X", "--X\n\n#!/bin/sh\n# \xe9\n--X--\n"), -EINVAL,
         "user-data: is a MIME archive with bytes that are not UTF-8"},
        {MIME("X", "--X\nContent-Transfer-Encoding: base64\n\nIyEvYmluL3NoCmVjaG8g6Qo=\n--X--\n"),
         -EINVAL, "user-data: part 1: holds bytes that are not UTF-8"},
        {MIME("X", "--X--\n"), 0, "is a MIME archive without parts"},
        {MIME("X", "--X\nContent-Type: text/yaml\n\na: b\n--X--\n"), 0,
         "user-data: part 1: nothing in cloud-init handles parts of the type text/yaml"},
        {MIME("X", "--X\n\n#!/bin/sh\n--X\n\nwords\n"), 0, "part 2: nothing in cloud-init handles"},
        {MIME("X", "--X\nContent-Type: text/x-shellscript\n\necho\n--X--\n"), -EINVAL,
         "part 1: is a script whose first line does not begin with '#!'"},
        {MIME("X", "--X\nContent-Type: text/cloud-config\n\na: {{ b }}\n--X--\n"), -EINVAL,
         "user-data: part 1:1:5: a mapping stands where only a plain key may"},
        {MIME("X", "--X\nContent-Type: text/cloud-config\nContent-Transfer-Encoding: base64\n\n"
                   "YToge3sgYiB9fQo=\n--X--\n"),
         -EINVAL, "user-data: part 1:1:5: a mapping stands"},
        {MIME("X", "--X\nContent-Type: text/cloud-config\n"
                   "Content-Transfer-Encoding: Quoted-Printable\n\na=3A =7B=7Bb=7D=7D\n--X--\n"),
         -EINVAL, "user-data: part 1:1:5: a mapping stands"},
        {MIME("X", "--X\nContent-Type: application/x-gzip\n\nabc\n--X--\n"), 0,
         "part 1: is compressed, and was not checked"},
        {MIME("X", "--X\nContent-Type: multipart/mixed; boundary=Y\n\n--Y\n"
                   "Content-Type: text/yaml\n\na\n--Y--\n--X--\n"),
         0, "part 1: nothing in cloud-init handles"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct nocloud_options options = {
            .user_data = scratch_file(state, "user-data", cases[i].text), .instance_id = "i"};
        expect_composed(&options, cases[i].r, cases[i].message);
    }
}

static void keys_that_let_in_nobody_are_refused(void **state)
{
    static const char refusal[] = "'users' does not list 'default', so that the SSH keys";
    static const struct expected cases[] = {
        {"#cloud-config\npackages: [vim]\n", 0, NULL},
        {"#cloud-config\nusers:\n  - name: ann\n", -EINVAL, "user-data:3:3: 'users' does not list"},
        {"#cloud-config\nusers: []\n", -EINVAL, refusal},
        {"#cloud-config\nusers: [ann]\n", -EINVAL, refusal},
        {"#cloud-config\nusers: [default, ann]\n", 0, NULL},
        {"#cloud-config\nusers: ['ann, default']\n", 0, NULL},
        {"#cloud-config\nusers: ann,default\n", 0, NULL},
        {"#cloud-config\nusers: ann\n", -EINVAL, refusal},
        {"#cloud-config\nusers: [{name: default}]\n", 0, NULL},
        {"#cloud-config\nusers: [{shell: /bin/sh}]\n", 0, NULL},
        {"#cloud-config\nusers: {default: true, ann: {}}\n", 0, NULL},
        {"#cloud-config\nusers: {ann: {}}\n", -EINVAL, refusal},
        {"#cloud-config\nuser: ann\nusers: [bob]\n", 0, NULL},
        {"#cloud-config\nusers: [ann]\ndisable_root: false\n", 0, "let in root only"},
        {"#cloud-config-archive\n- \"#cloud-config\\nusers: [ann]\"\n", -EINVAL, refusal},
        {MIME("X", "--X\nContent-Type: text/cloud-config\n\nusers: [ann]\n--X\n"
                   "Content-Type: text/cloud-config\n\nusers: [default]\n--X--\n"),
         0, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct nocloud_options options = {
            .user_data = scratch_file(state, "user-data", cases[i].text), .instance_id = "i"};
        assert_int_equal(strv_add(&options.ssh_keys, KEY, NULL), 0);
        expect_composed(&options, cases[i].r, cases[i].message);
        strv_free(&options.ssh_keys);
    }
    struct nocloud_options options = {
        .user_data = scratch_file(state, "user-data",
                                  "#cloud-config\nusers: [ann]\nssh_authorized_keys: [k]\n"),
        .instance_id = "i"};
    expect_composed(&options, 0, "let in nobody");
}

static void meta_data_that_is_not_read_is_told(void **state)
{
    static const struct expected cases[] = {
        {"local-hostname: web1\npublic-keys: [a, b]\n", 0, NULL},
        {"hostname: web1\n", 0, "does not read 'hostname' in the meta-data of NoCloud, but"},
        {"instance_id: i\n", 0, "does not read 'instance_id'"},
        {"public_keys: [a]\n", 0, "does not read 'public_keys'"},
        {"public-keys: {a: {openssh-key: k}}\n", 0, "does not read all of 'public-keys'"},
        {"public-keys: {a: k, b: [k]}\n", 0, NULL},
        {"public-keys: |\n  a\n  b\n", 0, NULL},
        {"local-hostname:\n", 0, NULL},
        {"seedfrom: http://h/x\n", 0, "meta-data:1:11: cloud-init reads user-data and vendor-data"},
        {"seedfrom: h/x\n", -EINVAL, "1:11: 'seedfrom' is neither a path nor a URL"},
        {"seedfrom: 5\n", -EINVAL, "'seedfrom' is neither"},
        {"dsmode: local\n", 0, NULL},
        {"dsmode: disabled\n", 0, "passes over the whole seed"},
        {"dsmode: network\n", 0, "is none of local, net and disabled"},
        {"yes: a\n", 0, "1:1: the key 'yes' is a boolean"},
        {"local-hostname: a_b\n", 0, "'a_b', which is not a valid host name"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct nocloud_options options = {
            .meta_data = scratch_file(state, "meta-data", cases[i].text), .instance_id = "i"};
        expect_composed(&options, cases[i].r, cases[i].message);
    }
    struct nocloud_options options = {.meta_data =
                                          scratch_file(state, "meta-data", "instance-id: yes\n")};
    expect_composed(&options, 0, "meta-data:1:14: the instance-id 'yes' is 'True'");
}

static void what_renderers_lose_names_them(void **state)
{
#define ETH(text) "version: 2\nethernets:\n  eth0: " text "\n"
    static const char others[] = "(eni, sysconfig, network-manager and networkd)";
    static const struct expected cases[] = {
        {ETH("{dhcp4: true}"), 0, NULL},
        {ETH("{dhcp4: true, optional: true}"), 0, others},
        {ETH("{dhcp4: true, dhpc6: true}"), 0, "3:23: 'dhpc6' is no setting of 'eth0': netplan"},
        {ETH("{dhcp4: true, match: {name: 'en*'}}"), 0, "3:37: eth0: 'name' of 'match'"},
        {ETH("{dhcp4: true, set-name: lan}"), 0, "netplan refuses the whole file"},
        {ETH("{dhcp4: 'no'}"), 0, "take for true"},
        {ETH("{dhcp4: false}"), 0, "network-manager uses DHCP all the same"},
        {ETH("{addresses: [10.0.0.1]}"), 0, "take /24"},
        {ETH("{addresses: ['fe80::1']}"), 0, "take /64"},
        {ETH("{addresses: [10.0.0.1/8], routes: [{to: default, via: 10.0.0.2}]}"), 0,
         "set up no network"},
        {ETH("{addresses: [10.0.0.1/8], routes: [{to: 11.0.0.0/8, via: 10.0.0.2, metric: 1}]}"), 0,
         "metric is lost"},
        {ETH("{dhcp4: true, nameservers: {addresses: [10.0.0.1]}}"), 0,
         "lost by eni and network-manager"},
        {"version: 2\nbonds: {b: {interfaces: [a], dhcp4: true}}\n", 0, "lost by networkd"},
        {"version: 2\nbridges: {b: {dhcp4: true}}\n", 0, "missing 'interfaces'"},
        {"version: 2\nethernets: {a: {dhcp4: true}}\ntunnels: {}\n", 0, "over 'tunnels'"},
        {"version: 1\nconfig: [{type: vlan, name: a, vlan_id: 5, vlan_link: b}]\n", 0,
         "lost by networkd"},
        {"version: 1\nconfig: [{type: physical, name: a}, {type: bond}]\n", 0,
         "without 'name' is skipped"},
        {"network: {version: 2, ethernets: {a: {dhcp4: true}}}\nversion: 2\n", 0,
         "2:1: cloud-init reads nothing beside 'network'"},
    };
#undef ETH
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct nocloud_options options = {.network_config =
                                              scratch_file(state, "network-config", cases[i].text),
                                          .instance_id = "i"};
        expect_composed(&options, cases[i].r, cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(user_data_is_checked_within),
        scratch_test(mime_archives_are_taken_apart),
        scratch_test(keys_that_let_in_nobody_are_refused),
        scratch_test(meta_data_that_is_not_read_is_told),
        scratch_test(what_renderers_lose_names_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
