/* Partition tables: read as the system's tools see them, grown so that these tools are content. */

#include <zlib.h>

#include "base/endian.h"
#include "image/partition.h"
#include "tests/unit/image/scratch.h"

enum { mib = 1 << 20 };

static void sfdisk(const char *path, const char *script)
{
    const char *const argv[] = {"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel", path, NULL};
    const char *const env[] = {"LC_ALL=C.UTF-8", NULL};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv, .env = env};
    struct error *error = NULL;
    if (proc_check(&options, script, strlen(script), 1 << 20, 20000, NULL, &error) < 0)
        fail_msg("%s", error_message(error));
}

/* Three partitions; the second one is the last on the disk. */
static void make_gpt(const char *path, uint64_t size)
{
    make_file(path, size);
    sfdisk(path, "label: gpt\n"
                 "1 : start=1MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649, "
                 "name=\"BIOS boot\"\n"
                 "15 : start=2MiB, size=8MiB, type=U, "
                 "name=EFI\n"
                 "2 : start=10MiB, size=16MiB, type=L, attrs=LegacyBIOSBootable, "
                 "uuid=01234567-89AB-CDEF-0123-456789ABCDEF\n");
}

static void read_table(const char *path, struct partition_table *ret)
{
    struct error *error = NULL;
    _cleanup_block_ struct block *block = must_open(path, IMAGE_RAW, false);
    if (partition_table_read(block, ret, &error) < 0)
        fail_msg("%s", error_message(error));
}

static void must_not_read(const char *path, const char *text)
{
    struct partition_table table = {0};
    struct error *error = NULL;
    _cleanup_block_ struct block *block = must_open(path, IMAGE_RAW, false);
    int r = partition_table_read(block, &table, &error);
    if (r == 0 || !strstr(error_message(error), text) || !strstr(error_message(error), path))
        fail_msg("'%s' lacks '%s'", r ? error_message(error) : "success", text);
    assert_int_equal(r, -EINVAL);
    error_free(error);
}

/* Grows a partition and returns its new length. */
static uint64_t grow(const char *path, unsigned number)
{
    uint64_t length = 0;
    struct error *error = NULL;
    _cleanup_block_ struct block *block = must_open(path, IMAGE_RAW, true);
    if (partition_grow(block, number, &length, &error) < 0)
        fail_msg("%s", error_message(error));
    struct partition_table table = {0};
    assert_int_equal(partition_table_read(block, &table, NULL), 0);
    const struct partition *partition = partition_find(&table, number);
    assert_non_null(partition);
    assert_int_equal(partition->length, length);
    partition_table_free(&table);
    return length;
}

static void must_not_grow(const char *path, unsigned number, const char *text)
{
    uint64_t length;
    struct error *error = NULL;
    _cleanup_block_ struct block *block = must_open(path, IMAGE_RAW, true);
    int r = partition_grow(block, number, &length, &error);
    if (r == 0 || !strstr(error_message(error), text) || !strstr(error_message(error), path))
        fail_msg("'%s' lacks '%s'", r ? error_message(error) : "success", text);
    assert_int_equal(r, -EINVAL);
    error_free(error);
}

static void sgdisk_is_content(const char *path)
{
    char *out = NULL;
    assert_int_equal(tool_output((const char *const[]){"sgdisk", "-v", path, NULL}, &out), 0);
    if (!strstr(out, "No problems found"))
        fail_msg("%s", out);
    free(out);
    must("sfdisk", "--verify", path);
}

/* What a tool prints of the disk, for comparing. Caller frees. */
static char *dump(const char *path)
{
    char *out = NULL;
    assert_int_equal(tool_output((const char *const[]){"sfdisk", "--dump", path, NULL}, &out), 0);
    return out;
}

static void a_gpt_is_read(void **state)
{
    (void)state;
    struct partition_table table = {0};
    make_gpt("disk", 64 * mib);
    read_table("disk", &table);
    assert_int_equal(table.scheme, PARTITION_GPT);
    assert_int_equal(table.sector_size, 512);
    assert_int_equal(table.count, 3);
    const struct partition *p = &table.items[0];
    assert_int_equal(p->number, 1);
    assert_int_equal(p->start, mib);
    assert_int_equal(p->length, mib);
    assert_string_equal(p->label, "BIOS boot");
    assert_string_equal(p->type_guid, "21686148-6449-6e6f-744e-656564454649");
    p = partition_find(&table, 2);
    assert_int_equal(p->start, 10 * mib);
    assert_string_equal(p->uuid, "01234567-89ab-cdef-0123-456789abcdef");
    assert_ptr_equal(partition_last(&table), p);
    assert_null(partition_find(&table, 3));
    partition_table_free(&table);
}

static void a_gpt_grows_to_the_new_end(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {65 * mib, 100 * mib, 100 * mib + 512 * 7, UINT64_C(5) << 40};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct partition_table table = {0};
        char *info = NULL;
        make_gpt("disk", 64 * mib);
        assert_int_equal(truncate("disk", (off_t)sizes[i]), 0);
        uint64_t length = grow("disk", 2);
        sgdisk_is_content("disk");
        /* 33 sectors for the backup table, aligned. */
        assert_int_equal(10 * mib + length, round_down(sizes[i] - 33 * 512, mib));
        read_table("disk", &table);
        assert_int_equal(table.count, 3);
        assert_string_equal(partition_find(&table, 2)->uuid,
                            "01234567-89ab-cdef-0123-456789abcdef");
        partition_table_free(&table);
        const char *const argv[] = {"sgdisk", "-i", "2", "disk", NULL};
        assert_int_equal(tool_output(argv, &info), 0);
        assert_non_null(strstr(info, "Attribute flags: 0000000000000004"));
        free(info);
        uint8_t old[512], zero[512] = {0};
        _cleanup_block_ struct block *block = must_open("disk", IMAGE_RAW, false);
        assert_int_equal(block_pread(block, old, 512, 64 * mib - 512, NULL), 0);
        assert_memory_equal(old, zero, 512);
    }
}

static void a_partition_at_the_end_already_stays(void **state)
{
    (void)state;
    make_gpt("disk", 64 * mib);
    uint64_t length = grow("disk", 2);
    assert_int_equal(length, 53 * mib);
    char *before = dump("disk");
    assert_int_equal(grow("disk", 2), length);
    /* Too little for another MiB, but the backup table moves along. */
    assert_int_equal(truncate("disk", 64 * mib + 5 * 512), 0);
    assert_int_equal(grow("disk", 2), length);
    sgdisk_is_content("disk");
    char *after = dump("disk");
    assert_string_equal(strstr(before, "\ndisk1"), strstr(after, "\ndisk1"));
    free(before);
    free(after);
}

static void only_the_last_partition_grows(void **state)
{
    (void)state;
    make_gpt("disk", 64 * mib);
    must_not_grow("disk", 1, "disk: partition 1 cannot grow: partition 2 lies behind it");
    must_not_grow("disk", 15, "partition 2 lies behind it");
    must_not_grow("disk", 7, "disk: has no partition 7");
    make_file("blank", mib);
    must_not_grow("blank", 1, "blank: has no partition table");
}

static void a_damaged_gpt_falls_back_to_its_backup(void **state)
{
    (void)state;
    struct partition_table table = {0};
    make_gpt("disk", 64 * mib);
    char *before = dump("disk");
    write_pattern("disk", 512, 512);
    read_table("disk", &table);
    assert_int_equal(table.count, 3);
    partition_table_free(&table);
    /* Also after the disk became larger, where the backup is not at its end. */
    assert_int_equal(truncate("disk", 80 * mib), 0);
    read_table("disk", &table);
    assert_int_equal(table.count, 3);
    partition_table_free(&table);
    assert_int_equal(grow("disk", 2), 69 * mib);
    sgdisk_is_content("disk");
    free(before);

    make_gpt("disk", 64 * mib);
    write_pattern("disk", 1024, 100); /* the entries, not the header */
    read_table("disk", &table);
    assert_int_equal(table.count, 3);
    partition_table_free(&table);
    write_pattern("disk", 64 * mib - 512, 92);
    must_not_read("disk", "the GUID partition table is damaged: the primary header does not match "
                          "the checksum of its entries, and there is no valid backup");
}

static void a_disk_cut_short_is_refused(void **state)
{
    (void)state;
    make_gpt("disk", 64 * mib);
    assert_int_equal(truncate("disk", 50 * mib), 0);
    must_not_read("disk", "is for a larger disk: this one was cut short");
}

static void a_longer_table_works(void **state)
{
    (void)state;
    make_file("disk", 64 * mib);
    sfdisk("disk", "label: gpt\ntable-length: 256\nfirst-lba: 2048\n200 : start=1MiB, size=8MiB\n");
    assert_int_equal(truncate("disk", 96 * mib), 0);
    assert_int_equal(grow("disk", 200), 94 * mib);
    sgdisk_is_content("disk");
}

/* No tool makes these without a device that has such sectors: a header of 512-byte sectors is
 * moved to where it belongs on a disk with 4 KiB. */
static void sectors_of_4_kib_work(void **state)
{
    (void)state;
    struct partition_table table = {0};
    uint8_t header[512];
    make_gpt("disk", 64 * mib);
    int fd = open("disk", O_RDWR | O_CLOEXEC);
    _cleanup_free_ uint8_t *entries = malloc(128 * 128);
    assert_int_equal(fd_pread_full(fd, header, sizeof(header), 512, "disk", NULL), 0);
    assert_int_equal(fd_pread_full(fd, entries, 128 * 128, 1024, "disk", NULL), 0);
    for (size_t i = 0; i < 128; i++) {
        le64_t range[2];
        memcpy(range, entries + 128 * i + 32, sizeof(range));
        range[1] = le64_put((le64_get(range[1]) + 1) / 8 - (le64_get(range[1]) != 0));
        range[0] = le64_put(le64_get(range[0]) / 8);
        memcpy(entries + 128 * i + 32, range, sizeof(range));
    }
    /* And with a name from outside ASCII, and of a terminal's control characters, for number 15. */
    static const uint16_t name[] = {'G', 0xf6, 0xdf, 'e', 0x2192, 0xd834, 0xdd1e, 0x1b, 0xd800, 0};
    for (size_t i = 0; i < ARRAY_SIZE(name); i++) {
        le16_t unit = le16_put(name[i]);
        memcpy(entries + 128 * 14 + 56 + 2 * i, &unit, sizeof(unit));
    }
    const struct {
        size_t offset;
        uint64_t value;
    } fields[] = {{32, 16383}, {40, 6}, {48, 16378}, {72, 2}};
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        le64_t value = le64_put(fields[i].value);
        memcpy(header + fields[i].offset, &value, sizeof(value));
    }
    le32_t crc = le32_put((uint32_t)crc32(0, entries, 128 * 128));
    memcpy(header + 88, &crc, 4);
    memset(header + 16, 0, 4);
    crc = le32_put((uint32_t)crc32(0, header, 92));
    memcpy(header + 16, &crc, 4);
    assert_int_equal(fd_pwrite_full(fd, (uint8_t[512]){0}, 512, 512, "disk", NULL), 0);
    assert_int_equal(fd_pwrite_full(fd, header, 512, 4096, "disk", NULL), 0);
    assert_int_equal(fd_pwrite_full(fd, entries, 128 * 128, 8192, "disk", NULL), 0);
    assert_int_equal(ftruncate(fd, 32 * mib), 0);
    assert_int_equal(ftruncate(fd, 96 * mib), 0);
    close(fd);
    read_table("disk", &table);
    assert_int_equal(table.sector_size, 4096);
    assert_int_equal(table.count, 3);
    assert_int_equal(partition_find(&table, 2)->start, 10 * mib);
    assert_int_equal(partition_find(&table, 2)->length, 16 * mib);
    assert_string_equal(partition_find(&table, 15)->label, "G\xc3\xb6\xc3\x9f"
                                                           "e\xe2\x86\x92\xf0\x9d\x84\x9e??");
    partition_table_free(&table);
    assert_int_equal(grow("disk", 2), 85 * mib);
    /* Its backup is good as well. */
    write_pattern("disk", 4096, 512);
    read_table("disk", &table);
    assert_int_equal(table.sector_size, 4096);
    assert_int_equal(partition_find(&table, 2)->length, 85 * mib);
    partition_table_free(&table);
}

/* The fields of a GPT header, for making it wrong in ways that its checksum confirms. */
struct lie {
    size_t offset;
    unsigned bits;
    uint64_t value;
    const char *text;
};

static void tell(const char *path, const struct lie *lie)
{
    uint8_t header[512];
    le64_t value = le64_put(lie->value);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(fd_pread_full(fd, header, sizeof(header), 512, path, NULL), 0);
    memcpy(header + lie->offset, value.bytes, lie->bits / 8);
    memset(header + 16, 0, 4);
    le32_t size, crc;
    memcpy(&size, header + 12, 4);
    crc = le32_put((uint32_t)crc32(0, header, le32_get(size) <= 512 ? le32_get(size) : 92));
    memcpy(header + 16, &crc, 4);
    assert_int_equal(fd_pwrite_full(fd, header, sizeof(header), 512, path, NULL), 0);
    close(fd);
}

static void lies_in_a_gpt_are_found(void **state)
{
    (void)state;
    static const struct lie lies[] = {
        {8, 32, 0x20000, "unknown version"},
        {12, 32, 91, "impossible length"},
        {12, 32, 513, "impossible length"},
        {24, 64, 2, "copy of another place"},
        {40, 64, UINT64_MAX, "impossible usable area"},
        {48, 64, 131072, "for a larger disk"},
        {48, 64, UINT64_MAX, "for a larger disk"},
        {72, 64, 1, "beyond the disk"},
        {72, 64, UINT64_MAX, "beyond the disk"},
        {72, 64, 3000, "among the partitions"},
        {80, 32, 0, "impossible entries"},
        {80, 32, 0xffffffff, "impossible entries"},
        {84, 32, 0, "impossible entries"},
        {84, 32, 129, "impossible entries"},
        {84, 32, 0x80000000, "impossible entries"},
        {88, 32, 0, "does not match the checksum of its entries"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        make_gpt("disk", 64 * mib);
        write_pattern("disk", 64 * mib - 512, 92);
        tell("disk", &lies[i]);
        must_not_read("disk", lies[i].text);
    }
    make_gpt("disk", 64 * mib);
    tell("disk", &(struct lie){40, 64, 3000, ""});
    must_not_read("disk", "partition 1 overlaps the partition table");
    make_gpt("disk", 64 * mib);
    tell("disk", &(struct lie){48, 64, 30000, ""});
    must_not_read("disk", "partition 2 ends at sector 53247, beyond the usable area");
}

static void an_mbr_is_read(void **state)
{
    (void)state;
    struct partition_table table = {0};
    make_file("disk", 64 * mib);
    sfdisk("disk", "label: dos\nlabel-id: 0xc0ffee01\n"
                   "1MiB 8MiB L *\n9MiB 8MiB 82\n17MiB 40MiB E\n18MiB 8MiB L\n27MiB 8MiB 83\n");
    read_table("disk", &table);
    assert_int_equal(table.scheme, PARTITION_MBR);
    assert_int_equal(table.count, 4);
    assert_true(table.items[0].active && !table.items[0].logical);
    assert_int_equal(table.items[0].start, mib);
    assert_string_equal(table.items[0].uuid, "c0ffee01-01");
    assert_int_equal(table.items[1].mbr_type, 0x82);
    assert_null(partition_find(&table, 3));
    const struct partition *p = partition_find(&table, 6);
    assert_true(p->logical);
    assert_int_equal(p->start, 27 * mib);
    assert_int_equal(p->length, 8 * mib);
    assert_string_equal(p->uuid, "c0ffee01-06");
    assert_ptr_equal(partition_last(&table), p);
    partition_table_free(&table);
}

static void an_mbr_grows_to_the_new_end(void **state)
{
    (void)state;
    make_file("disk", 64 * mib);
    sfdisk("disk", "label: dos\n1MiB 8MiB L *\n9MiB 8MiB 82\n17MiB 20MiB L\n");
    must_not_grow("disk", 2, "partition 3 lies behind it");
    assert_int_equal(grow("disk", 3), 47 * mib);
    must("sfdisk", "--verify", "disk");
    assert_int_equal(truncate("disk", UINT64_C(20) << 30), 0);
    assert_int_equal(grow("disk", 3), (UINT64_C(20) << 30) - 17 * mib);
    must("sfdisk", "--verify", "disk");
    assert_int_equal(grow("disk", 3), (UINT64_C(20) << 30) - 17 * mib);
    /* 32 bits of sectors, less what keeps the end aligned. */
    assert_int_equal(truncate("disk", UINT64_C(3) << 40), 0);
    assert_int_equal(grow("disk", 3), (UINT64_C(2) << 40) - mib);
    must("sfdisk", "--verify", "disk");
}

static void a_logical_partition_grows_with_what_encloses_it(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        unsigned number;
        uint64_t start;
    } disks[] = {
        {"label: dos\n1MiB 8MiB L *\n9MiB 20MiB E\n10MiB 18MiB L\n", 5, 10},
        {"label: dos\n1MiB 8MiB L *\n9MiB 40MiB E\n10MiB 8MiB L\n19MiB 8MiB L\n28MiB 8MiB L\n", 7,
         28},
        {"label: dos\n1MiB 8MiB L *\n9MiB 55MiB E\n10MiB 8MiB L\n19MiB 8MiB L\n", 6, 19},
    };
    for (size_t i = 0; i < ARRAY_SIZE(disks); i++) {
        make_file("disk", 64 * mib);
        sfdisk("disk", disks[i].script);
        assert_int_equal(truncate("disk", 200 * mib), 0);
        must_not_grow("disk", 1, "behind it");
        if (disks[i].number > 5)
            must_not_grow("disk", 5, "partition 6 lies behind it");
        assert_int_equal(grow("disk", disks[i].number), (200 - disks[i].start) * mib);
        must("sfdisk", "--verify", "disk");
        char *text = dump("disk");
        char expected[64];
        snprintf(expected, sizeof(expected), "size=%12llu, type=83",
                 (unsigned long long)(200 - disks[i].start) * 2048);
        if (!strstr(text, expected))
            fail_msg("'%s' is not in %s", expected, text);
        free(text);
    }
}

static void an_extended_partition_is_in_the_way(void **state)
{
    (void)state;
    make_file("disk", 64 * mib);
    sfdisk("disk", "label: dos\n1MiB 8MiB L *\n9MiB 20MiB E\n");
    must_not_grow("disk", 1, "disk: partition 1 cannot grow: the extended partition 2 lies behind");
}

static void put_entry(const char *path, uint64_t sector, unsigned slot, uint8_t type,
                      uint32_t start, uint32_t sectors)
{
    uint8_t entry[16] = {[4] = type};
    le32_t numbers[2] = {le32_put(start), le32_put(sectors)};
    memcpy(entry + 8, numbers, sizeof(numbers));
    write_at(path, sector * 512 + 446 + 16 * slot, entry, sizeof(entry));
    write_at(path, sector * 512 + 510, "\x55\xaa", 2);
}

static void lies_in_an_mbr_are_found(void **state)
{
    (void)state;
    static const struct {
        uint64_t sector;
        unsigned slot;
        uint8_t type;
        uint32_t start, sectors;
        const char *text;
    } lies[] = {
        {0, 0, 0x83, 0, 100, "over its own partition table"},
        {0, 0, 0x83, 0xffffffff, 0xffffffff, "beyond the end of the disk"},
        {0, 0, 0x83, 2048, 131072, "beyond the end of the disk"},
        {0, 2, 0x05, 2048, 131072, "extended partition lies beyond the end"},
        {0, 2, 0x05, 4096, 100, "extended boot record at sector 4096 is damaged"},
        {30000, 1, 0x05, 0, 100, "has no end"},
        {30000, 1, 0x0f, 20, 100, "extended boot record at sector 30020 is damaged"},
        {30000, 1, 0x05, 5000, 100, "leaves the extended partition, at sector 35000"},
        {30000, 0, 0x83, 0, 100, "over its own partition table"},
        {30000, 0, 0x83, 10, 2000, "beyond the end of the extended partition"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        make_file("disk", 64 * mib);
        put_entry("disk", 0, 1, 0x05, 30000, 2000);
        put_entry("disk", 30000, 3, 0, 0, 0);
        put_entry("disk", lies[i].sector, lies[i].slot, lies[i].type, lies[i].start,
                  lies[i].sectors);
        must_not_read("disk", lies[i].text);
    }
}

static void partitions_that_overlap_do_not_grow(void **state)
{
    (void)state;
    make_file("disk", 64 * mib);
    put_entry("disk", 0, 0, 0x83, 2048, 20000);
    put_entry("disk", 0, 1, 0x83, 10000, 20000);
    must_not_grow("disk", 2, "it overlaps partition 1");
}

static void a_whole_disk_file_system_is_no_table(void **state)
{
    (void)state;
    struct partition_table table = {0};
    make_file("disk", 8 * mib);
    must("mke2fs", "-q", "-F", "-t", "ext4", "disk");
    read_table("disk", &table);
    assert_int_equal(table.scheme, PARTITION_NONE);
    assert_int_equal(table.count, 0);
    partition_table_free(&table);
    static const struct {
        const char *start;
        size_t at;
        const char *text;
    } sectors[] = {
        {"\xeb\x3c\x90mkfs.fat", 54, "FAT16   "},
        {"\xeb\x58\x90mkfs.fat", 82, "FAT32   "},
        {"\xeb\x52\x90NTFS    ", 300, "code"},
        {"\xeb\x58\x90"
         "EXTLINUX",
         300, "code"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(sectors); i++) {
        make_file("disk", 8 * mib);
        write_at("disk", 0, sectors[i].start, 11);
        write_at("disk", sectors[i].at, sectors[i].text, strlen(sectors[i].text));
        write_at("disk", 510, "\x55\xaa", 2);
        read_table("disk", &table);
        assert_int_equal(table.scheme, PARTITION_NONE);
        partition_table_free(&table);
    }
    make_file("tiny", 100);
    read_table("tiny", &table);
    assert_int_equal(table.scheme, PARTITION_NONE);
    partition_table_free(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(a_gpt_is_read),
        scratch_test(a_gpt_grows_to_the_new_end),
        scratch_test(a_partition_at_the_end_already_stays),
        scratch_test(only_the_last_partition_grows),
        scratch_test(a_damaged_gpt_falls_back_to_its_backup),
        scratch_test(a_disk_cut_short_is_refused),
        scratch_test(a_longer_table_works),
        scratch_test(sectors_of_4_kib_work),
        scratch_test(lies_in_a_gpt_are_found),
        scratch_test(an_mbr_is_read),
        scratch_test(an_mbr_grows_to_the_new_end),
        scratch_test(a_logical_partition_grows_with_what_encloses_it),
        scratch_test(an_extended_partition_is_in_the_way),
        scratch_test(lies_in_an_mbr_are_found),
        scratch_test(partitions_that_overlap_do_not_grow),
        scratch_test(a_whole_disk_file_system_is_no_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
