/* YAML: what is refused and where, what is found, and that an edit leaves the rest alone. */

#include <errno.h>
#include <string.h>

#include "datasource/yaml.h"
#include "tests/unit/datasource/expect.h"

static int check(const char *text, struct error **err)
{
    return yaml_check(text, strlen(text), "f", YAML_NOTHING, NULL, err);
}

static void sound_documents_pass(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "# only a comment\n",
        "---\n...\n",
        "a: 1\nb: [1, {c: d}]\n",
        "{\"a\": \"b\", \"c\": [1, 2]}",
        "- a\n- b: c\n  d: |\n    text\n    more\n",
        "base: &x {a: 1}\nuse: *x\n",
        "a: 1\r\nb:\r\n  - c\r\n",
        "\xef\xbb\xbfx: 1\nb: 2\n",
        "url: [http://x.y/z, foo:bar]\n",
        "a: \"x\ty\" # a comment\twith a tab\nb: |\n  all:\n  \ttabbed\n",
        "caf\xc3\xa9: \xe2\x98\xba\n",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        _cleanup_error_ struct error *err = NULL;
        expect_success(check(texts[i], &err), err);
    }
}

static void faults_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } faults[] = {
        {"a: 1\nb: c: d\n", "f:2:5: mapping values are not allowed"},
        {"a: [1, 2\nb: 3\n", "f:2:2: did not find expected ',' or ']'"},
        {"a: 1\n b: 2\n", "f:2:3: mapping values"},
        {"a: \"open\n", "f:2:1: found unexpected end of stream"},
        {"\xc3\xa9\xc3\xa9: @\n", "f:1:5: found character that cannot start any token"},
        {"a: b\nc: \xff\n", "f:2:4: invalid leading UTF-8 octet"},
        {"a: \x01\n", "f:1:4: control characters are not allowed"},
        {"a: 1\n---\nb: 2\n", "f:2:1: a second document begins here"},
        {"a: *nothing\n", "f:1:4: this alias (*name) has no anchor"},
        {"a:\n\tb: 1\n", "f:2:1: found character that cannot start any token"},
        {"a:\tb\n", "f:1:3: a tab stands where only spaces may"},
        {"a: b \t# c\n", "f:1:6: a tab stands"},
        {"a: b\tc\n", "f:1:5: a tab stands"},
        {"{\n\t\"a\": 1\n}\n", "f:2:1: a tab stands"},
        {"a: {{ name }}\n", "f:1:5: a mapping stands where only a plain key may"},
        {"[a]: b\n", "f:1:1: a list stands where only a plain key may"},
        {"a: &x 1\nb: &x 2\n", "f:2:4: the anchor '&x' is given a second time, first in line 1"},
        {"a: !Ref x\n", "f:1:4: the tag '!Ref' is none that cloud-init's reader knows"},
        {"a: 2026-02-29\n", "f:1:4: '2026-02-29' is read as a date, and there is no such date"},
        {"a: =\n", "f:1:4: '=' alone is not text"},
        {"a: <<\n", "f:1:4: '<<' stands where no mapping is merged"},
        {"a: [http://h/?q=1]\n", "f:1:5: a plain value with '?' stands within brackets"},
        {"a: !!int abc\n", "f:1:4: 'abc' is no whole number"},
        {"a: 0x_\n", "f:1:4: '0x_' is no whole number"},
        {"a: ! \"12\"\n", "f:1:4: the tag '!' alone"},
        {"a: {<<: [1]}\n", "f:1:10: '<<' takes a mapping, or a list of mappings"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        struct error *err = NULL;
        int r = check(faults[i].text, &err);
        expect_refusal(r, -EINVAL, &err, faults[i].message, NULL);
    }
}

/* PyYAML changes or drops these without a word. */
static void what_is_read_otherwise_is_warned_of(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *warning; /* NULL: none */
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "f:3:1: the key 'a' is given a second time, first in line 1"},
        {"{1: a, 1.0: b}\n", "f:1:8: the key '1' is given a second time"},
        {"{1: a, yes: b}\n", "f:1:8: the key '1' is given a second time"},
        {"{1: a, '1': b}\n", NULL},
        {"{~: a, '': b}\n", NULL},
        {"a: &a {x: 1}\nb: {<<: *a, x: 2}\n", NULL},
        {"b: {<<: {x: 1}, <<: {x: 2}}\n", NULL},
        {"mac: 52:54:00:12:34:56\n",
         "f:1:6: 52:54:00:12:34:56 is the number 41135085296 (base 60)"},
        {"mac: 02:54:00:12:34:56\n", NULL},
        {"mac: \"52:54:00:12:34:56\"\n", NULL},
        {"a: 1.10\n", "f:1:4: 1.10 is the number 1.1 "},
        {"a: 1.1\nb: 12\nc: 0\n", NULL},
        {"a: 0123\n", "f:1:4: 0123 is the number 83 "},
        {"permissions: 0644\n", NULL},
        {"permissions: 1_000\n", "f:1:14: 1_000 is the number 1000 "},
        {"a: !!int 0123\n", NULL},
        {"- [ls, yes]\n", "f:1:8: 'yes' among the words of a list is a boolean"},
        {"- [ls, null]\n", "f:1:8: 'null' among the words of a list is null"},
        {"- [ls, 2026-01-02]\n", "f:1:8: '2026-01-02' among the words of a list is a date"},
        {"- [ls, 22:22]\n", "f:1:8: 22:22 is the number 1342 (base 60)"},
        {"- [yes, no]\n", NULL},
        {"- [ls, 'yes']\n", NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_yaml_tree_ struct yaml_tree *tree = NULL;
        _cleanup_error_ struct error *err = NULL;
        const char *text = cases[i].text;
        expect_success(yaml_load(text, strlen(text), "f", YAML_NOTHING, &tree, &err), err);
        assert_int_equal(tree->warnings.count, cases[i].warning ? 1 : 0);
        if (cases[i].warning && !str_starts(tree->warnings.items[0], cases[i].warning))
            fail_msg("'%s' does not begin with '%s'", tree->warnings.items[0], cases[i].warning);
    }
}

static size_t reported;

static void count_message(struct reporter *reporter, enum report_level level, const char *text)
{
    (void)reporter;
    (void)text;
    reported += level == REPORT_WARNING;
}

static void many_warnings_are_counted(void **state)
{
    (void)state;
    struct reporter reporter = {.message = count_message};
    _cleanup_str_ struct str text = {0};
    for (int i = 0; i < 30; i++)
        str_append(&text, "a: 1\n");
    reported = 0;
    assert_int_equal(yaml_check(text.data, text.length, "f", YAML_MAPPING, &reporter, NULL), 0);
    assert_int_equal(reported, 21);
}

static void values_are_those_of_python(void **state)
{
    (void)state;
    const char text[] = "a: 0123\nb: {<<: {c: on, d: 1.50}, d: 2}\nc: '12'\nc: x\n";
    _cleanup_yaml_tree_ struct yaml_tree *tree = NULL;
    assert_int_equal(yaml_load(text, strlen(text), "f", YAML_MAPPING, &tree, NULL), 0);
    const struct yaml_node *b = yaml_get(tree->root, "b");
    assert_string_equal(yaml_get(tree->root, "a")->text, "83");
    assert_string_equal(yaml_get(b, "c")->text, "True");
    assert_string_equal(yaml_get(b, "d")->text, "2");
    assert_true(yaml_is_text(yaml_get(tree->root, "c"), "x"));
    assert_null(yaml_get(tree->root, "d"));
    assert_null(yaml_get(NULL, "d"));
    assert_false(yaml_truth(NULL));
    assert_true(yaml_truth(b));
}

static void the_number_of_nodes_has_a_limit(void **state)
{
    (void)state;
    _cleanup_str_ struct str text = {0};
    str_append(&text, "[");
    for (int i = 0; i < 1000001; i++)
        str_append(&text, "1,");
    str_append(&text, "]");
    struct error *err = NULL;
    expect_refusal(check(text.data, &err), -EINVAL, &err, "f: has more than 1000000 values", NULL);
}

static void the_remedy_tells_where_an_open_bracket_stands(void **state)
{
    (void)state;
    struct error *err = NULL;
    int r = check("a:\n  - [1,\n    2\nb: 3\n", &err);
    expect_refusal(r, -EINVAL, &err, "f:", "line 2");
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    char text[200] = "";
    struct error *err = NULL;
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    expect_success(check(text, &err), err);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    expect_refusal(check(text, &err), -EINVAL, &err, "f:1:65: nested deeper than 64", NULL);
}

/* Nine levels of nine aliases stand for 387 million nodes. */
static void aliases_are_not_followed(void **state)
{
    (void)state;
    _cleanup_str_ struct str text = {0};
    str_append(&text, "l0: &l0 x\n");
    for (int i = 1; i <= 9; i++) {
        str_appendf(&text, "l%d: &l%d [", i, i);
        for (int k = 0; k < 9; k++)
            str_appendf(&text, "%s*l%d", k ? ", " : "", i - 1);
        str_append(&text, "]\n");
    }
    _cleanup_error_ struct error *err = NULL;
    expect_success(check(text.data, &err), err);
}

static void the_kind_of_the_document_is_checked(void **state)
{
    (void)state;
    struct error *err = NULL;
    expect_success(yaml_check("- a\n", 4, "f", YAML_SEQUENCE, NULL, &err), err);
    expect_success(yaml_check("# none\n", 7, "f", YAML_MAPPING, NULL, &err), err);
    expect_success(yaml_check("~\n", 2, "f", YAML_MAPPING, NULL, &err), err);
    expect_refusal(yaml_check("\n - a\n", 6, "f", YAML_MAPPING, NULL, &err), -EINVAL, &err,
                   "f:2:2: a mapping (key: value) is expected here, not a list (- item)", NULL);
    expect_refusal(yaml_check("word\n", 5, "f", YAML_MAPPING, NULL, &err), -EINVAL, &err,
                   "not a single value", NULL);
}

struct wanted {
    const char *text;
    enum yaml_kind kind;
    const char *scalar;
};

static void top_level_keys_are_found(void **state)
{
    (void)state;
    static const struct wanted cases[] = {
        {"k: v\n", YAML_SCALAR, "v"},
        {"a: {k: inner}\nb: [k, v]\n", YAML_NOTHING, NULL},
        {"a: k\nk: 'it''s'\n", YAML_SCALAR, "it's"},
        {"k: first\nk: last\n", YAML_SCALAR, "last"},
        {"{\"k\": 7}", YAML_SCALAR, "7"},
        {"k:\n", YAML_NOTHING, NULL},
        {"k: ~\n", YAML_NOTHING, NULL},
        {"k: \"~\"\n", YAML_SCALAR, "~"},
        {"k: [v]\n", YAML_SEQUENCE, NULL},
        {"k: {v: w}\n", YAML_MAPPING, NULL},
        {"a: &x v\nk: *x\n", YAML_ALIAS, NULL},
        {"- k\n- v\n", YAML_NOTHING, NULL},
        {"", YAML_NOTHING, NULL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_yaml_found_ struct yaml_found found = {0};
        _cleanup_error_ struct error *err = NULL;
        const char *text = cases[i].text;
        expect_success(yaml_top_find(text, strlen(text), "f", "k", &found, &err), err);
        assert_int_equal(found.kind, cases[i].kind);
        if (cases[i].scalar)
            assert_string_equal(found.scalar, cases[i].scalar);
        else
            assert_null(found.scalar);
    }
}

static void a_value_with_a_nul_is_refused(void **state)
{
    (void)state;
    struct yaml_found found;
    struct error *err = NULL;
    const char text[] = "k: \"a\\0b\"\n";
    int r = yaml_top_find(text, sizeof(text) - 1, "f", "k", &found, &err);
    expect_refusal(r, -EINVAL, &err, "f:1:4: the value holds a NUL", NULL);
}

static void edits_leave_the_rest_alone(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        const char *after;
    } edits[] = {
        {"", "k: \"v\"\n"},
        {"# nothing\n", "k: \"v\"\n"},
        {"# c\na: 1 # d\n", "# c\nk: \"v\"\na: 1 # d\n"},
        {"---\n  a: 1\n  b: 2\n...\n", "---\n  k: \"v\"\n  a: 1\n  b: 2\n...\n"},
        {"k: old # was\nb: 2\n", "k: \"v\" # was\nb: 2\n"},
        {"k:\nb: 2\n", "k: \"v\"\nb: 2\n"},
        {"b: 2\nk: 'o''ld'", "b: 2\nk: \"v\""},
        {"{\"a\": 1}", "{\"k\": \"v\", \"a\": 1}"},
        {"{}", "{\"k\": \"v\"}"},
        {"{\"k\": \"old\", \"a\": 1}", "{\"k\": \"v\", \"a\": 1}"},
        {"\xc3\xa9: \xe2\x98\xba\nk: old\n", "\xc3\xa9: \xe2\x98\xba\nk: \"v\"\n"},
        {"\xef\xbb\xbfx: 1\n", "k: \"v\"\nx: 1\n"},
        {"a: 1\r\nb: 2\r\n", "k: \"v\"\na: 1\r\nb: 2\r\n"},
        {"a: &x 1\nk: *x\n", "a: &x 1\nk: \"v\"\n"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(edits); i++) {
        _cleanup_free_ char *after = NULL;
        _cleanup_error_ struct error *err = NULL;
        const char *text = edits[i].before;
        expect_success(yaml_top_set(text, strlen(text), "f", "k", "\"v\"", &after, &err), err);
        assert_string_equal(after, edits[i].after);
    }
}

static void edits_that_cannot_hold_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"k: [a]\n", "'k' is there already, and holds more than one value"},
        {"k: {a: b}\n", "'k' is there already"},
        {"- a\n", "f:1:1: a mapping (key: value) is expected"},
        {"? a\n: b\n", "'k' cannot be set in a document of this form"},
        {"k: |\n  text\nb: 2\n", "'k' cannot be set"},
        {"k: &x old\nb: *x\n", "'k' cannot be set"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *after = NULL;
        struct error *err = NULL;
        int r = yaml_top_set(cases[i].text, strlen(cases[i].text), "f", "k", "\"v\"", &after, &err);
        assert_null(after);
        expect_refusal(r, -EINVAL, &err, cases[i].message, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_documents_pass),
        cmocka_unit_test(faults_are_told_with_their_place),
        cmocka_unit_test(what_is_read_otherwise_is_warned_of),
        cmocka_unit_test(many_warnings_are_counted),
        cmocka_unit_test(values_are_those_of_python),
        cmocka_unit_test(the_number_of_nodes_has_a_limit),
        cmocka_unit_test(the_remedy_tells_where_an_open_bracket_stands),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(aliases_are_not_followed),
        cmocka_unit_test(the_kind_of_the_document_is_checked),
        cmocka_unit_test(top_level_keys_are_found),
        cmocka_unit_test(a_value_with_a_nul_is_refused),
        cmocka_unit_test(edits_leave_the_rest_alone),
        cmocka_unit_test(edits_that_cannot_hold_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
