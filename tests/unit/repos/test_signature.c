/* Signatures: only the repository's own key counts, and only what it signed is believed. */

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "repos/signature.h"
#include "tests/unit/repos/world.h"

#define TEXT "[a]\narch=x86_64\nfile=a.xz\nsize=1\n"

static void make_key(struct world *world, const char *name)
{
    _cleanup_free_ char *address = str_printf(NULL, "%s@example.org", name);
    free(GPG(world, NULL, "--quick-gen-key", address, "ed25519", "sign", "never"));
}

static char *export_key(struct world *world, const char *name, bool armored)
{
    char *path = world_path(world, name);
    free(GPG(world, NULL, "--output", path, armored ? "--armor" : "--no-armor", "--export", name));
    return path;
}

static char *fingerprint_of(struct world *world, const char *name)
{
    _cleanup_free_ char *listing = GPG(world, NULL, "--with-colons", "--list-keys", name);
    const char *line = strstr(listing, "\nfpr:::::::::");
    assert_non_null(line);
    return strndup(line + 13, 40);
}

static char *clear_sign(struct world *world, const char *name, const char *text)
{
    return GPG(world, text, "--local-user", name, "--clearsign");
}

static int verify(const char *text, const char *key, const char *fingerprint, char **ret,
                  struct error **err)
{
    const struct signature_key trusted = {.file = key, .fingerprint = fingerprint};
    size_t size = 0;
    *ret = NULL;
    int r = signature_verify_clear(text, strlen(text), "index.asc", &trusted, ret, &size, err);
    if (r == 0)
        assert_int_equal(strlen(*ret), size);
    return r;
}

static void expect_bad(const char *text, const char *key, const char *message, const char *remedy)
{
    struct error *err = NULL;
    char *plain;
    expect_refusal(verify(text, key, NULL, &plain, &err), -EBADMSG, &err, message, remedy);
    assert_null(plain);
}

/* No agent of gpg's runs for the private home, and the home itself is gone. */
static void expect_nothing_left(const struct world *world)
{
    DIR *dir = opendir(world->dir);
    struct dirent *entry;
    while ((entry = readdir(dir)))
        assert_false(str_starts(entry->d_name, "kiln-gpg."));
    closedir(dir);
}

static void a_good_signature_gives_the_text(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    make_key(world, "good");
    world_use_as_tmpdir(world);
    _cleanup_free_ char *armored = export_key(world, "good", true);
    _cleanup_free_ char *text = clear_sign(world, "good", TEXT);
    _cleanup_free_ char *plain = NULL, *again = NULL, *by_print = NULL;
    uint64_t start = clock_now_ms();
    expect_success(verify(text, armored, NULL, &plain, &err), &err);
    print_message("verified in %llu ms\n", (unsigned long long)(clock_now_ms() - start));
    assert_string_equal(plain, TEXT);
    assert_int_equal(unlink(armored), 0);
    _cleanup_free_ char *binary = export_key(world, "good", false);
    expect_success(verify(text, binary, NULL, &again, &err), &err);
    _cleanup_free_ char *fingerprint = fingerprint_of(world, "good");
    expect_success(verify(text, NULL, fingerprint, &by_print, &err), &err);
    assert_string_equal(by_print, TEXT);
    expect_nothing_left(world);
}

static void only_the_signed_text_counts(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    make_key(world, "good");
    _cleanup_free_ char *key = export_key(world, "good", true);
    _cleanup_free_ char *text = clear_sign(world, "good", TEXT);
    _cleanup_free_ char *around =
        str_printf(NULL, "[evil]\nfile=x\n\n%s\n[evil2]\nfile=y\n%s", text, text);
    _cleanup_free_ char *plain = NULL;
    expect_success(verify(around, key, NULL, &plain, &err), &err);
    assert_string_equal(plain, TEXT);
    /* A line that only begins like armor is text. */
    _cleanup_free_ char *glued = str_printf(NULL, "x%s", text);
    expect_bad(glued, key, "is not signed, though a key is given for it", NULL);
}

static void crlf_and_dashes_survive(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    make_key(world, "good");
    _cleanup_free_ char *key = export_key(world, "good", true);
    _cleanup_free_ char *text = clear_sign(world, "good", "[a]\r\n- dashed\r\n-----BEGIN\r\n");
    _cleanup_free_ char *plain = NULL;
    expect_success(verify(text, key, NULL, &plain, &err), &err);
    assert_non_null(strstr(plain, "\n- dashed"));
    assert_non_null(strstr(plain, "\n-----BEGIN"));
}

static void changed_text_is_refused(void **state)
{
    struct world *world = *state;
    make_key(world, "good");
    _cleanup_free_ char *key = export_key(world, "good", true);
    _cleanup_free_ char *text = clear_sign(world, "good", TEXT);
    char *digit = strstr(text, "size=1");
    digit[5] = '2';
    expect_bad(text, key, "index.asc: BAD signature", "tell the owner");
    digit[5] = '1';
    char *armor = strstr(text, "-----BEGIN PGP SIGNATURE-----");
    char *body = strstr(armor, "\n\n") + 10;
    *body = *body == 'A' ? 'B' : 'A';
    struct error *err = NULL;
    char *plain;
    assert_int_equal(verify(text, key, NULL, &plain, &err), -EBADMSG);
    error_free(err);
    *strstr(text, "-----END") = '\0';
    expect_bad(text, key, "the signature is cut off", NULL);
    *strstr(text, "-----BEGIN PGP SIGNATURE") = '\0';
    expect_bad(text, key, "the signature is cut off", NULL);
    expect_bad(TEXT, key, "is not signed", NULL);
    expect_bad("-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n-----BEGIN PGP SIGNATURE-----\n\n"
               "-----END PGP SIGNATURE-----\n",
               key, "index.asc: ", NULL);
}

static void a_foreign_key_is_refused_though_it_is_in_the_users_keyring(void **state)
{
    struct world *world = *state;
    make_key(world, "good");
    make_key(world, "other");
    _cleanup_free_ char *key = export_key(world, "good", true);
    _cleanup_free_ char *text = clear_sign(world, "other", TEXT);
    expect_bad(text, key, "signed by the unknown key", "gpgkey=");
    struct error *err = NULL;
    char *plain;
    _cleanup_free_ char *fingerprint = fingerprint_of(world, "good");
    expect_refusal(verify(text, NULL, fingerprint, &plain, &err), -EBADMSG, &err,
                   "signed by the unknown key", NULL);
}

static void one_good_signature_of_several_suffices(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    make_key(world, "old");
    make_key(world, "new");
    _cleanup_free_ char *text =
        GPG(world, TEXT, "--local-user", "old", "--local-user", "new", "--clearsign");
    _cleanup_free_ char *old = export_key(world, "old", true),
                        *new = export_key(world, "new", true);
    _cleanup_free_ char *first = NULL, *second = NULL;
    expect_success(verify(text, old, NULL, &first, &err), &err);
    expect_success(verify(text, new, NULL, &second, &err), &err);
}

static void expired_and_revoked_keys_are_refused(void **state)
{
    struct world *world = *state;
    free(GPG(world, NULL, "--faked-system-time", "20200101T000000", "--quick-gen-key",
             "old@example.org", "ed25519", "sign", "1y"));
    _cleanup_free_ char *key = export_key(world, "old", true);
    _cleanup_free_ char *text = GPG(world, TEXT, "--faked-system-time", "20200601T000000",
                                    "--local-user", "old@example.org", "--clearsign");
    expect_bad(text, key, "has expired", "renewed key");

    make_key(world, "lost");
    _cleanup_free_ char *signed_before = clear_sign(world, "lost", TEXT);
    _cleanup_free_ char *fingerprint = fingerprint_of(world, "lost");
    _cleanup_free_ char *file =
        str_printf(NULL, "%s/gnupg/openpgp-revocs.d/%s.rev", world->dir, fingerprint);
    _cleanup_free_ char *revocation = NULL;
    assert_int_equal(file_read(file, 1 << 20, &revocation, NULL, NULL), 0);
    /* gpg keeps it from being used by accident with a colon before its armor. */
    char *colon = strstr(revocation, ":-----BEGIN");
    assert_non_null(colon);
    free(GPG(world, colon + 1, "--import"));
    _cleanup_free_ char *revoked = export_key(world, "lost", true);
    expect_bad(signed_before, revoked, "was revoked", "new key");
}

static void an_expired_signature_is_refused(void **state)
{
    struct world *world = *state;
    free(GPG(world, NULL, "--faked-system-time", "20200101T000000", "--quick-gen-key",
             "good@example.org", "ed25519", "sign", "never"));
    _cleanup_free_ char *key = export_key(world, "good", true);
    _cleanup_free_ char *text =
        GPG(world, TEXT, "--faked-system-time", "20200601T000000", "--default-sig-expire", "1d",
            "--local-user", "good@example.org", "--clearsign");
    expect_bad(text, key, "its signature by key", "sign it again");
}

static void unusable_keys_are_named(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    char *plain;
    make_key(world, "good");
    _cleanup_free_ char *text = clear_sign(world, "good", TEXT);
    _cleanup_free_ char *absent = world_path(world, "absent.gpg");
    _cleanup_free_ char *junk = world_path(world, "junk.gpg");
    world_text(world, "junk.gpg", "no key at all\n");
    expect_refusal(verify(text, absent, NULL, &plain, &err), -ENOENT, &err,
                   "absent.gpg: cannot open", NULL);
    expect_refusal(verify(text, junk, NULL, &plain, &err), -EBADMSG, &err,
                   "junk.gpg: holds no usable OpenPGP public key", "gpg --armor --export");
    expect_refusal(
        verify(text, NULL, "0123456789012345678901234567890123456789", &plain, &err), -ENOENT, &err,
        "there is no key 0123456789012345678901234567890123456789 in your keyring", "gpg --import");
    expect_refusal(verify(text, NULL, NULL, &plain, &err), -EINVAL, &err, "no key", NULL);
}

/* In a process of its own: gpgme looks for gpg once and remembers what it found. */
static void without_gpg_the_package_is_named(void **state)
{
    struct world *world = *state;
    world_text(world, "key", "x");
    _cleanup_free_ char *key = world_path(world, "key");
    pid_t child = fork();
    if (child == 0) {
        struct error *err = NULL;
        char *plain;
        setenv("PATH", "/nowhere", 1);
        int r = verify("-----BEGIN PGP SIGNED MESSAGE-----\n\n-----END PGP SIGNATURE-----\n", key,
                       NULL, &plain, &err);
        bool good = r == -EIO && contains(error_remedy(err), "install GnuPG");
        error_free(err);
        free(key);
        _exit(good ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void detached_signatures_are_verified(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    make_key(world, "good");
    _cleanup_free_ char *key = export_key(world, "good", true);
    const struct signature_key trusted = {.file = key};
    _cleanup_free_ char *signature =
        GPG(world, TEXT, "--local-user", "good", "--armor", "--detach-sign");
    expect_success(signature_verify_detached(TEXT, strlen(TEXT), signature, strlen(signature),
                                             "index", &trusted, &err),
                   &err);
    expect_refusal(signature_verify_detached("other", 5, signature, strlen(signature), "index",
                                             &trusted, &err),
                   -EBADMSG, &err, "index: BAD signature", NULL);
    expect_refusal(signature_verify_detached(TEXT, strlen(TEXT), "", 0, "index", &trusted, &err),
                   -EBADMSG, &err, "index: the signature is damaged", NULL);
}

/* gpgme has SIGPIPE ignored for the whole process; `kiln list | head` has to die of it as before.
 */
static void sigpipe_stays_as_it_was(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct sigaction now;
    sigset_t blocked;
    make_key(world, "good");
    _cleanup_free_ char *key = export_key(world, "good", true);
    _cleanup_free_ char *text = clear_sign(world, "good", TEXT), *plain = NULL;
    expect_success(verify(text, key, NULL, &plain, &err), &err);
    assert_int_equal(sigaction(SIGPIPE, NULL, &now), 0);
    assert_true(now.sa_handler == SIG_DFL);
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &blocked), 0);
    assert_false(sigismember(&blocked, SIGPIPE));
}

static void homes_of_killed_runs_are_swept_when_they_are_old(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    char *plain;
    _cleanup_free_ char *old = world_path(world, "kiln-gpg.oldold");
    _cleanup_free_ char *young = world_path(world, "kiln-gpg.young1");
    world_text(world, "kiln-gpg.oldold/pubring.kbx", "x");
    world_text(world, "kiln-gpg.young1/pubring.kbx", "x");
    const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, old, long_ago, 0), 0);
    world_text(world, "key", "x");
    _cleanup_free_ char *key = world_path(world, "key");
    world_use_as_tmpdir(world);
    verify("-----BEGIN PGP SIGNED MESSAGE-----\n\n-----END PGP SIGNATURE-----\n", key, NULL, &plain,
           &err);
    error_free(err);
    assert_int_equal(access(old, F_OK), -1);
    assert_int_equal(access(young, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: no other test has used gpgme yet. */
        world_test(without_gpg_the_package_is_named),
        world_test(a_good_signature_gives_the_text),
        world_test(only_the_signed_text_counts),
        world_test(crlf_and_dashes_survive),
        world_test(changed_text_is_refused),
        world_test(a_foreign_key_is_refused_though_it_is_in_the_users_keyring),
        world_test(one_good_signature_of_several_suffices),
        world_test(expired_and_revoked_keys_are_refused),
        world_test(an_expired_signature_is_refused),
        world_test(unusable_keys_are_named),
        world_test(detached_signatures_are_verified),
        world_test(sigpipe_stays_as_it_was),
        world_test(homes_of_killed_runs_are_swept_when_they_are_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
