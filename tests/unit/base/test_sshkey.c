/* SSH public keys: the forms that sshd takes, and the files that people mistake for them. */

#include <errno.h>
#include <string.h>

#include "base/sshkey.h"
#include "tests/unit/datasource/expect.h"

/* Made for these tests; their private halves are gone. */
#define ED25519 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGyUoPwXtszKx3QBKWnXiw41G71CxSIHljENPrAKhnTu"
#define RSA                                                                                        \
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC/8NSJAmQcAEMwZ01XGosHaD5+FWvas5uCC/nA/2wbFKtEoTM0od7/" \
    "p3G0JlozR3JoF6ko+lf+ObDa8pcre8j5mlTQ1prPuaLRWez41U67FSRYbw3UUpAs8MRxwdQ5kzO9ImN4oDB+F9UPXpGO" \
    "+1suPkJeu3RxAs1B4ZZBGLv90Q=="
#define ECDSA                                                                                      \
    "ecdsa-sha2-nistp256 "                                                                         \
    "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBLVnG3qZrBcLgOsPuMIFmXTYnp7pb6oAEVwvqVPB" \
    "KZ8Z3dBGMj4iQRmp4Hw8yBfS7qTXLLHcJVdgkSEufwACTRk="
#define SK_ED25519                                                                                 \
    "sk-ssh-ed25519@openssh.com "                                                                  \
    "AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2trAAAA" \
    "BHNzaDo="

static void sound_keys_pass(void **state)
{
    (void)state;
    static const char *const keys[] = {
        ED25519,
        ED25519 " you@host",
        ED25519 " a comment of several words \xc3\xa9",
        RSA " you@host",
        ECDSA,
        SK_ED25519 " token",
        "no-pty " RSA,
        "from=\"10.0.0.0/8\",command=\"echo \\\"a b\\\" ssh-rsa\"  " ED25519 " x",
        "cert-authority,principals=\"a,b\"\t" ECDSA,
    };
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        _cleanup_error_ struct error *err = NULL;
        expect_success(sshkey_check(keys[i], "k", &err), err);
    }
}

static void damaged_keys_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        const char *message;
    } cases[] = {
        {"", "no known key type"},
        {"hello world", "no known key type"},
        {"ssh-ed25519", "not valid base64"},
        {"ssh-ed25519 you@host", "not valid base64"},
        {"ssh-ed25519 AAAA=AAA", "not valid base64"},
        {"ssh-ed25519 A===", "not valid base64"},
        {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGyUoPwXtszKx3Q=", "cut short"},
        {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "cut short"},
        {"ssh-ed25519 /////3NzaC1lZDI1NTE5", "cut short"},
        {"ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIGyUoPwXtszKx3QBKWnXiw41G71CxSIHljENPrAKhnTu",
         "of another type"},
        {"ssh-rsa-cert-v01@openssh.com AAAAC3NzaC1lZDI1NTE5", "of another type"},
        {"command=\"open " ED25519, "quote in the options is not closed"},
        {"ssh-magic AAAA", "no known key type"},
        {ED25519 " \x1b[31m", "control characters"},
        {ED25519 " \xff", "no UTF-8"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error *err = NULL;
        int r = sshkey_check(cases[i].line, "k", &err);
        expect_refusal(r, -EINVAL, &err, cases[i].message, "ssh-ed25519 AAAAC3");
    }
}

static void a_file_may_hold_several_keys(void **state)
{
    const char *path = scratch_file(state, "keys",
                                    "# mine\n\n" ED25519 " a\r\n  " RSA " b  \n" ED25519 " a\n"
                                    "#" ECDSA "\n" ECDSA);
    _cleanup_strv_ struct strv keys = {0};
    _cleanup_error_ struct error *err = NULL;
    expect_success(sshkey_read(path, &keys, &err), err);
    assert_int_equal(keys.count, 3);
    assert_string_equal(keys.items[0], ED25519 " a");
    assert_string_equal(keys.items[1], RSA " b");
    assert_string_equal(keys.items[2], ECDSA);
    /* Given twice, a file adds nothing, and is no file without keys either. */
    expect_success(sshkey_read(path, &keys, &err), err);
    assert_int_equal(keys.count, 3);
}

static void other_files_are_refused_with_a_remedy(void **state)
{
    static const struct {
        const char *text;
        const char *message;
        const char *remedy;
    } cases[] = {
        {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n",
         "is a private key", "ssh-keygen -y -f"},
        {"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n", "is a private key", "public half"},
        {"-----BEGIN RSA PRIVATE KEY-----\n", "is a private key", ".pub"},
        {"PuTTY-User-Key-File-2: ssh-rsa\n", "is a private key", "public half"},
        {"-----BEGIN PUBLIC KEY-----\nMIGb\n", "is a PEM file", "ssh-keygen -i -m PKCS8 -f"},
        {"---- BEGIN SSH2 PUBLIC KEY ----\n", "SSH2", "ssh-keygen -i -f"},
        {"", "holds no key", "one line"},
        {"# nothing\n \n", "holds no key", "one line"},
        {"ssh-rsa AAAAB3Nz", "keys: the key is cut short", "one line"},
        {ED25519 "\nssh-rsa AAAAB3Nz\naC1yc2E=\n", "keys:2: the key is cut short", "one line"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_strv_ struct strv keys = {0};
        struct error *err = NULL;
        const char *path = scratch_file(state, "keys", cases[i].text);
        int r = sshkey_read(path, &keys, &err);
        expect_refusal(r, -EINVAL, &err, cases[i].message, cases[i].remedy);
    }
}

static void a_text_may_hold_several_keys(void **state)
{
    (void)state;
    _cleanup_strv_ struct strv keys = {0};
    struct error *err = NULL;
    expect_success(sshkey_read_text(ED25519 " a\n\n" RSA "\n" ED25519 " a", "t", &keys, &err), err);
    assert_int_equal(keys.count, 2);
    assert_string_equal(keys.items[0], ED25519 " a");
    assert_string_equal(keys.items[1], RSA);
    int r = sshkey_read_text("hello", "t", &keys, &err);
    expect_refusal(r, -EINVAL, &err, "t: is no OpenSSH public key", "one line");
    r = sshkey_read_text(ED25519 "\nhello\n", "t", &keys, &err);
    expect_refusal(r, -EINVAL, &err, "t:2: is no OpenSSH public key", "one line");
    r = sshkey_read_text("-----BEGIN OPENSSH PRIVATE KEY-----\n", "t", &keys, &err);
    expect_refusal(r, -EINVAL, &err, "t: is a private key", "FILE.pub");
}

/* Compares lines the way a caller does who has them inside of a file. */
static bool same(const char *a, const char *b)
{
    struct sshkey first;
    struct sshkey second;
    assert_true(sshkey_parse(a, strlen(a), &first));
    assert_true(sshkey_parse(b, strlen(b), &second));
    return sshkey_equal(&first, &second);
}

static void comments_do_not_tell_keys_apart(void **state)
{
    (void)state;
    assert_true(same(ED25519, " " ED25519 "\tyou@host \xff\x1b"));
    assert_true(same("from=\"a b\"  " RSA, "from=\"a b\" " RSA " x"));
    assert_false(same("from=\"a b\" " RSA, "from=\"a c\" " RSA));
    assert_false(same("no-pty " RSA, RSA));
    assert_false(same(ED25519, ECDSA));
}

static void lines_end_where_their_length_says(void **state)
{
    (void)state;
    static const char line[] = "command=\"a \0 b\" " ED25519 " \0 x";
    struct sshkey key;
    assert_true(sshkey_parse(line, sizeof(line) - 1, &key));
    assert_int_equal(key.options_length, strlen("command=\"a . b\""));
    assert_int_equal(key.blob_length, 68);
    /* Each beginning of a line in a buffer of just that size, for the sanitizer's eyes. */
    static const char whole[] = "no-pty,command=\"\\\"\" " ED25519;
    for (size_t length = 1; length < sizeof(whole) - 1; length++) {
        _cleanup_free_ char *part = malloc(length);
        assert_non_null(part);
        memcpy(part, whole, length);
        assert_false(sshkey_parse(part, length, &key));
    }
    assert_false(sshkey_parse("", 0, &key));
}

static void unreadable_files_are_named(void **state)
{
    struct scratch *scratch = *state;
    _cleanup_strv_ struct strv keys = {0};
    struct error *err = NULL;
    int r = sshkey_read("/nonexistent/id.pub", &keys, &err);
    expect_refusal(r, -ENOENT, &err, "/nonexistent/id.pub", NULL);
    r = sshkey_read(scratch->dir, &keys, &err);
    expect_refusal(r, -EISDIR, &err, "is a directory", NULL);
    r = sshkey_read("/dev/zero", &keys, &err);
    expect_refusal(r, -EFBIG, &err, "/dev/zero", NULL);
    const char *path = scratch_bytes(state, "binary", "ssh\0rsa", 7);
    r = sshkey_read(path, &keys, &err);
    expect_refusal(r, -EINVAL, &err, "is a binary file", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_keys_pass),
        cmocka_unit_test(damaged_keys_are_refused),
        scratch_test(a_file_may_hold_several_keys),
        cmocka_unit_test(a_text_may_hold_several_keys),
        cmocka_unit_test(comments_do_not_tell_keys_apart),
        cmocka_unit_test(lines_end_where_their_length_says),
        scratch_test(other_files_are_refused_with_a_remedy),
        scratch_test(unreadable_files_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
