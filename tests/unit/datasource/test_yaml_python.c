/*
 * Documents as PyYAML reads them: what pyyaml_cases.py prints, against yaml_load(). What PyYAML
 * refuses must be refused, and where both make something of a text, it must be the same. libyaml
 * refuses some texts that PyYAML reads; yaml_construct() must refuse none.
 */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datasource/yaml.h"
#include "datasource/yaml_construct.h"
#include "datasource/yaml_read.h"
#include "tests/unit/datasource/expect.h"

enum { shown_depth = 6 };

static void show(const struct yaml_node *node, size_t depth, struct str *out);

static void show_hex(const struct yaml_node *node, struct str *out)
{
    for (size_t i = 0; i < node->text_length; i++)
        str_appendf(out, "%02x", (unsigned char)node->text[i]);
}

static void show_list(const struct yaml_node *list, size_t depth, struct str *out)
{
    bool pairs = list->tag && (str_ends(list->tag, "omap") || str_ends(list->tag, "pairs"));
    str_append(out, "[");
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *item = yaml_target(list->items[i]);
        str_append(out, i ? "," : "");
        if (pairs && depth == shown_depth) {
            str_append(out, "...");
        } else if (pairs) {
            str_append(out, "(");
            show(item->items[0], depth + 2, out);
            str_append(out, ",");
            show(item->items[1], depth + 2, out);
            str_append(out, ")");
        } else {
            show(item, depth + 1, out);
        }
    }
    str_append(out, "]");
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A dict's keys stand where they were first given, with the value that was given last. */
static void show_map(const struct yaml_node *map, size_t depth, struct str *out)
{
    _cleanup_strv_ struct strv keys = {0}, values = {0};
    for (size_t i = 0; i < map->count; i += 2) {
        _cleanup_str_ struct str key = {0}, value = {0};
        show(map->items[i], 0, &key);
        show(map->items[i + 1], depth + 1, &value);
        size_t place = 0;
        while (place < keys.count && strcmp(keys.items[place], key.data) != 0 &&
               !(strcmp(keys.items[place], "i:1") == 0 && strcmp(key.data, "b:True") == 0) &&
               !(strcmp(keys.items[place], "b:True") == 0 && strcmp(key.data, "i:1") == 0) &&
               !(strcmp(keys.items[place], "i:1") == 0 && strcmp(key.data, "f:1.0") == 0))
            place++;
        if (place == keys.count) {
            assert_int_equal(strv_add(&keys, key.data, NULL), 0);
            assert_int_equal(strv_add(&values, value.data, NULL), 0);
        } else {
            assert_int_equal(str_replace(&values.items[place], value.data, NULL), 0);
        }
    }
    bool set = map->type == YAML_SET;
    if (set && keys.count > 0)
        qsort(keys.items, keys.count, sizeof(*keys.items), compare_texts);
    str_append(out, set ? "<" : "{");
    for (size_t i = 0; i < keys.count; i++)
        str_appendf(out, "%s%s%s%s", i ? "," : "", keys.items[i], set ? "" : "=",
                    set ? "" : values.items[i]);
    str_append(out, set ? ">" : "}");
}

/* As show() of pyyaml_cases.py. */
static void show(const struct yaml_node *node, size_t depth, struct str *out)
{
    static const char letters[] = {[YAML_BOOL] = 'b', [YAML_INT] = 'i',  [YAML_FLOAT] = 'f',
                                   [YAML_TEXT] = 's', [YAML_TIME] = 't', [YAML_BYTES] = 'y'};
    node = yaml_target(node);
    if (depth > shown_depth) {
        str_append(out, "...");
    } else if (!node || node->type == YAML_NULL) {
        str_append(out, "z");
    } else if (node->type == YAML_LIST) {
        show_list(node, depth, out);
    } else if (node->type == YAML_DICT || node->type == YAML_SET) {
        show_map(node, depth, out);
    } else {
        str_appendf(out, "%c:", letters[node->type]);
        if (node->type == YAML_TEXT || node->type == YAML_BYTES)
            show_hex(node, out);
        else
            str_append(out, node->text ? node->text : "?");
    }
}

/* Where kiln refuses a text, or what it makes of it. */
enum verdict { READ_REFUSED, CONSTRUCT_REFUSED, MADE };

static enum verdict load(const char *text, size_t size, struct str *out, struct error **err)
{
    _cleanup_yaml_tree_ struct yaml_tree *tree = NULL;
    if (yaml_read(text, size, "f", &tree, err) < 0)
        return READ_REFUSED;
    if (yaml_construct(tree, err) < 0)
        return CONSTRUCT_REFUSED;
    show(tree->root, 0, out);
    return MADE;
}

/* "i:?" is a number whose digits kiln does not work out. */
static bool same_value(const char *ours, const char *theirs)
{
    for (; *ours && *theirs; ours++, theirs++) {
        if (*ours == '?')
            while (isdigit((unsigned char)theirs[1]) || *theirs == '-')
                theirs++;
        else if (*ours != *theirs)
            return false;
    }
    return *ours == *theirs;
}

struct counts {
    size_t all, same, refused, stricter, wrong;
};

static void compare(const char *text, size_t size, const char *theirs, struct counts *counts)
{
    _cleanup_str_ struct str out = {0};
    _cleanup_error_ struct error *err = NULL;
    enum verdict verdict = load(text, size, &out, &err);
    bool refused = *theirs == '!';
    counts->all++;
    counts->refused += refused && verdict != MADE;
    counts->same += verdict == MADE && !refused && same_value(out.data, theirs);
    counts->stricter += verdict == READ_REFUSED && !refused;
    bool right = refused ? verdict != MADE
                         : verdict == READ_REFUSED || (out.data && same_value(out.data, theirs));
    if (right)
        return;
    counts->wrong++;
    print_message("# %.*s\n#   PyYAML: %s\n#   kiln:   %s\n", (int)size, text, theirs,
                  verdict == MADE ? out.data : error_message(err));
}

static size_t unhex(char *line)
{
    size_t count = 0;
    for (char *at = line; isxdigit((unsigned char)at[0]) && isxdigit((unsigned char)at[1]);
         at += 2) {
        char byte[] = {at[0], at[1], '\0'};
        line[count++] = (char)strtoul(byte, NULL, 16);
    }
    line[count] = '\0';
    return count;
}

static void documents_are_what_pyyaml_makes_of_them(void **state)
{
    (void)state;
    if (system("/usr/bin/python3 -c 'import yaml' 2>/dev/null") != 0)
        skip_because("the package python3-yaml is not installed");
    FILE *cases = popen("/usr/bin/python3 tests/unit/datasource/pyyaml_cases.py", "re");
    assert_non_null(cases);
    struct counts counts = {0};
    _cleanup_free_ char *text = NULL, *theirs = NULL;
    size_t text_room = 0, theirs_room = 0;
    while (getline(&text, &text_room, cases) > 0 && getline(&theirs, &theirs_room, cases) > 0) {
        theirs[strcspn(theirs, "\n")] = '\0';
        size_t size = unhex(text);
        compare(text, size, theirs, &counts);
    }
    assert_int_equal(pclose(cases), 0);
    print_message("# %zu documents: %zu the same, %zu refused by both, %zu by libyaml alone\n",
                  counts.all, counts.same, counts.refused, counts.stricter);
    assert_int_equal(counts.wrong, 0);
    assert_true(counts.all > 3000 && counts.same > 1000 && counts.refused > 500);
    /* More would mean that kiln refuses what people write. */
    assert_true(counts.stricter < counts.all / 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_are_what_pyyaml_makes_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
