/* Indexes in virt-builder's format: what is read, and what is refused with file and line. */

#include "repos/index.h"
#include "tests/unit/repos/world.h"

#define SHA512                                                                                     \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                             \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ENTRY  "arch=x86_64\nfile=a.xz\nsize=1024\n"

static void parse(const char *text, struct index *ret)
{
    _cleanup_error_ struct error *err = NULL;
    expect_success(index_parse(text, strlen(text), "index", NULL, ret, &err), &err);
}

static void every_field_is_read(void **state)
{
    (void)state;
    _cleanup_index_ struct index index = {0};
    parse("# the images\n\n[debian-12]\nname=Debian 12 (bookworm)\nosinfo=debian12\n"
          "arch=x86_64\nfile=images/debian-12.xz\nsig=debian-12.xz.sig\n"
          "checksum[sha512]=" SHA512 "\nchecksum[sha256]=" SHA256 "\nrevision=7\nformat=raw\n"
          "size=2147483648\ncompressed_size=123456\nexpand=/dev/sda3\n"
          "lvexpand=/dev/vg/root\nnotes=First\n\n third line\n \n  indented\n"
          "notes[de]=Auf Deutsch\naliases=debian stable  bookworm\nhidden=true\n"
          "future_field=whatever\nfuture[thing]=whatever\n",
          &index);
    assert_int_equal(index.count, 1);
    const struct index_entry *e = &index.entries[0];
    assert_string_equal(e->id, "debian-12");
    assert_string_equal(e->name, "Debian 12 (bookworm)");
    assert_string_equal(e->osinfo, "debian12");
    assert_string_equal(e->arch, "x86_64");
    assert_string_equal(e->file, "images/debian-12.xz");
    assert_string_equal(e->sig, "debian-12.xz.sig");
    assert_string_equal(e->checksum[DIGEST_SHA512], SHA512);
    assert_string_equal(e->checksum[DIGEST_SHA256], SHA256);
    assert_int_equal(e->revision, 7);
    assert_string_equal(e->format, "raw");
    assert_int_equal(e->size, 2147483648);
    assert_int_equal(e->compressed_size, 123456);
    assert_string_equal(e->expand, "/dev/sda3");
    assert_string_equal(e->lvexpand, "/dev/vg/root");
    assert_int_equal(e->note_count, 2);
    assert_string_equal(index_note(e, NULL), "First\n\nthird line\n\n indented");
    assert_string_equal(index_note(e, "de_AT.UTF-8"), "Auf Deutsch");
    assert_string_equal(e->aliases[0], "debian");
    assert_string_equal(e->aliases[2], "bookworm");
    assert_null(e->aliases[3]);
    assert_true(e->hidden);
    assert_int_equal(e->line, 3);
}

static void optional_fields_may_be_absent_or_empty(void **state)
{
    (void)state;
    _cleanup_index_ struct index index = {0};
    parse("[a]\n" ENTRY "osinfo=\nexpand=\n", &index);
    const struct index_entry *e = &index.entries[0];
    assert_null(e->name);
    assert_null(e->osinfo);
    assert_null(e->expand);
    assert_null(e->aliases);
    assert_null(e->checksum[DIGEST_SHA512]);
    assert_null(index_note(e, "en"));
    assert_int_equal(e->revision, 1);
    assert_false(e->hidden);
}

static void line_ends_and_blank_lines_do_not_matter(void **state)
{
    (void)state;
    _cleanup_index_ struct index index = {0};
    parse("\xef\xbb\xbf\r\n# comment\r\n\r\n[a]  \r\narch=x86_64\r\n\r\n  \t\r\nfile= a.xz \r\n"
          "# inside\r\nsize=1024\r\nnotes=one\r\n two\r\n\r\n[b]\r\n" ENTRY "hidden=false",
          &index);
    assert_int_equal(index.count, 2);
    assert_string_equal(index.entries[0].file, "a.xz");
    assert_string_equal(index_note(&index.entries[0], "C"), "one\ntwo");
    assert_false(index.entries[1].hidden);
}

static void an_empty_index_has_no_images(void **state)
{
    (void)state;
    _cleanup_index_ struct index index = {0};
    parse("", &index);
    parse("\n# nothing\n  \n", &index);
    assert_int_equal(index.count, 0);
}

static void one_id_may_come_for_several_arches(void **state)
{
    (void)state;
    _cleanup_index_ struct index index = {0};
    parse("[a]\n" ENTRY "[a]\narch=aarch64\nfile=b.xz\nsize=1\n", &index);
    assert_int_equal(index.count, 2);
    assert_string_equal(index.entries[1].arch, "aarch64");
}

static void the_plain_checksum_is_sha512_and_yields_to_the_named_one(void **state)
{
    (void)state;
    char other[129];
    memset(other, 'A', 128);
    other[128] = '\0';
    _cleanup_free_ char *text =
        str_printf(NULL,
                   "[a]\n" ENTRY "checksum=%s\n[b]\n" ENTRY "checksum=%s\nchecksum[sha512]=" SHA512
                   "\n[c]\n" ENTRY "checksum[sha512]=" SHA512 "\nchecksum=%s\n[d]\n" ENTRY
                   "checksum[md5]=0123\n",
                   other, other, other);
    _cleanup_index_ struct index index = {0};
    parse(text, &index);
    assert_int_equal(index.entries[0].checksum[DIGEST_SHA512][0], 'a');
    assert_string_equal(index.entries[1].checksum[DIGEST_SHA512], SHA512);
    assert_string_equal(index.entries[2].checksum[DIGEST_SHA512], SHA512);
    assert_null(index.entries[3].checksum[DIGEST_SHA512]);
}

static void armor_around_an_index_is_skipped(void **state)
{
    (void)state;
    _cleanup_index_ struct index index = {0};
    parse("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n[a]\n" ENTRY
          "-----BEGIN PGP SIGNATURE-----\n\nnot=looked at\n[b\n-----END PGP SIGNATURE-----\n",
          &index);
    assert_int_equal(index.count, 1);
}

static void notes_follow_the_locale(void **state)
{
    (void)state;
    _cleanup_index_ struct index index = {0};
    parse("[a]\n" ENTRY "notes=plain\nnotes[pt]=p\nnotes[pt_BR]=b\nnotes[de]=d\n[b]\n" ENTRY
          "notes[fr]=f\n",
          &index);
    static const struct {
        const char *locale, *note;
    } cases[] = {
        {"pt_BR.UTF-8", "b"}, {"pt_PT.UTF-8", "p"},     {"pt", "p"},
        {"de_DE@euro", "d"},  {"en_GB.UTF-8", "plain"}, {"C", "plain"},
        {"", "plain"},        {NULL, "plain"},          {"d", "plain"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(index_note(&index.entries[0], cases[i].locale), cases[i].note);
    assert_null(index_note(&index.entries[1], "en"));
    assert_string_equal(index_note(&index.entries[1], "fr_CH.UTF-8"), "f");
}

static void bad_indexes_are_refused_with_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"name=x\n", "index:1: a field before the first [section]"},
        {"[a]\n" ENTRY "size=2048\n", "index:5: size is given twice"},
        {"[a]\n" ENTRY "notes[de]=a\nnotes[de]=b\n", "index:6: notes[de] is given twice"},
        {"[a]\n" ENTRY "checksum=" SHA512 "\nchecksum=" SHA512 "\n", "index:6: checksum is given"},
        {"[a]\nfile=a\nsize=1\n", "index:1: [a] has no arch"},
        {"[a]\narch=\nfile=a\nsize=1\n", "index:1: [a] has no arch"},
        {"[a]\narch=x\nsize=1\n", "index:1: [a] has no file"},
        {"[a]\narch=x\nfile=a\n[b]\n", "index:1: [a] has no size"},
        {"[a]\narch=x\nfile=a\nsize=0\n", "index:1: [a] has no size"},
        {"[a]\nsize=12monkeys\n", "index:2: size=12monkeys: a number that fits in 63 bits"},
        {"[a]\nsize=-1\n", "size=-1: a number"},
        {"[a]\nsize=0x1000\n", "size=0x1000: a number"},
        {"[a]\nsize=6G\n", "size=6G: a number"},
        {"[a]\nsize=\n", "size=: a number"},
        {"[a]\nsize=9223372036854775808\n", "size=9223372036854775808: a number"},
        {"[a]\nsize=99999999999999999999999\n", "a number that fits"},
        {"[a]\nsize=1\n 2\n", "a number that fits"},
        {"[a]\nrevision=1.5\n", "revision=1.5: a number"},
        {"[a]\ncompressed_size=many\n", "compressed_size=many: a number"},
        {"[a]\nhidden=yes\n", "hidden=yes: true or false"},
        {"[a]\nchecksum=abc\n", "checksum=abc: 128 hexadecimal digits"},
        {"[a]\nchecksum[sha256]=" SHA512 "\n", "64 hexadecimal digits"},
        {"[a]\nchecksum[sha256]=x" SHA256 "\n", "64 hexadecimal digits"},
        {"[a]\nfile=../../etc/shadow\n", "index:2: file=../../etc/shadow: a relative path"},
        {"[a]\nfile=x/../y\n", "a relative path that stays inside"},
        {"[a]\nfile=x/..\n", "a relative path that stays inside"},
        {"[a]\nfile=x/%2e%2E/y\n", "a relative path that stays inside"},
        {"[a]\nfile=%2fetc/shadow\n", "a relative path that stays inside"},
        {"[a]\nfile=x%00y\n", "a relative path that stays inside"},
        {"[a]\nfile=..\\x\n", "a relative path that stays inside"},
        {"[a]\nfile=/etc/shadow\n", "a relative path that stays inside"},
        {"[a]\nfile=http://example.org/x\n", "a relative path that stays inside"},
        {"[a]\nfile=file:///etc/shadow\n", "a relative path that stays inside"},
        {"[a]\nsig=../x\n", "sig=../x: a relative path"},
        {"[a]\narch=x86 64\n", "arch=x86 64: a word"},
        {"[a]\narch=\x1b[2J\n", "arch=\\x1b[2J: a word"},
        {"[a]\naliases=a b\x01\n", "aliases=b\\x01: a list of words"},
        {"[a b]\n", "index:1: a section name is letters"},
        {"[a\n", "index:1: a section name is letters"},
        {"[]\n", "index:1: a section name is letters"},
        {"[a] x\n", "index:1: a section name is letters"},
        {"[a]\njust words\n", "index:2: neither [section] nor field=value"},
        {"[a]\n=x\n", "index:2: neither"},
        {"[a]\nnotes[=x\n", "index:2: neither"},
        {"[a]\nnotes[]=x\n", "index:2: neither"},
        {"[a]\n indented\n", "index:2: an indented line that continues no field"},
        {" indented\n", "index:1: an indented line that continues no field"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error *err = NULL;
        struct index index = {0};
        int r = index_parse(cases[i].text, strlen(cases[i].text), "index", NULL, &index, &err);
        expect_refusal(r, -EINVAL, &err, cases[i].message, NULL);
        assert_null(index.entries);
    }
}

static void a_bad_entry_is_left_out_alone(void **state)
{
    struct world *world = *state;
    static const char text[] =
        "[bad-field]\n" ENTRY "hidden=perhaps\nname=more\n second line\n\n[good]\n" ENTRY
        "\n[good]\n" ENTRY "\n[no-size]\narch=x\nfile=a\n[bad line]\n" ENTRY
        "[bad-line]\njust words\n" ENTRY "[last]\n" ENTRY;
    struct error *err = NULL;
    _cleanup_index_ struct index index = {0};
    expect_success(index_parse(text, strlen(text), "index", &world->reporter, &index, &err), &err);
    assert_int_equal(index.count, 2);
    assert_string_equal(index.entries[0].id, "good");
    assert_int_equal(index.entries[0].line, 9);
    assert_string_equal(index.entries[1].id, "last");
    assert_string_equal(
        world->warnings.data,
        "index:5: hidden=perhaps: true or false is expected; the image 'bad-field' is left out\n"
        "index:19: [no-size] has no size; the image 'no-size' is left out\n"
        "index:22: a section name is letters, digits, '-', '.' and '_' in square brackets; what "
        "stands there is left out\n"
        "index:27: neither [section] nor field=value; the image 'bad-line' is left out\n"
        "index:14: [good] for x86_64 is there twice, first in line 9; the image 'good' is left "
        "out\n");
}

static void many_bad_entries_are_counted(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct str text = {0};
    _cleanup_index_ struct index index = {0};
    str_append(&text, "[good]\n" ENTRY);
    for (int i = 0; i < 1000; i++)
        str_appendf(&text, "[bad-%d]\nsize=1\n", i);
    int r = index_parse(text.data, text.length, "index", &world->reporter, &index, &err);
    str_free(&text);
    expect_success(r, &err);
    assert_int_equal(index.count, 1);
    assert_non_null(strstr(world->warnings.data, "index: 990 more images are left out\n"));
}

static void hostile_lengths_and_bytes_are_refused(void **state)
{
    (void)state;
    struct error *err = NULL;
    struct index index = {0};
    _cleanup_free_ char *text = malloc(1 << 20);
    memset(text, 'x', 1 << 20);
    memcpy(text, "[a]\nname=", 9);
    expect_refusal(index_parse(text, 1 << 20, "index", NULL, &index, &err), -EINVAL, &err,
                   "index:2: the line is longer than 64 KiB", NULL);
    expect_refusal(index_parse("[a]\nname=\0x\n", 12, "index", NULL, &index, &err), -EINVAL, &err,
                   "index:2: the line has a NUL byte in it", NULL);
}

static void many_entries_take_little_time_and_too_many_are_refused(void **state)
{
    (void)state;
    struct error *err = NULL;
    _cleanup_index_ struct index index = {0};
    struct str text = {0};
    for (int i = 0; i < 65536; i++)
        str_appendf(&text, "[image-%d]\n" ENTRY, i);
    int r = index_parse(text.data, text.length, "index", NULL, &index, &err);
    expect_success(r, &err);
    assert_int_equal(index.count, 65536);
    index_free(&index);
    str_append(&text, "[one-more]\n" ENTRY);
    r = index_parse(text.data, text.length, "index", NULL, &index, &err);
    str_free(&text);
    expect_refusal(r, -EINVAL, &err, "more than 65536 images", NULL);
}

/* Published by the real virt-builder-repository. */
static void an_index_of_virt_builder_repository_is_read(void **state)
{
    (void)state;
    _cleanup_free_ char *text = NULL;
    _cleanup_error_ struct error *err = NULL;
    _cleanup_index_ struct index index = {0};
    size_t size = 0;
    expect_success(
        file_read("tests/golden/index-virt-builder-repository", 1 << 20, &text, &size, &err), &err);
    expect_success(index_parse(text, size, "index", NULL, &index, &err), &err);
    assert_int_equal(index.count, 2);
    const struct index_entry *e = &index.entries[0];
    assert_string_equal(e->id, "mini");
    assert_string_equal(e->arch, "x86_64");
    assert_string_equal(e->format, "raw");
    assert_non_null(e->checksum[DIGEST_SHA512]);
    assert_true(e->size > 0 && e->compressed_size > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(optional_fields_may_be_absent_or_empty),
        cmocka_unit_test(line_ends_and_blank_lines_do_not_matter),
        cmocka_unit_test(an_empty_index_has_no_images),
        cmocka_unit_test(one_id_may_come_for_several_arches),
        cmocka_unit_test(the_plain_checksum_is_sha512_and_yields_to_the_named_one),
        cmocka_unit_test(armor_around_an_index_is_skipped),
        cmocka_unit_test(notes_follow_the_locale),
        cmocka_unit_test(bad_indexes_are_refused_with_their_line),
        world_test(a_bad_entry_is_left_out_alone),
        world_test(many_bad_entries_are_counted),
        cmocka_unit_test(hostile_lengths_and_bytes_are_refused),
        cmocka_unit_test(many_entries_take_little_time_and_too_many_are_refused),
        cmocka_unit_test(an_index_of_virt_builder_repository_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
