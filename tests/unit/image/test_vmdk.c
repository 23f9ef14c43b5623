/* VMDK descriptors: what is read, and that QEMU reads the same of whatever is accepted. */

#include <jansson.h>

#include "image/check.h"
#include "image/trust.h"
#include "image/vmdk.h"
#include "tests/unit/image/scratch.h"

#define HEAD(type)                                                                                 \
    "# Disk DescriptorFile\nversion=1\nCID=123a5678\nparentCID=ffffffff\ncreateType=\"" type "\""  \
    "\n"
#define FLAT   HEAD("twoGbMaxExtentFlat")
#define SPARSE HEAD("twoGbMaxExtentSparse")
#define FILE_A "RW 2048 FLAT \"a.img\" 0\n"

/* A text of more than that many bytes, in comments. */
static char *long_text(const char *before, size_t bytes, const char *after)
{
    struct str text = {0};
    str_append(&text, before);
    while (text.length < bytes)
        str_append(&text, "# Nothing of interest is said in this line.\n");
    str_append(&text, after);
    return str_take(&text, NULL);
}

static void put(const char *path, const char *text)
{
    make_file(path, 0);
    write_at(path, 0, text, strlen(text));
}

/* The files that the descriptors of this test name. */
static void make_extents(void)
{
    make_file("a.img", 1 << 20);
    make_file("b.img", 1 << 20);
    make_file("with space.img", 1 << 20);
    make_file("caf\xc3\xa9.img", 1 << 20);
    must("qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse", "s.vmdk",
         "1M");
}

static int check(const char *path, struct error **err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    struct vmdk_facts facts = {0};
    int r = vmdk_check(fd, path, &facts, err);
    free(facts.parent);
    close(fd);
    return r;
}

/* Why nothing can be written into an image that is accepted; NULL: it can. */
static const char *fixed(const char *path)
{
    struct error *error = NULL;
    struct vmdk_facts facts = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    if (vmdk_check(fd, path, &facts, &error) < 0)
        fail_msg("%s", error_message(error));
    free(facts.parent);
    close(fd);
    return facts.fixed;
}

static void must_fail(const char *path, const char *text)
{
    struct error *error = NULL;
    if (check(path, &error) == 0)
        fail_msg("%s was accepted, but should fail with '%s'", path, text);
    bool elsewhere = strstr(text, "beside it") || strstr(text, "symbolic link");
    assert_int_equal(error_errno(error), elsewhere ? EUNTRUSTED : EINVAL);
    if (!strstr(error_message(error), text))
        fail_msg("'%s' lacks '%s'", error_message(error), text);
    error_free(error);
}

static void read_image(const char *path, struct vmdk *ret)
{
    struct error *error = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    if (vmdk_read(fd, path, ret, &error) < 0)
        fail_msg("%s", error_message(error));
    close(fd);
}

/* What QEMU tells of an image must be what the descriptor says. */
static void must_agree(const char *path)
{
    char *out = NULL;
    _cleanup_vmdk_ struct vmdk vmdk = {0};
    read_image(path, &vmdk);
    const char *argv[] = {"qemu-img", "info", "--output=json", "-f", "vmdk", path, NULL};
    assert_int_equal(tool_output(argv, &out), 0);
    json_t *info = json_loads(out, 0, NULL);
    free(out);
    json_t *data = json_object_get(json_object_get(info, "format-specific"), "data");
    json_t *extents = json_object_get(data, "extents");
    assert_int_equal(json_integer_value(json_object_get(info, "virtual-size")),
                     vmdk.descriptor.sectors * VMDK_SECTOR);
    if (vmdk.alone)
        assert_string_equal(json_string_value(json_object_get(data, "create-type")),
                            vmdk.descriptor.create_type);
    assert_int_equal(json_array_size(extents), vmdk.descriptor.count);
    for (size_t i = 0; vmdk.alone && i < vmdk.descriptor.count; i++)
        assert_string_equal(
            json_string_value(json_object_get(json_array_get(extents, i), "filename")),
            vmdk.descriptor.extents[i].name);
    json_decref(info);
}

static const char *const accepted[] = {
    FLAT FILE_A,
    HEAD("monolithicFlat") FILE_A,
    HEAD("vmfs") "RW 2048 VMFS \"a.img\"\n",
    SPARSE "RW 2048 SPARSE \"s-s001.vmdk\"\n",
    HEAD("vmfsSparse") "RW 2048 VMFSSPARSE \"s-s001.vmdk\"\n",
    /* Several extents, also of several kinds and of one file. */
    FLAT FILE_A "RW 2048 FLAT \"b.img\" 0\n",
    FLAT "RW 1024 FLAT \"a.img\" 1024\nRW 1024 FLAT \"a.img\" 0\n",
    FLAT FILE_A "RW 2048 VMFS \"b.img\"\nRW 2048 SPARSE \"s-s001.vmdk\"\n",
    /* White space as sscanf() has it. */
    FLAT "RW\t2048\tFLAT\t\"a.img\"\t0\t\n",
    FLAT "RW\v2048\fFLAT\r\"a.img\"\v0\n",
    FLAT "   RW   2048   FLAT   \"a.img\"   0   \n",
    FLAT "\v\fRW 2048 FLAT \"a.img\" 0\r\n",
    FLAT "RW 2048 FLAT \"a.img\" 0",
    FLAT "RW 02048 FLAT \"a.img\" 00\n",
    "# Disk DescriptorFile\r\nversion=1\r\nCID=1\r\nparentCID=ffffffff\r\n"
    "createType=\"monolithicFlat\"\r\n\r\n# Extent description\r\nRW 2048 FLAT \"a.img\" 0\r\n"
    "\r\n#DDB\r\nddb.adapterType = \"ide\"\r\n",
    /* Other lines and keys. */
    "\n \t\n" FLAT "\n# Extent description\n#RW 2048 FLAT \"/nowhere\" 0\n" FILE_A "\n#DDB\n\n",
    "# Disk DescriptorFile\nversion=3\nencoding=\"UTF-8\"\nCID=FFFFFFFE\nparentCID=ffffffff\n"
    "isNativeSnapshot=\"no\"\ncreateType=\"vmfs\"\nRW 2048 VMFS \"a.img\"\n"
    "changeTrackPath=\"x-ctk.vmdk\"\nddb.geometry.cylinders = \"16\"\nddb.thinProvisioned=\"1\"\n"
    "ddb.uuid = \"60 00 C2 9d\"\nddb.empty = \"\"\nddb.number = 4\n",
    FILE_A FLAT,
    FLAT "RW 2048 FLAT \"with space.img\" 0\n",
    FLAT "RW 2048 FLAT \"caf\xc3\xa9.img\" 0\n",
};

static void qemu_reads_the_same_of_what_is_accepted(void **state)
{
    (void)state;
    make_extents();
    for (size_t i = 0; i < ARRAY_SIZE(accepted); i++) {
        struct error *error = NULL;
        put("disk.vmdk", accepted[i]);
        if (check("disk.vmdk", &error) < 0)
            fail_msg("%s\n%s", error_message(error), accepted[i]);
        must_agree("disk.vmdk");
    }
}

static const struct {
    const char *text, *message;
} refused[] = {
    /* What QEMU opens or counts, though it is no plain line. */
    {FLAT "\n" FILE_A, "behind an empty line"},
    {FLAT " \r\n" FILE_A, "behind an empty line"},
    {FLAT "RW 2048 FLAT \"a.img\"\n0\n", "needs an offset"},
    {FLAT "RW\n2048 FLAT \"a.img\" 0\n", "no valid size"},
    {FLAT "RW 2048\nFLAT \"a.img\" 0\n", "of an unknown type"},
    {FLAT "RW 2048 FLAT\n\"a.img\" 0\n", "no file name in quotes"},
    {FLAT "RW 2048 VMFS \"a.img\n", "no file name in quotes"},
    {FLAT "RW 2048 VMFS \"a.img\r\"\n", "over two lines"},
    {FLAT "RW 2048 VMFS \"a.img\" junk\n", "text behind the file name"},
    {FLAT "RW 2048 FLAT \"a.img\" 0junk\n", "needs an offset"},
    {FLAT "RW 2048 FLAT \"a.img\"0\n", "needs an offset"},
    {FLAT "RW 2048FLAT \"a.img\" 0\n", "no valid size"},
    {FLAT "RW +2048 FLAT \"a.img\" 0\n", "no valid size"},
    {HEAD("vmfsSparse") "RW 2048 VMFSSPARSE\"s-s001.vmdk\"\n", "of an unknown type"},
    /* What QEMU skips. */
    {FLAT FILE_A "rw 2048 FLAT \"b.img\" 0\n", "neither an extent nor a known key"},
    {FLAT FILE_A "RW 2048 flat \"b.img\" 0\n", "of an unknown type"},
    {FLAT FILE_A "RW 2048 VMFSSPARSEX \"b.img\"\n", "of an unknown type"},
    {FLAT FILE_A "RDONLY 2048 FLAT \"b.img\" 0\n", "QEMU leaves out VMDK extents like RDONLY"},
    {FLAT FILE_A "NOACCESS 2048 FLAT \"b.img\" 0\n", "like NOACCESS 2048 FLAT"},
    {FLAT FILE_A "RW 2048 ZERO\n", "like RW 2048 ZERO"},
    {FLAT "RW 2048 ZERO \"a.img\"\n", "a name behind ZERO"},
    {HEAD("vmfs") "RW 2048 VMFSRDM \"a.img\"\n", "like RW 2048 VMFSRDM"},
    {HEAD("vmfs") "RW 2048 VMFSRDMP \"a.img\"\n", "like RW 2048 VMFSRDMP"},
    {HEAD("vmfs") "RW 2048 VMFSRAW \"a.img\"\n", "like RW 2048 VMFSRAW"},
    {FLAT FILE_A "RW 0 FLAT \"b.img\" 0\n", "no valid size"},
    {FLAT FILE_A "RW -8 FLAT \"b.img\" 0\n", "no valid size"},
    {FLAT FILE_A "unknown=\"1\"\n", "an unknown key"},
    {FLAT FILE_A "version = \"1\" x\n", "misplaced quotes"},
    {FLAT FILE_A "ddb.comment = a \" b\n", "misplaced quotes"},
    {FLAT FILE_A "ddb. = \"1\"\n", "an unknown key"},
    {FLAT FILE_A "no key\n", "neither an extent nor a known key"},
    {FLAT "RW 2048 VMFS \"a.img\" 0\n", "text behind the file name"},
    {FLAT "RW 2048 SPARSE \"s-s001.vmdk\" 0\n", "text behind the file name"},
    {FLAT "RW 2048 FLAT \"a.img\" -1\n", "needs an offset"},
    {FLAT "RW 2048 FLAT \"\" 0\n", "empty"},
    {FLAT "RW 18446744073709551617 FLAT \"a.img\" 0\n", "no valid size"},
    {FLAT "RW 18014398509481983 FLAT \"a.img\" 0\n" FILE_A, "no valid size"},
    {FLAT "RW 8 FLAT \"a.img\" 18014398509481983\n", "behind the greatest offset"},
    {FLAT, "names no extent"},
    /* Keys that QEMU takes from anywhere. */
    {"# createType=\"vmfs\"\n" FLAT FILE_A, "'createType' in a place"},
    {"# parentFileNameHint=\"/etc/passwd\"\n" FLAT FILE_A, "'parentFileNameHint' in a place"},
    {FLAT FILE_A "ddb.x = \"parentFileNameHint=\"\n", "'parentFileNameHint' in a place"},
    {FLAT FILE_A "parentFileNameHint = \"a.img\"\n", "an unknown key"},
    {FLAT FILE_A "parentFileNameHint=a.img\n", "needs a text in quotes"},
    {FLAT FILE_A "createType=\"vmfs\"\n", "repeats a key"},
    {"# CID=1\n" FLAT FILE_A, "'CID' in a place"},
    {"parentCID=ffffffff\nCID=1\ncreateType=\"vmfs\"\n" FILE_A, "'CID' in a place"},
    {"CID=1\ncreateType=\"vmfs\"\n" FILE_A, "no key 'parentCID'"},
    {"CID=1\nparentCID=ffffffff\n" FILE_A, "no key 'createType'"},
    {"CID=x\nparentCID=ffffffff\n", "a hexadecimal number"},
    {"CID=123456789\nparentCID=ffffffff\n", "a hexadecimal number"},
    {"createType = \"vmfs\"\nCID=1\nparentCID=ffffffff\n", "an unknown key"},
    {HEAD("monolithicSparse") FILE_A, "images of the type 'monolithicSparse'"},
    {HEAD("fullDevice") FILE_A, "images of the type 'fullDevice'"},
    {HEAD("MonolithicFlat") FILE_A, "images of the type 'MonolithicFlat'"},
    {"", "no key 'createType'"},
    /* Names that are not plain, and other things than regular files. */
    {FLAT "RW 8 FLAT \"/etc/passwd\" 0\n", "'/etc/passwd', which is not beside it"},
    {FLAT "RW\f8\vFLAT\r\"/etc/passwd\"\t0\n", "'/etc/passwd', which is not beside it"},
    {FLAT "RW 8 FLAT \"../a.img\" 0\n", "which is not beside it"},
    {FLAT "RW 8 FLAT \"./a.img\" 0\n", "which is not beside it"},
    {FLAT "RW 8 FLAT \"folder/a.img\" 0\n", "which is not beside it"},
    {FLAT "RW 8 FLAT \"..\" 0\n", "which is not beside it"},
    {FLAT "RW 8 FLAT \"file:a.img\" 0\n", "which is not beside it"},
    {FLAT "RW 8 FLAT \"json:{'driver':'file','filename':'a.img'}\" 0\n", "not beside it"},
    {FLAT "RW 8 FLAT \"nbd:127.0.0.1:1\" 0\n", "which is not beside it"},
    {FLAT "RW 8 FLAT \"link\" 0\n", "'link' is a symbolic link"},
    {FLAT "RW 8 FLAT \"folder\" 0\n", "'folder' is not a regular file"},
    {FLAT "RW 8 FLAT \"fifo\" 0\n", "'fifo' is not a regular file"},
    {FLAT "RW 8 FLAT \"disk.vmdk\" 0\n", "names itself"},
    {FLAT "RW 8 FLAT \"hard.vmdk\" 0\n", "names itself"},
    {SPARSE "RW 8 SPARSE \"a.img\"\n", "'a.img' is not a sparse extent"},
};

static void what_is_not_understood_in_full_is_refused(void **state)
{
    (void)state;
    make_extents();
    assert_int_equal(symlink("a.img", "link"), 0);
    assert_int_equal(mkdir("folder", 0755), 0);
    assert_int_equal(mkfifo("fifo", 0644), 0);
    put("disk.vmdk", "");
    assert_int_equal(link("disk.vmdk", "hard.vmdk"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        assert_int_equal(truncate("disk.vmdk", 0), 0);
        write_at("disk.vmdk", 0, refused[i].text, strlen(refused[i].text));
        must_fail("disk.vmdk", refused[i].message);
    }
}

static void a_missing_extent_is_named(void **state)
{
    (void)state;
    struct error *error = NULL;
    put("disk.vmdk", FLAT "RW 8 FLAT \"gone.img\" 0\n");
    assert_int_equal(check("disk.vmdk", &error), -ENOENT);
    assert_non_null(strstr(error_message(error), "disk.vmdk: cannot open the extent 'gone.img'"));
    error_free(error);
}

static void nul_bytes_are_padding_or_refused(void **state)
{
    (void)state;
    static const char hidden[] = FLAT FILE_A "\0\nparentFileNameHint=\"x\"\n";
    static const char within[] = FLAT "RW 8 FLAT \"a.img\0etc/x\" 0\n";
    make_extents();
    /* QEMU itself leaves a descriptor file so. */
    put("disk.vmdk", FLAT FILE_A);
    assert_int_equal(truncate("disk.vmdk", VMDK_EMBEDDED_MAX), 0);
    assert_int_equal(check("disk.vmdk", NULL), 0);
    must_agree("disk.vmdk");
    /* With the end of the text from before it wrote a shorter CID. */
    write_at("disk.vmdk", strlen(FLAT FILE_A) + 1, "a\" 0\n\n", 6);
    assert_int_equal(check("disk.vmdk", NULL), 0);
    must_agree("disk.vmdk");
    write_at("disk.vmdk", strlen(FLAT FILE_A) + 7, "x", 1);
    must_fail("disk.vmdk", "a NUL byte in its text");
    make_file("disk.vmdk", 0);
    write_at("disk.vmdk", 0, hidden, sizeof(hidden) - 1);
    must_fail("disk.vmdk", "a NUL byte in its text");
    make_file("disk.vmdk", 0);
    write_at("disk.vmdk", 0, within, sizeof(within) - 1);
    must_fail("disk.vmdk", "a NUL byte in its text");
}

static void a_long_descriptor_is_read_as_far_as_qemu_reads(void **state)
{
    (void)state;
    make_extents();
    _cleanup_free_ char *many = long_text(FLAT, VMDK_EMBEDDED_MAX, FILE_A);
    put("disk.vmdk", many);
    assert_int_equal(check("disk.vmdk", NULL), 0);
    must_agree("disk.vmdk");
    _cleanup_free_ char *late = long_text(FLAT, VMDK_EMBEDDED_MAX, "parentFileNameHint=\"x\"\n");
    put("disk.vmdk", late);
    must_fail("disk.vmdk", "is behind the part");
    _cleanup_free_ char *huge = long_text(FLAT FILE_A, VMDK_DESCRIPTOR_MAX, "# end\n");
    put("disk.vmdk", huge);
    must_fail("disk.vmdk", "is longer than");
    char name[VMDK_EXTENT_NAME_MAX + 2] = {0};
    memset(name, 'a', sizeof(name) - 1);
    _cleanup_free_ char *wide = str_printf(NULL, "%sRW 8 VMFS \"%s\"\n", FLAT, name);
    put("disk.vmdk", wide);
    must_fail("disk.vmdk", "too long");
}

/* The images that qemu-img makes. */
static void every_subformat_of_qemu_is_accepted(void **state)
{
    (void)state;
    static const char *const options[] = {
        "subformat=monolithicSparse",
        "subformat=monolithicFlat",
        "subformat=twoGbMaxExtentSparse",
        "subformat=twoGbMaxExtentFlat",
        "subformat=streamOptimized",
        "subformat=monolithicSparse,adapter_type=lsilogic",
        "subformat=monolithicFlat,hwversion=7",
    };
    make_file("raw", UINT64_C(5) << 30);
    write_pattern("raw", 1 << 20, 100000);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        struct error *error = NULL;
        must("qemu-img", "convert", "-O", "vmdk", "-o", options[i], "raw", "disk.vmdk");
        if (check("disk.vmdk", &error) < 0)
            fail_msg("%s: %s", options[i], error_message(error));
        must_agree("disk.vmdk");
        must("sh", "-c", "rm disk*");
    }
}

/* Flips bits of the header of the sparse extent. */
static void set_header(const char *path, unsigned offset, uint8_t bits)
{
    uint8_t byte = 0;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte |= bits;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

static void what_cannot_be_written_is_known(void **state)
{
    (void)state;
    static const struct {
        const char *options, *image;
        unsigned offset;
        uint8_t bits;
        const char *why;
    } cases[] = {
        {"subformat=monolithicSparse", "disk.vmdk", 0, 0, NULL},
        {"subformat=twoGbMaxExtentSparse", "disk-s001.vmdk", 0, 0, NULL},
        {"subformat=monolithicFlat", "disk.vmdk", 0, 0, NULL},
        {"subformat=streamOptimized", "disk.vmdk", 0, 0, "is compressed"},
        /* Bits 16 and 17 of the flags, and the algorithm of the compression, each alone. */
        {"subformat=monolithicSparse", "disk.vmdk", 10, 1, "is compressed"},
        {"subformat=monolithicSparse", "disk.vmdk", 10, 2, "is a stream"},
        {"subformat=monolithicSparse", "disk.vmdk", 77, 1, "is compressed"},
        {"subformat=twoGbMaxExtentSparse", "disk-s001.vmdk", 77, 1, "is compressed"},
        {"subformat=twoGbMaxExtentSparse", "disk-s001.vmdk", 10, 2, "is a stream"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        must("qemu-img", "create", "-q", "-f", "vmdk", "-o", cases[i].options, "disk.vmdk", "1M");
        set_header(cases[i].image, cases[i].offset, cases[i].bits);
        const char *why = fixed("disk.vmdk");
        if (!cases[i].why)
            assert_null(why);
        else
            assert_string_equal(why, cases[i].why);
        must("sh", "-c", "rm disk*");
    }
    must("qemu-img", "create", "-q", "-f", "vmdk", "disk.vmdk", "1M");
    static const uint8_t at_end[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    write_at("disk.vmdk", 56, at_end, sizeof(at_end));
    assert_string_equal(fixed("disk.vmdk"), "is a stream");
}

/* Which QEMU does not look at: the extent is the image itself. Programs that make streams for
 * appliances write RDONLY there. */
static void a_read_only_extent_inside_the_image_is_read(void **state)
{
    (void)state;
    must("qemu-img", "create", "-q", "-f", "vmdk", "disk.vmdk", "1M");
    must("sed", "-i", "s/RW 2048 SPARSE \"disk.vmdk\"/RDONLY 2048 SPARSE \"a.vmdk\"/", "disk.vmdk");
    assert_string_equal(fixed("disk.vmdk"), "is read-only by its own descriptor");
    must_agree("disk.vmdk");
}

static void what_qemu_has_written_into_is_read_again(void **state)
{
    (void)state;
    must("qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", "disk.vmdk",
         "1M");
    for (int i = 0; i < 16; i++) { /* the CID is random, and sometimes short */
        must("qemu-io", "-f", "vmdk", "-c", "write -P 5 0 64k", "disk.vmdk");
        assert_int_equal(check("disk.vmdk", NULL), 0);
    }
    must_agree("disk.vmdk");
}

/* The whole chain of an image: how many layers, or the error's message. */
static int count_layers(const char *path, struct error **err)
{
    const struct image_trust trust = {0};
    _cleanup_image_chain_ struct image_chain chain = {0};
    int r = image_check_path(path, IMAGE_AUTO, &trust, &chain, err);
    return r < 0 ? r : (int)chain.count;
}

static void a_parent_is_judged_as_a_backing_file_is(void **state)
{
    (void)state;
    _cleanup_vmdk_ struct vmdk vmdk = {0};
    _cleanup_error_ struct error *outside = NULL, *linked = NULL, *changed = NULL;
    must("qemu-img", "create", "-q", "-f", "vmdk", "base.vmdk", "1M");
    must("qemu-img", "create", "-q", "-f", "vmdk", "-b", "base.vmdk", "-F", "vmdk", "top.vmdk");
    read_image("top.vmdk", &vmdk);
    assert_string_equal(vmdk.descriptor.parent, "base.vmdk");
    assert_int_not_equal(vmdk.descriptor.parent_cid, UINT32_MAX);
    assert_false(vmdk.alone);
    assert_int_equal(count_layers("top.vmdk", NULL), 2);

    /* Beside the image on top, whatever links lead there. */
    must("mkdir", "apart");
    must("cp", "top.vmdk", "apart/top.vmdk");
    must("ln", "-s", "../base.vmdk", "apart/base.vmdk");
    assert_int_equal(count_layers("apart/top.vmdk", &linked), -EUNTRUSTED);
    assert_non_null(strstr(error_message(linked), "its backing file is unusable"));
    must("qemu-img", "create", "-q", "-f", "vmdk", "-b", "../base.vmdk", "-F", "vmdk",
         "apart/up.vmdk");
    assert_int_equal(count_layers("apart/up.vmdk", &outside), -EUNTRUSTED);

    must("qemu-io", "-f", "vmdk", "-c", "write -P 5 0 64k", "base.vmdk");
    assert_int_equal(count_layers("top.vmdk", &changed), -EINVAL);
    assert_non_null(strstr(error_message(changed), "was changed after top.vmdk"));
}

/* A sparse image of which the descriptor is replaced. */
static void make_embedded(const char *path, const char *text, uint64_t capacity)
{
    uint8_t sectors[VMDK_EMBEDDED_MAX] = {0}, bytes[8];
    must("qemu-img", "create", "-q", "-f", "vmdk", path, "1M");
    memcpy(sectors, text, strlen(text));
    write_at(path, VMDK_SECTOR, sectors, sizeof(sectors));
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(capacity >> 8 * i);
    write_at(path, 12, bytes, sizeof(bytes));
}

static void an_embedded_descriptor_is_read_by_the_same_rules(void **state)
{
    (void)state;
    make_extents();
    make_embedded("disk.vmdk", HEAD("monolithicSparse") "RW 2048 SPARSE \"other.vmdk\"\n", 2048);
    assert_int_equal(check("disk.vmdk", NULL), 0);
    must_agree("disk.vmdk");
    make_embedded("disk.vmdk", HEAD("monolithicSparse") "RW 2048 SPARSE \"/etc/passwd\"\n", 2048);
    must_fail("disk.vmdk", "which is not beside it");
    make_embedded("disk.vmdk", "# parentFileNameHint=\"/etc/passwd\"\n" FLAT FILE_A, 2048);
    must_fail("disk.vmdk", "'parentFileNameHint' in a place");
    /* Without data of its own the image is what the descriptor names. */
    make_embedded("disk.vmdk", FLAT FILE_A, 0);
    assert_int_equal(check("disk.vmdk", NULL), 0);
    must_agree("disk.vmdk");
    make_embedded("disk.vmdk", FLAT "RW\v8 FLAT \"/etc/passwd\" 0\n", 0);
    must_fail("disk.vmdk", "which is not beside it");
    make_embedded("disk.vmdk", FLAT "RW 8 FLAT \"disk.vmdk\" 0\n", 0);
    must_fail("disk.vmdk", "names itself");
}

static void the_place_of_an_embedded_descriptor_is_checked(void **state)
{
    (void)state;
    static const uint8_t two[8] = {2}, none[8] = {0};
    make_embedded("disk.vmdk", HEAD("monolithicSparse") "RW 8 SPARSE \"a.img\"\n", 2048);
    write_at("disk.vmdk", 28, two, sizeof(two));
    must_fail("disk.vmdk", "no descriptor in its second sector");
    write_at("disk.vmdk", 28, none, sizeof(none));
    must_fail("disk.vmdk", "no descriptor in its second sector");
    /* It may not be longer than its space: QEMU reads on. */
    _cleanup_free_ char *text = long_text(HEAD("vmfs"), 1000, "RW 8 SPARSE \"a.img\"\n");
    make_embedded("disk.vmdk", text, 2048);
    assert_int_equal(check("disk.vmdk", NULL), 0);
    write_at("disk.vmdk", 36, two, sizeof(two));
    must_fail("disk.vmdk", "is longer than 1024 bytes");
}

/* QEMU opens the extents of an extent. */
static void an_extent_with_a_descriptor_is_refused(void **state)
{
    (void)state;
    make_extents();
    make_embedded("inner.vmdk", FLAT "RW 8 FLAT \"/etc/passwd\" 0\n", 0);
    put("disk.vmdk", SPARSE "RW 2048 SPARSE \"inner.vmdk\"\n");
    must_fail("disk.vmdk", "'inner.vmdk' is not a sparse extent");
    put("disk.vmdk", SPARSE "RW 2048 VMFSSPARSE \"inner.vmdk\"\n");
    must_fail("disk.vmdk", "'inner.vmdk' is not a sparse extent");
}

static void extents_lie_beside_the_name_that_was_given(void **state)
{
    (void)state;
    make_extents();
    assert_int_equal(mkdir("folder", 0755), 0);
    put("disk.vmdk", FLAT FILE_A);
    assert_int_equal(symlink("../disk.vmdk", "folder/link.vmdk"), 0);
    struct error *error = NULL;
    assert_int_equal(check("folder/link.vmdk", &error), -ENOENT);
    error_free(error);
    make_file("folder/a.img", 1 << 20);
    assert_int_equal(check("folder/link.vmdk", NULL), 0);
}

static void the_descriptor_can_be_had_in_full(void **state)
{
    (void)state;
    static const char text[] = HEAD("custom") "parentFileNameHint=\"C:\\disks\\base.vmdk\"\n"
                                              "RDONLY 8 FLAT \"a b\" 4\nNOACCESS 16 ZERO\n"
                                              "RW 32 SESPARSE \"c\"\n";
    _cleanup_vmdk_descriptor_ struct vmdk_descriptor d = {0};
    assert_int_equal(vmdk_descriptor_parse(text, sizeof(text), "disk", &d, NULL), 0);
    assert_string_equal(d.create_type, "custom");
    assert_string_equal(d.parent, "C:\\disks\\base.vmdk");
    assert_int_equal(d.cid, 0x123a5678);
    assert_int_equal(d.parent_cid, UINT32_MAX);
    assert_int_equal(d.sectors, 56);
    assert_int_equal(d.count, 3);
    assert_int_equal(d.extents[0].access, VMDK_RDONLY);
    assert_int_equal(d.extents[0].sectors, 8);
    assert_int_equal(d.extents[0].type, VMDK_FLAT);
    assert_string_equal(d.extents[0].name, "a b");
    assert_int_equal(d.extents[0].offset, 4);
    assert_int_equal(d.extents[1].access, VMDK_NOACCESS);
    assert_int_equal(d.extents[1].type, VMDK_ZERO);
    assert_null(d.extents[1].name);
    assert_int_equal(d.extents[2].type, VMDK_SESPARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(qemu_reads_the_same_of_what_is_accepted),
        scratch_test(what_is_not_understood_in_full_is_refused),
        scratch_test(a_missing_extent_is_named),
        scratch_test(nul_bytes_are_padding_or_refused),
        scratch_test(a_long_descriptor_is_read_as_far_as_qemu_reads),
        scratch_test(every_subformat_of_qemu_is_accepted),
        scratch_test(what_cannot_be_written_is_known),
        scratch_test(a_read_only_extent_inside_the_image_is_read),
        scratch_test(what_qemu_has_written_into_is_read_again),
        scratch_test(a_parent_is_judged_as_a_backing_file_is),
        scratch_test(an_embedded_descriptor_is_read_by_the_same_rules),
        scratch_test(the_place_of_an_embedded_descriptor_is_checked),
        scratch_test(an_extent_with_a_descriptor_is_refused),
        scratch_test(extents_lie_beside_the_name_that_was_given),
        scratch_test(the_descriptor_can_be_had_in_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
