/* URIs: which are local, where a reference leads, and what may be shown of them. */

#include "repos/download.h"
#include "tests/unit/repos/world.h"

static void local_ones_are_recognised_and_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *path; /* NULL: not local */
    } cases[] = {
        {"/srv/images/index.asc", "/srv/images/index.asc"},
        {"/srv/100%25", "/srv/100%25"},
        {"index.asc", "index.asc"},
        {"file:///srv/a%20b%2Fc", "/srv/a b/c"},
        {"file:///srv/a%zz%4", "/srv/a%zz%4"},
        {"file:///srv/a?b", "/srv/a?b"},
        {"FILE:///srv", "/srv"},
        {"file://localhost/srv", "/srv"},
        {"file://otherhost/srv", NULL},
        {"file://srv", NULL},
        {"file:///srv/%00x", NULL},
        {"http://example.org/x", NULL},
        {"gopher://example.org/x", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *path = NULL;
        assert_int_equal(uri_is_local(cases[i].uri, &path), cases[i].path != NULL);
        if (cases[i].path)
            assert_string_equal(path, cases[i].path);
        assert_int_equal(uri_is_local(cases[i].uri, NULL), cases[i].path != NULL);
    }
}

static void remote_ones_need_a_host(void **state)
{
    (void)state;
    assert_true(uri_is_remote("http://example.org"));
    assert_true(uri_is_remote("HTTPS://example.org/x"));
    assert_true(uri_is_remote("ftp://example.org/x"));
    assert_false(uri_is_remote("http:///x"));
    assert_false(uri_is_remote("http://"));
    assert_false(uri_is_remote("smb://example.org/x"));
    assert_false(uri_is_remote("/http://x"));
}

static void references_stay_below_their_base(void **state)
{
    (void)state;
    static const struct {
        const char *base, *reference, *result; /* NULL: refused */
    } cases[] = {
        {"http://h/a/index.asc", "x.xz", "http://h/a/x.xz"},
        {"http://h/a/index.asc", "./b/./x.xz", "http://h/a/b/./x.xz"},
        {"http://h/a/", "x.xz", "http://h/a/x.xz"},
        {"http://h/index.asc?token=a/b#c", "x.xz", "http://h/x.xz"},
        {"http://h", "x.xz", "http://h/x.xz"},
        {"http://h?q", "x.xz", "http://h/x.xz"},
        {"http://u:p@h/a/index", "x", "http://u:p@h/a/x"},
        {"http://h/a/index", "b c#d\xc3\xa9", "http://h/a/b%20c%23d%C3%A9"},
        {"http://h/a/index", "b%20c", "http://h/a/b%20c"},
        {"file:///srv/i/index.asc", "a b.xz", "file:///srv/i/a%20b.xz"},
        {"file:///index", "x", "file:///x"},
        {"/srv/i?/index.asc", "a b%20.xz", "/srv/i?/a b%20.xz"},
        {"/index", "x", "/x"},
        {"index", "x", "x"},
        {"http://h/a/index", "..x/...", "http://h/a/..x/..."},
        {"http://h/a/index", "../x", NULL},
        {"http://h/a/index", "b/../../x", NULL},
        {"http://h/a/index", "%2e./x", NULL},
        {"http://h/a/index", "b%2f..%2fx", NULL},
        {"http://h/a/index", "/etc/passwd", NULL},
        {"http://h/a/index", "http://other/x", NULL},
        {"http://h/a/index", "", NULL},
        {"http://h/a/index", "a\nb", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error *err = NULL;
        _cleanup_free_ char *uri = uri_resolve(cases[i].base, cases[i].reference, &err);
        if (cases[i].result)
            assert_string_equal(uri, cases[i].result);
        else
            expect_refusal(uri ? 0 : -EINVAL, -EINVAL, &err, "is not a path inside the repository",
                           NULL);
    }
}

static void secrets_and_control_characters_are_not_shown(void **state)
{
    (void)state;
    static const struct {
        const char *uri, *shown;
    } cases[] = {
        {"http://user:secret@h/x@y", "http://h/x@y"},
        {"http://a@b@h:80?x", "http://h:80?***"},
        {"http://h/i?token=s&X-Amz-Signature=s;b=s&&s",
         "http://h/i?token=***&X-Amz-Signature=***;b=***&&***"},
        {"http://h/i?a=s=s?s#s", "http://h/i?a=***#***"},
        {"http://h/i#s", "http://h/i#***"},
        {"http://h/i?", "http://h/i?"},
        {"file:///srv/a?b=c", "file:///srv/a?b=c"},
        {"http://h/@x", "http://h/@x"},
        {"/srv/@x\x1b[2J", "/srv/@x\\x1b[2J"},
        {"file:///srv/x", "file:///srv/x"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_free_ char *shown = uri_printable(cases[i].uri);
        assert_string_equal(shown, cases[i].shown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_ones_are_recognised_and_decoded),
        cmocka_unit_test(remote_ones_need_a_host),
        cmocka_unit_test(references_stay_below_their_base),
        cmocka_unit_test(secrets_and_control_characters_are_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
