/* Formats: which one a file is, and those that qemu-nbd serves. */

#include <dirent.h>
#include <signal.h>

#include "base/digest.h"
#include "image/copy.h"
#include "tests/unit/image/scratch.h"

enum { disk_size = 16 << 20 };

static void make_disk(const char *path)
{
    make_file(path, disk_size);
    write_pattern(path, 0, 5000);
    write_pattern(path, 7 << 20, 1 << 20);
    write_pattern(path, disk_size - 512, 512);
}

/* How many sockets' directories are left in $TMPDIR; here that is the test's own directory. */
static int leftovers(void)
{
    int count = 0;
    DIR *here = opendir(".");
    for (struct dirent *entry = readdir(here); entry; entry = readdir(here))
        count += str_starts(entry->d_name, "kiln-nbd");
    closedir(here);
    return count;
}

static int enter(void **state)
{
    int r = scratch_enter(state);
    if (r == 0)
        setenv("TMPDIR", ((struct scratch *)*state)->directory, 1);
    return r;
}

static int leave(void **state)
{
    unsetenv("TMPDIR");
    return leftovers() == 0 && scratch_leave(state) == 0 ? 0 : -1;
}

static void formats_have_the_names_of_qemu(void **state)
{
    (void)state;
    static const char *const names[] = {"auto", "raw", "qcow2", "vmdk", "vdi", "vhdx", "vpc"};
    enum image_format format;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        assert_int_equal(image_format_parse(names[i], &format, NULL), 0);
        assert_string_equal(image_format_name(format), names[i]);
    }
    struct error *error = NULL;
    assert_int_equal(image_format_parse("qcow\x1b", &format, &error), -EINVAL);
    assert_non_null(strstr(error_message(error), "'qcow\\x1b' is not an image format"));
    assert_non_null(strstr(error_remedy(error), "vhdx"));
    error_free(error);
}

static void every_format_is_recognized_and_read(void **state)
{
    (void)state;
    static const struct {
        enum image_format format;
        const char *options;
    } kinds[] = {
        {IMAGE_RAW, "size=16M"},
        {IMAGE_QCOW2, "compat=1.1"},
        {IMAGE_VMDK, "subformat=monolithicSparse"},
        {IMAGE_VMDK, "subformat=streamOptimized"},
        {IMAGE_VDI, "static=off"},
        {IMAGE_VHDX, "subformat=dynamic"},
        {IMAGE_VPC, "subformat=dynamic,force_size=on"},
        {IMAGE_VPC, "subformat=fixed,force_size=on"},
    };
    make_disk("raw");
    _cleanup_block_ struct block *raw = must_open("raw", IMAGE_AUTO, false);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct image_info info = {0};
        must("qemu-img", "convert", "-f", "raw", "-O", image_format_name(kinds[i].format), "-o",
             kinds[i].options, "raw", "image, with a comma");
        assert_int_equal(image_info_read("image, with a comma", IMAGE_AUTO, &info, NULL), 0);
        assert_int_equal(info.format, kinds[i].format);
        assert_int_equal(info.virtual_size, disk_size);
        assert_true(info.file_size > 0 && info.allocated > 0);
        assert_null(info.backing_file);
        image_info_free(&info);
        _cleanup_block_ struct block *image = must_open("image, with a comma", IMAGE_AUTO, false);
        must_equal(raw, image);
        assert_true(check_extents(image) > 1 << 20);
        assert_int_equal(block_pwrite(image, "x", 1, 0, NULL), -EROFS);
    }
}

/* The footer of a VHD image is no part of the disk, and not written over. */
static void a_fixed_vhd_is_the_disk_before_its_footer(void **state)
{
    (void)state;
    char before[512], after[512];
    make_disk("raw");
    must("qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", "subformat=fixed,force_size=on",
         "raw", "image.vhd");
    int fd = open("image.vhd", O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, before, 512, disk_size), 512);
    _cleanup_block_ struct block *raw = must_open("raw", IMAGE_RAW, true);
    struct block *image = must_open("image.vhd", IMAGE_AUTO, true);
    assert_int_equal(block_pwrite(image, "last", 4, disk_size - 4, NULL), 0);
    assert_int_equal(block_pwrite(raw, "last", 4, disk_size - 4, NULL), 0);
    assert_int_equal(block_pwrite(image, "", 1, disk_size, NULL), -EINVAL);
    assert_int_equal(block_discard(image, 1 << 20, disk_size - (1 << 20), NULL), 0);
    assert_int_equal(block_discard(raw, 1 << 20, disk_size - (1 << 20), NULL), 0);
    must_equal(raw, image);
    block_close(image);
    assert_int_equal(pread(fd, after, 512, disk_size), 512);
    assert_memory_equal(before, after, 512);
    close(fd);
    /* QEMU is told the same. */
    must("qemu-img", "create", "-q", "-f", "qcow2", "-b", "image.vhd", "-F", "vpc", "top");
    struct block *top = must_open("top", IMAGE_AUTO, true);
    assert_string_equal(top->ops->name, "nbd");
    must_equal(raw, top);
    block_close(top);
}

/* VirtualBox's and Virtual PC's images have a geometry that is smaller than the disk, and QEMU goes
 * by that. */
static void a_fixed_vhd_has_the_size_that_its_footer_states(void **state)
{
    (void)state;
    uint8_t footer[512];
    uint32_t sum = 0;
    must("qemu-img", "create", "-q", "-f", "vpc", "-o", "subformat=fixed,force_size=on",
         "image.vhd", "16M");
    int fd = open("image.vhd", O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, footer, 512, disk_size), 512);
    memcpy(footer + 28, "vbox", 4);
    memset(footer + 64, 0, 4);
    for (size_t i = 0; i < 512; i++)
        sum += footer[i];
    for (size_t i = 0; i < 4; i++)
        footer[64 + i] = (uint8_t)(~sum >> (24 - 8 * i));
    assert_int_equal(pwrite(fd, footer, 512, disk_size), 512);
    _cleanup_block_ struct block *image = must_open("image.vhd", IMAGE_AUTO, false);
    assert_int_equal(image->size, disk_size);
    footer[100] ^= 1;
    assert_int_equal(pwrite(fd, footer, 512, disk_size), 512);
    must_refuse("image.vhd", IMAGE_AUTO, EINVAL, "does not match its checksum");
    footer[100] ^= 1;
    assert_int_equal(pwrite(fd, footer, 512, disk_size / 2), 512);
    assert_int_equal(ftruncate(fd, disk_size / 2 + 512), 0);
    must_refuse("image.vhd", IMAGE_AUTO, EINVAL, "states a disk of 16777216 bytes");
    assert_int_equal(ftruncate(fd, disk_size / 2 + 100), 0);
    must_refuse("image.vhd", IMAGE_VPC, EINVAL, "it has no footer");
    close(fd);
}

/* One that grows, whose first sector was lost. */
static void a_vhd_without_its_first_sector_is_no_raw_image(void **state)
{
    (void)state;
    static const uint8_t nothing[512];
    must("qemu-img", "create", "-q", "-f", "vpc", "image.vhd", "16M");
    write_at("image.vhd", 0, nothing, sizeof(nothing));
    must_refuse("image.vhd", IMAGE_AUTO, EINVAL, "its first sector is no copy");
}

static void a_stated_format_is_believed(void **state)
{
    (void)state;
    must("qemu-img", "create", "-q", "-f", "qcow2", "image", "1M");
    _cleanup_block_ struct block *block = must_open("image", IMAGE_RAW, false);
    assert_string_equal(block->ops->name, "raw");
    assert_int_not_equal(block->size, 1 << 20);
}

static void writing_into_qcow2_leaves_it_consistent(void **state)
{
    (void)state;
    make_disk("raw");
    must("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "raw", "image");
    static const uint64_t places[] = {0, 4000, (1 << 20) - 3, 9 << 20, disk_size - 70000};
    uint8_t *bytes = malloc(70000);
    _cleanup_block_ struct block *raw = must_open("raw", IMAGE_RAW, true);
    struct block *image = must_open("image", IMAGE_QCOW2, true);
    assert_string_equal(image->ops->name, "nbd");
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        pattern(bytes, 70000, i + 99);
        assert_int_equal(block_pwrite(raw, bytes, 70000, places[i], NULL), 0);
        assert_int_equal(block_pwrite(image, bytes, 70000, places[i], NULL), 0);
    }
    must_equal(raw, image);
    assert_int_equal(block_flush(image, NULL), 0);
    must("qemu-img", "check", "-q", "-U", "image");
    memset(bytes, 5, 70000);
    assert_int_equal(block_pwrite(raw, bytes, 70000, 3 << 20, NULL), 0);
    assert_int_equal(block_pwrite(image, bytes, 70000, 3 << 20, NULL), 0);
    block_close(image);
    free(bytes);
    assert_int_equal(leftovers(), 0);
    must("qemu-img", "check", "-q", "image");
    image = must_open("image", IMAGE_QCOW2, false);
    must_equal(raw, image);
    block_close(image);
}

static void writing_into_an_overlay_leaves_the_base_alone(void **state)
{
    (void)state;
    char before[DIGEST_MAX_HEX], after[DIGEST_MAX_HEX];
    make_disk("base");
    _cleanup_block_ struct block *base = must_open("base", IMAGE_RAW, false);
    assert_int_equal(block_digest(base, DIGEST_SHA256, before, NULL), 0);
    must("qemu-img", "create", "-q", "-f", "qcow2", "-b", "base", "-F", "raw", "top");
    struct block *top = must_open("top", IMAGE_AUTO, true);
    must_equal(base, top);
    assert_int_equal(block_pwrite(top, "changed", 7, 1000, NULL), 0);
    block_close(top);
    assert_int_equal(block_digest(base, DIGEST_SHA256, after, NULL), 0);
    assert_string_equal(before, after);
    char bytes[8] = "";
    top = must_open("top", IMAGE_AUTO, false);
    assert_int_equal(block_pread(top, bytes, 7, 1000, NULL), 0);
    assert_string_equal(bytes, "changed");
    block_close(top);
}

static void a_chain_is_checked_before_qemu_follows_it(void **state)
{
    (void)state;
    const struct image_open_options options = {.writable = true};
    struct error *error = NULL;
    struct block *block = NULL;
    must("qemu-img", "create", "-q", "-u", "-f", "qcow2", "-b", "nbd://127.0.0.1:1/disk", "-F",
         "raw", "top", "1M");
    assert_int_equal(image_open("top", &options, &block, &error), -EUNTRUSTED);
    assert_non_null(strstr(error_message(error), "only files of this host"));
    error_free(error);
}

/* Only QEMU reads them. */
static void subclusters_are_read_by_qemu(void **state)
{
    (void)state;
    make_disk("raw");
    must("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-o", "extended_l2=on", "raw", "image");
    _cleanup_block_ struct block *raw = must_open("raw", IMAGE_RAW, false);
    _cleanup_block_ struct block *image = must_open("image", IMAGE_AUTO, false);
    assert_string_equal(image->ops->name, "nbd");
    must_equal(raw, image);
}

static void a_writer_keeps_others_out(void **state)
{
    (void)state;
    must("qemu-img", "create", "-q", "-f", "qcow2", "image", "1M");
    const struct image_open_options options = {.writable = true, .lock = true};
    struct block *first = NULL, *second = NULL;
    assert_int_equal(image_open("image", &options, &first, NULL), 0);
    assert_int_equal(image_open("image", &options, &second, NULL), -EBUSY);
    must_refuse("image", IMAGE_AUTO, EBUSY, "in use");
    assert_int_not_equal(tool("qemu-img", "info", "image"), 0);
    block_close(first);
    assert_int_equal(image_open("image", &options, &second, NULL), 0);
    block_close(second);
}

static void backing_files_are_locked_too(void **state)
{
    (void)state;
    make_disk("base");
    must("qemu-img", "create", "-q", "-f", "qcow2", "-b", "base", "-F", "raw", "top");
    int fd = open("base", O_RDWR | O_CLOEXEC);
    assert_int_equal(image_lock(fd, true, "base", NULL), 0);
    must_refuse("top", IMAGE_AUTO, EBUSY, "base: the image is in use");
    close(fd);
    const struct image_open_options options = {.lock = true};
    struct block *top = NULL;
    assert_int_equal(image_open("top", &options, &top, NULL), 0);
    fd = open("base", O_RDWR | O_CLOEXEC);
    assert_int_equal(image_lock(fd, true, "base", NULL), -EBUSY);
    block_close(top);
    assert_int_equal(image_lock(fd, true, "base", NULL), 0);
    close(fd);
}

static void a_missing_qemu_nbd_says_what_to_install(void **state)
{
    (void)state;
    must("qemu-img", "create", "-q", "-f", "vdi", "image", "1M");
    _cleanup_free_ char *path = strdup(getenv("PATH"));
    const struct image_open_options options = {0};
    struct error *error = NULL;
    struct block *block = NULL;
    setenv("PATH", "/nonexistent", 1);
    assert_int_equal(image_open("image", &options, &block, &error), -ENOENT);
    setenv("PATH", path, 1);
    assert_non_null(strstr(error_message(error), "image: cannot be opened as vdi: qemu-nbd"));
    assert_non_null(strstr(error_remedy(error), "qemu-utils"));
    error_free(error);
}

static void what_qemu_says_of_a_bad_image_is_passed_on(void **state)
{
    (void)state;
    make_file("image", 65536);
    write_at("image", 0, "vhdxfile", 8);
    must_refuse("image", IMAGE_AUTO, EINVAL,
                "image: qemu-nbd cannot open the image: No valid VHDX header found");
}

/* What QEMU says of a log, by a program in its place: no tool leaves one behind at will. */
static void a_log_that_is_to_be_replayed_is_said(void **state)
{
    (void)state;
    static const char qemu[] =
        "#!/bin/sh\ncase \"$*\" in *--read-only*) ;; *) touch written ;; esac\n"
        "echo \"qemu-nbd: Failed to blk_new_open 'json:{}': VHDX image file "
        "'/proc/1/fd/3' opened read-only, but contains a log that needs to be "
        "replayed\" >&2\nexit 1\n";
    const struct image_open_options options = {.writable = true};
    struct block *block = NULL;
    struct error *error = NULL;
    must("qemu-img", "create", "-q", "-f", "vhdx", "image", "16M");
    make_file("qemu-nbd", 0);
    write_at("qemu-nbd", 0, qemu, strlen(qemu));
    assert_int_equal(chmod("qemu-nbd", 0755), 0);
    _cleanup_free_ char *path = strdup(getenv("PATH")), *here = getcwd(NULL, 0);
    _cleanup_free_ char *before = str_printf(NULL, "%s:%s", here, path);
    setenv("PATH", before, 1);
    must_refuse("image", IMAGE_AUTO, EINVAL, "image: the VHDX image was not closed in order");
    /* Nothing opens it for writing, which would replay the log. */
    assert_int_equal(image_open("image", &options, &block, &error), -EINVAL);
    setenv("PATH", path, 1);
    assert_string_equal(error_remedy(error), "write them into it: qemu-img check -r all IMAGE");
    error_free(error);
    assert_int_equal(access("written", F_OK), -1);
}

static void a_dirty_image_is_not_repaired_by_the_way(void **state)
{
    (void)state;
    const struct image_open_options options = {.writable = true};
    struct block *block = NULL;
    struct error *error = NULL;
    must("qemu-img", "create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on", "image", "1M");
    write_at("image", 79, "\1", 1);
    assert_int_equal(image_open("image", &options, &block, &error), -EROFS);
    assert_non_null(strstr(error_message(error), "it was not closed in order"));
    assert_string_equal(error_remedy(error), "repair it first: qemu-img check -r all IMAGE");
    error_free(error);
    block_close(must_open("image", IMAGE_AUTO, false));
}

static void a_vmdk_stays_beside_its_descriptor(void **state)
{
    (void)state;
    static const char hostile[] = "# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n"
                                  "createType=\"monolithicFlat\"\nRW 8 FLAT \"/etc/passwd\" 0\n";
    make_disk("raw");
    must("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=twoGbMaxExtentFlat",
         "raw", "disk.vmdk");
    _cleanup_block_ struct block *raw = must_open("raw", IMAGE_RAW, false);
    struct block *disk = must_open("disk.vmdk", IMAGE_AUTO, false);
    must_equal(raw, disk);
    block_close(disk);
    make_file("hostile", 0);
    write_at("hostile", 0, hostile, sizeof(hostile) - 1);
    must_refuse("hostile", IMAGE_AUTO, EUNTRUSTED,
                "hostile: the image keeps its data in '/etc/passwd'");
    must("mkdir", "apart");
    must("qemu-img", "create", "-q", "-f", "vmdk", "-b", "../disk.vmdk", "-F", "vmdk",
         "apart/snapshot");
    must_refuse("apart/snapshot", IMAGE_AUTO, EUNTRUSTED,
                "apart/snapshot: its backing file is unusable");
}

static pid_t only_child(void)
{
    char path[64], *text = NULL;
    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    if (file_read(path, 4096, &text, NULL, NULL) < 0)
        return 0;
    pid_t pid = (pid_t)atol(text);
    free(text);
    return pid;
}

static void a_server_that_dies_is_an_error_and_no_hang(void **state)
{
    (void)state;
    must("qemu-img", "create", "-q", "-f", "qcow2", "image", "1M");
    struct block *block = must_open("image", IMAGE_AUTO, true);
    pid_t server = only_child();
    if (server == 0) {
        block_close(block);
        skip_because("this kernel does not list the children of a process");
    }
    assert_int_equal(kill(server, SIGKILL), 0);
    struct error *error = NULL;
    char bytes[512];
    for (int i = 0; i < 1000 && block_pread(block, bytes, sizeof(bytes), 0, &error) == 0; i++)
        ; /* it may still have answered */
    assert_non_null(strstr(error_message(error), "image: qemu-nbd: cannot read"));
    error_free(error);
    assert_true(block_flush(block, NULL) < 0);
    block_close(block);
    assert_int_equal(leftovers(), 0);
}

static void an_open_descriptor_serves_as_a_path(void **state)
{
    (void)state;
    char path[64];
    must("qemu-img", "create", "-q", "-f", "vdi", "image", "1M");
    int fd = open("image", O_RDWR | O_CLOEXEC);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    block_close(must_open(path, IMAGE_AUTO, true));
    close(fd);
}

#define nbd_test(function) cmocka_unit_test_setup_teardown(function, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_have_the_names_of_qemu),
        nbd_test(every_format_is_recognized_and_read),
        nbd_test(a_fixed_vhd_is_the_disk_before_its_footer),
        nbd_test(a_fixed_vhd_has_the_size_that_its_footer_states),
        nbd_test(a_vhd_without_its_first_sector_is_no_raw_image),
        nbd_test(a_stated_format_is_believed),
        nbd_test(writing_into_qcow2_leaves_it_consistent),
        nbd_test(writing_into_an_overlay_leaves_the_base_alone),
        nbd_test(a_chain_is_checked_before_qemu_follows_it),
        nbd_test(a_writer_keeps_others_out),
        nbd_test(backing_files_are_locked_too),
        nbd_test(a_missing_qemu_nbd_says_what_to_install),
        nbd_test(what_qemu_says_of_a_bad_image_is_passed_on),
        nbd_test(subclusters_are_read_by_qemu),
        nbd_test(a_log_that_is_to_be_replayed_is_said),
        nbd_test(a_dirty_image_is_not_repaired_by_the_way),
        nbd_test(a_vmdk_stays_beside_its_descriptor),
        nbd_test(a_server_that_dies_is_an_error_and_no_hang),
        nbd_test(an_open_descriptor_serves_as_a_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
