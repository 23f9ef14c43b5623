/* The qcow2 reader and the overlays we make, against qemu-img's word. */

#include "base/endian.h"
#include "image/copy.h"
#include "image/qcow2.h"
#include "image/qcow2_format.h"
#include "tests/unit/image/scratch.h"

enum { disk_size = 24 << 20 };

/* A disk with data of many lengths at odd places, and holes. */
static void make_disk(const char *path)
{
    make_file(path, disk_size);
    write_pattern(path, 0, 3000);
    write_pattern(path, 65536 * 3 - 700, 1400);
    write_pattern(path, 5 << 20, 1 << 20);
    write_pattern(path, (20 << 20) + 4096, 512);
    /* Something that compresses well. */
    char *text = malloc(1 << 20);
    memset(text, 'k', 1 << 20);
    write_at(path, 12 << 20, text, 1 << 20);
    free(text);
    write_pattern(path, disk_size - 100, 100);
}

static void convert(const char *from, const char *to, const char *options, bool compress)
{
    must("qemu-img", "convert", "-q", "-f", "raw", "-O", "qcow2", "-o", options,
         compress ? "-c" : "-q", from, to);
}

static void every_kind_reads_as_the_raw_disk(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        bool compress;
    } kinds[] = {
        {"compat=1.1", false},
        {"compat=0.10", false},
        {"compat=1.1,cluster_size=512", false},
        {"compat=1.1,cluster_size=2M", false},
        {"compat=1.1,refcount_bits=64,lazy_refcounts=on", false},
        {"compat=1.1,preallocation=metadata", false},
        {"compat=1.1,preallocation=falloc,cluster_size=4k", false},
        {"compat=1.1", true},
        {"compat=0.10,cluster_size=4k", true},
        {"compat=1.1,cluster_size=2M", true},
        {"compat=1.1,compression_type=zstd", true},
        {"compat=1.1,compression_type=zstd,cluster_size=1k", true},
    };
    make_disk("raw");
    _cleanup_block_ struct block *raw = must_open("raw", IMAGE_RAW, false);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        convert("raw", "image", kinds[i].options, kinds[i].compress);
        _cleanup_block_ struct block *image = must_open("image", IMAGE_AUTO, false);
        assert_string_equal(image->ops->name, "qcow2");
        must_equal(raw, image);
        uint64_t data = check_extents(image);
        assert_true(data > 2 << 20);
        if (!strstr(kinds[i].options, "preallocation"))
            assert_true(data <= 12 << 20);
    }
}

static void the_digest_is_that_of_the_raw_disk(void **state)
{
    (void)state;
    char raw_hex[DIGEST_MAX_HEX], hex[DIGEST_MAX_HEX];
    make_disk("raw");
    convert("raw", "image", "compat=1.1", true);
    _cleanup_block_ struct block *raw = must_open("raw", IMAGE_RAW, false);
    _cleanup_block_ struct block *image = must_open("image", IMAGE_AUTO, false);
    assert_int_equal(block_digest(raw, DIGEST_SHA256, raw_hex, NULL), 0);
    assert_int_equal(block_digest(image, DIGEST_SHA256, hex, NULL), 0);
    assert_string_equal(raw_hex, hex);
}

static void zero_clusters_hide_the_backing_file(void **state)
{
    (void)state;
    make_disk("raw");
    must("qemu-img", "create", "-q", "-f", "qcow2", "-b", "raw", "-F", "raw", "top");
    must("qemu-io", "-f", "qcow2", "-c", "write -z 5M 1M", "-c", "write -P 7 6M 100k", "-c",
         "discard 12M 1M", "top");
    must("qemu-img", "convert", "-f", "qcow2", "-O", "raw", "top", "flat");
    _cleanup_block_ struct block *flat = must_open("flat", IMAGE_RAW, false);
    _cleanup_block_ struct block *top = must_open("top", IMAGE_AUTO, false);
    must_equal(flat, top);
    check_extents(top);
    enum block_state kind;
    uint64_t length;
    assert_int_equal(block_extent(top, (5 << 20) + 10, 4096, &kind, &length, NULL), 0);
    assert_int_equal(kind, BLOCK_ZERO);
}

static void a_chain_reads_through_to_its_base(void **state)
{
    (void)state;
    make_disk("raw");
    convert("raw", "c0", "compat=1.1", true);
    for (unsigned i = 1; i < 6; i++) {
        char top[8], base[8], command[64];
        snprintf(top, sizeof(top), "c%u", i);
        snprintf(base, sizeof(base), "c%u", i - 1);
        snprintf(command, sizeof(command), "write -P %u %uM 70k", i, i * 3);
        must("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", top);
        must("qemu-io", "-f", "qcow2", "-c", command, top);
    }
    must("qemu-img", "convert", "-f", "qcow2", "-O", "raw", "c5", "flat");
    _cleanup_block_ struct block *flat = must_open("flat", IMAGE_RAW, false);
    _cleanup_block_ struct block *top = must_open("c5", IMAGE_AUTO, false);
    must_equal(flat, top);
}

static void a_smaller_backing_file_is_followed_by_zeroes(void **state)
{
    (void)state;
    make_file("base", 100 * 512);
    write_pattern("base", 0, 100 * 512);
    must("qemu-img", "create", "-q", "-f", "qcow2", "-b", "base", "-F", "raw", "top", "8M");
    must("qemu-img", "convert", "-f", "qcow2", "-O", "raw", "top", "flat");
    _cleanup_block_ struct block *flat = must_open("flat", IMAGE_RAW, false);
    _cleanup_block_ struct block *top = must_open("top", IMAGE_AUTO, false);
    must_equal(flat, top);
    assert_true(check_extents(top) <= 65536);
}

static void backing_files_are_looked_up_beside_the_image(void **state)
{
    (void)state;
    assert_int_equal(mkdir("sub", 0755), 0);
    make_disk("sub/base");
    must("qemu-img", "create", "-q", "-f", "qcow2", "-b", "base", "-F", "raw", "sub/top");
    block_close(must_open("sub/top", IMAGE_AUTO, false));
    assert_int_equal(rename("sub/base", "sub/other"), 0);
    must_refuse("sub/top", IMAGE_AUTO, ENOENT, "sub/top: its backing file is unusable: sub/base");
}

/* An image named `path` over a backing file named freely, without asking qemu-img. */
static void make_overlay(const char *path, const char *backing, const char *format)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_int_equal(qcow2_create_overlay(fd, path, disk_size, backing, format, NULL), 0);
    close(fd);
}

static void loops_and_endless_chains_are_refused(void **state)
{
    (void)state;
    make_overlay("self", "self", "qcow2");
    must_refuse("self", IMAGE_AUTO, ELOOP, "leads back");
    make_overlay("a", "b", "qcow2");
    make_overlay("b", "./c", "qcow2");
    make_overlay("c", "link", "qcow2");
    assert_int_equal(symlink("a", "link"), 0);
    must_refuse("a", IMAGE_AUTO, ELOOP, "leads back");

    make_disk("0");
    for (unsigned i = 1; i <= 64; i++) {
        char top[8], base[8];
        snprintf(top, sizeof(top), "%u", i);
        snprintf(base, sizeof(base), "%u", i - 1);
        make_overlay(top, base, i == 1 ? "raw" : "qcow2");
    }
    block_close(must_open("63", IMAGE_AUTO, false));
    must_refuse("64", IMAGE_AUTO, ELOOP, "more than 64 images");
}

static void names_that_are_no_files_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "nbd://example.invalid/disk",
        "json:{\"driver\":\"file\",\"filename\":\"/etc/hostname\"}",
        "file:base",
        "https://example.invalid/disk",
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        make_overlay("top", names[i], "raw");
        must_refuse("top", IMAGE_AUTO, EUNTRUSTED, "only files of this host");
        must_refuse("top", IMAGE_AUTO, EUNTRUSTED, names[i]);
    }
    assert_int_equal(mkfifo("fifo", 0644), 0);
    make_overlay("top", "fifo", "raw");
    must_refuse("top", IMAGE_AUTO, EINVAL, "fifo: is neither a file nor a block device");
    make_overlay("top", "/dev/null", "raw");
    must_refuse("top", IMAGE_AUTO, EINVAL, "/dev/null: is neither a file nor a block device");
    make_overlay("top", "base", "floppy");
    make_disk("base");
    must_refuse("top", IMAGE_AUTO, EINVAL, "'floppy' is not an image format");
    /* A colon behind a slash is part of a file's name. */
    make_disk("a:b");
    make_overlay("top", "./a:b", "raw");
    block_close(must_open("top", IMAGE_AUTO, false));
}

/* A guest writes the header of an image into its raw disk, which names a file of the host. */
static void a_guessed_format_may_not_have_a_backing_file(void **state)
{
    (void)state;
    make_disk("secret");
    make_overlay("disk", "secret", "raw");
    must("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", "disk", "-F", "raw", "top", "24M");
    block_close(must_open("top", IMAGE_AUTO, false));
    /* The same without its format: the extension's type becomes an unknown one. */
    uint8_t head[512];
    int fd = open("top", O_RDWR | O_CLOEXEC);
    assert_int_equal(fd_pread_full(fd, head, sizeof(head), 0, "top", NULL), 0);
    uint8_t *type = memmem(head, sizeof(head), "\xe2\x79\x2a\xca", 4);
    assert_non_null(type);
    type[0] = 0x11;
    assert_int_equal(fd_pwrite_full(fd, head, sizeof(head), 0, "top", NULL), 0);
    close(fd);
    must_refuse("top", IMAGE_AUTO, EUNTRUSTED, "without its format being stated");
    make_disk("disk");
    block_close(must_open("top", IMAGE_AUTO, false));
}

struct damage {
    size_t offset;
    unsigned bits;
    uint64_t value;
    int errnum;
    const char *text;
};

#define FIELD(name) offsetof(struct qcow2_disk_header, name)

static void damage_image(const struct damage *damage)
{
    be32_t word = be32_put((uint32_t)damage->value);
    be64_t number = be64_put(damage->value);
    if (damage->bits == 32)
        write_at("image", damage->offset, &word, sizeof(word));
    else
        write_at("image", damage->offset, &number, sizeof(number));
}

static void absurd_headers_are_refused(void **state)
{
    (void)state;
    static const struct damage cases[] = {
        {FIELD(version), 32, 1, ENOTSUP, "version 1"},
        {FIELD(version), 32, 4, ENOTSUP, "qcow2 version 4 is not known"},
        {FIELD(cluster_bits), 32, 8, EINVAL, "clusters of 2^8 bytes"},
        {FIELD(cluster_bits), 32, 22, EINVAL, "clusters of 2^22 bytes"},
        {FIELD(cluster_bits), 32, 0xffffffff, EINVAL, "clusters of 2^4294967295"},
        {FIELD(size), 64, UINT64_MAX, EINVAL, "is not possible"},
        {FIELD(size), 64, UINT64_C(1) << 40, EINVAL, "L1 table is too small"},
        {FIELD(crypt_method), 32, 1, ENOTSUP, "AES encryption"},
        {FIELD(crypt_method), 32, 2, ENOTSUP, "LUKS encryption"},
        {FIELD(crypt_method), 32, 3, EINVAL, "unknown encryption"},
        {FIELD(l1_size), 32, 0, EINVAL, "L1 table is too small"},
        {FIELD(l1_size), 32, 0xffffffff, EINVAL, "L1 table is larger than 32 MiB"},
        {FIELD(l1_size), 32, 0x400000, EINVAL, "L1 table lies beyond the end"},
        {FIELD(l1_offset), 64, 0x30200, EINVAL, "L1 table is not aligned"},
        {FIELD(l1_offset), 64, 0, EINVAL, "L1 table overlaps the header"},
        {FIELD(l1_offset), 64, 0x7fffffffffff0000, EINVAL, "L1 table lies beyond the end"},
        {FIELD(l1_offset), 64, 0xffffffffffff0000, EINVAL, "L1 table lies beyond the end"},
        {FIELD(l1_offset), 64, 0x10000, EINVAL, "overlaps the L1 table"},
        {FIELD(refcount_table_offset), 64, 0, EINVAL, "refcount table overlaps the header"},
        {FIELD(refcount_table_offset), 64, 77, EINVAL, "refcount table is not aligned"},
        {FIELD(refcount_table_offset), 64, UINT64_C(1) << 60, EINVAL, "refcount table lies beyond"},
        {FIELD(refcount_table_clusters), 32, 0, EINVAL, "no refcount table"},
        {FIELD(refcount_table_clusters), 32, 0x10000, EINVAL, "larger than 8 MiB"},
        {FIELD(snapshot_count), 32, 70000, EINVAL, "65536 snapshots"},
        {FIELD(incompatible), 64, 2, EINVAL, "is marked as corrupt"},
        {FIELD(incompatible), 64, 4, EUNTRUSTED, "keeps its data in another file"},
        {FIELD(incompatible), 64, UINT64_C(1) << 40, ENOTSUP, "unknown feature 40"},
        {FIELD(refcount_order), 32, 7, EINVAL, "wider than 64 bits"},
        {FIELD(header_length), 32, 72, EINVAL, "stated length"},
        {FIELD(header_length), 32, 109, EINVAL, "stated length"},
        {FIELD(header_length), 32, 0xfffffff8, EINVAL, "stated length"},
        {FIELD(backing_offset), 64, 8, EINVAL, "must have 1 to 1023 bytes"},
    };
    must("qemu-img", "create", "-q", "-f", "qcow2", "good", "1G");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        must("cp", "good", "image");
        damage_image(&cases[i]);
        must_refuse("image", IMAGE_AUTO, cases[i].errnum, cases[i].text);
    }
}

static void absurd_extensions_are_refused(void **state)
{
    (void)state;
    size_t extension = sizeof(struct qcow2_disk_header);
    const struct damage cases[] = {
        {extension + 4, 32, 0xfffffff0, EINVAL, "does not fit into the first cluster"},
        {extension + 4, 32, 16, EINVAL, "longer than 15 bytes"},
        {extension + 8, 32, 0x0a0a0a0a, EINVAL, "backing format holds control characters"},
        {FIELD(backing_length), 32, 1024, EINVAL, "must have 1 to 1023 bytes"},
        {FIELD(backing_length), 32, 50, EINVAL, "backing file holds control characters"},
        {FIELD(backing_offset), 64, 0xffff, EINVAL, "not in the first cluster"},
        {FIELD(backing_offset), 64, UINT64_MAX, EINVAL, "not in the first cluster"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        make_overlay("image", "a-backing-file-with-a-long-name", "raw");
        damage_image(&cases[i]);
        must_refuse("image", IMAGE_AUTO, cases[i].errnum, cases[i].text);
    }
}

static void a_dirty_image_is_read_as_it_is(void **state)
{
    (void)state;
    must("qemu-img", "create", "-q", "-f", "qcow2", "image", "1G");
    damage_image(&(struct damage){FIELD(incompatible), 64, 1, 0, NULL});
    block_close(must_open("image", IMAGE_AUTO, false));
}

static void unknown_features_are_named_by_the_image(void **state)
{
    (void)state;
    must("qemu-img", "create", "-q", "-f", "qcow2", "image", "1M");
    uint8_t head[1024];
    int fd = open("image", O_RDWR | O_CLOEXEC);
    assert_int_equal(fd_pread_full(fd, head, sizeof(head), 0, "image", NULL), 0);
    /* In the table: incompatible feature, bit 2; it becomes bit 9. */
    uint8_t *name = memmem(head, sizeof(head), "external data file", 18);
    assert_non_null(name);
    name[-1] = 9;
    memcpy(name, "time travel\x1b[31m", 16);
    assert_int_equal(fd_pwrite_full(fd, head, sizeof(head), 0, "image", NULL), 0);
    close(fd);
    damage_image(&(struct damage){FIELD(incompatible), 64, 1 << 9, 0, NULL});
    must_refuse("image", IMAGE_AUTO, ENOTSUP, "unknown feature 9 (time travel\\x1b[31m");
}

static void short_files_are_refused(void **state)
{
    (void)state;
    static const size_t lengths[] = {4, 71, 103};
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        must("qemu-img", "create", "-q", "-f", "qcow2", "image", "1G");
        assert_int_equal(truncate("image", (off_t)lengths[i]), 0);
        must_refuse("image", IMAGE_AUTO, EINVAL, "too short");
    }
    must_refuse("missing", IMAGE_QCOW2, ENOENT, "missing");
    make_disk("raw");
    must_refuse("raw", IMAGE_QCOW2, EINVAL, "raw: is not a qcow2 image");
}

static int read_all(const char *path, char *message, size_t size)
{
    struct error *error = NULL;
    char hex[DIGEST_MAX_HEX];
    _cleanup_block_ struct block *block = must_open(path, IMAGE_QCOW2, false);
    int r = block_digest(block, DIGEST_SHA256, hex, &error);
    snprintf(message, size, "%s", r < 0 ? error_message(error) : "");
    error_free(error);
    return r;
}

static void damage_inside_is_found_on_reading(void **state)
{
    (void)state;
    char message[512];
    /* Where qemu-img puts the L2 table and the clusters behind it. */
    enum { l1 = 3 << 16, l2 = 4 << 16 };
    static const struct {
        uint64_t at, entry;
        const char *text;
    } cases[] = {
        {l1, UINT64_C(0x8000000000041000), "a misaligned L2 table"},
        {l1, UINT64_C(0x8000ffffffff0000), "an L2 table beyond the end of the file"},
        {l2, UINT64_C(0x8000000000050200), "a misaligned cluster"},
        {l2, UINT64_C(0x8000ffffffff0000), "a cluster beyond the end of the file"},
        {l2, UINT64_C(0x4000ffffffff0000), "a compressed cluster beyond the end"},
        {l2, UINT64_C(0x4000000000050000), "a compressed cluster that cannot be expanded"},
    };
    make_disk("raw");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        convert("raw", "image", "compat=1.1", false);
        be64_t entry = be64_put(cases[i].entry);
        write_at("image", cases[i].at, &entry, sizeof(entry));
        assert_int_equal(read_all("image", message, sizeof(message)), -EIO);
        if (!strstr(message, cases[i].text) || !strstr(message, "image: "))
            fail_msg("'%s' lacks '%s'", message, cases[i].text);
    }
    convert("raw", "image", "compat=1.1", false);
    assert_int_equal(truncate("image", 8 << 16), 0);
    assert_int_equal(read_all("image", message, sizeof(message)), -EIO);
    convert("raw", "image", "compat=0.10", false);
    be64_t zero = be64_put(1);
    write_at("image", l2, &zero, sizeof(zero));
    assert_int_equal(read_all("image", message, sizeof(message)), -EIO);
}

static void an_overlay_of_ours_is_as_qemu_makes_it(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {disk_size, 512, UINT64_C(500) << 30, UINT64_C(9) << 40};
    make_disk("raw");
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct image_info info = {0};
        char size[64], *out = NULL;
        int fd = open("top", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        assert_int_equal(qcow2_create_overlay(fd, "top", sizes[i], "raw", "raw", NULL), 0);
        close(fd);
        must("qemu-img", "check", "-q", "top");
        const char *const argv[] = {"qemu-img", "info", "top", NULL};
        assert_int_equal(tool_output(argv, &out), 0);
        snprintf(size, sizeof(size), "(%llu bytes)", (unsigned long long)sizes[i]);
        assert_non_null(strstr(out, size));
        assert_non_null(strstr(out, "backing file: raw"));
        assert_non_null(strstr(out, "backing file format: raw"));
        free(out);
        assert_int_equal(image_info_read("top", IMAGE_AUTO, &info, NULL), 0);
        assert_int_equal(info.virtual_size, sizes[i]);
        assert_string_equal(info.backing_file, "raw");
        assert_string_equal(info.backing_format, "raw");
        assert_true(info.allocated < 256 << 10);
        image_info_free(&info);
    }
}

static void an_overlay_of_ours_can_be_written_by_qemu(void **state)
{
    (void)state;
    make_disk("raw");
    make_overlay("top", "raw", "raw");
    must("qemu-img", "compare", "-q", "-f", "raw", "-F", "qcow2", "raw", "top");
    must("qemu-io", "-f", "qcow2", "-c", "write -P 9 1M 5M", "top");
    must("qemu-img", "check", "-q", "top");
    must("qemu-img", "convert", "-f", "qcow2", "-O", "raw", "top", "flat");
    _cleanup_block_ struct block *flat = must_open("flat", IMAGE_RAW, false);
    _cleanup_block_ struct block *top = must_open("top", IMAGE_AUTO, false);
    must_equal(flat, top);
}

static void impossible_overlays_are_refused(void **state)
{
    (void)state;
    char name[1100];
    memset(name, 'n', sizeof(name));
    name[1024] = '\0';
    int fd = open("top", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    assert_int_equal(qcow2_create_overlay(fd, "top", 1 << 20, name, "raw", NULL), -ENAMETOOLONG);
    assert_int_equal(qcow2_create_overlay(fd, "top", 1 << 20, "", "raw", NULL), -ENAMETOOLONG);
    assert_int_equal(qcow2_create_overlay(fd, "top", UINT64_MAX, "b", "raw", NULL), -EFBIG);
    name[1023] = '\0';
    assert_int_equal(qcow2_create_overlay(fd, "top", 1 << 20, name, "raw", NULL), 0);
    assert_int_equal(qcow2_create_overlay(fd, "top", 1 << 20, "b", "raw", NULL), -EINVAL);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(every_kind_reads_as_the_raw_disk),
        scratch_test(the_digest_is_that_of_the_raw_disk),
        scratch_test(zero_clusters_hide_the_backing_file),
        scratch_test(a_chain_reads_through_to_its_base),
        scratch_test(a_smaller_backing_file_is_followed_by_zeroes),
        scratch_test(backing_files_are_looked_up_beside_the_image),
        scratch_test(loops_and_endless_chains_are_refused),
        scratch_test(names_that_are_no_files_are_refused),
        scratch_test(a_guessed_format_may_not_have_a_backing_file),
        scratch_test(absurd_headers_are_refused),
        scratch_test(absurd_extensions_are_refused),
        scratch_test(a_dirty_image_is_read_as_it_is),
        scratch_test(unknown_features_are_named_by_the_image),
        scratch_test(short_files_are_refused),
        scratch_test(damage_inside_is_found_on_reading),
        scratch_test(an_overlay_of_ours_is_as_qemu_makes_it),
        scratch_test(an_overlay_of_ours_can_be_written_by_qemu),
        scratch_test(impossible_overlays_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
