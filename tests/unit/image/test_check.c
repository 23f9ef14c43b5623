#include "image/check.h"

#include "image/nbd.h"
#include "image/nodes.h"
#include "image/qcow2.h"
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "tests/unit/image/scratch.h"

enum { disk_size = 1 << 20 };

static void make_disk(const char *path)
{
    make_file(path, disk_size);
    write_pattern(path, 0, 4096);
}

/* An image over a backing file named freely, without asking qemu-img. */
static void make_overlay(const char *path, const char *backing, const char *format)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(qcow2_create_overlay(fd, path, disk_size, backing, format, NULL), 0);
    close(fd);
}

static void must_pass(const char *path, const struct image_trust *trust)
{
    _cleanup_image_chain_ struct image_chain chain = {0};
    struct error *error = NULL;
    if (image_check_path(path, IMAGE_AUTO, trust, &chain, &error) < 0)
        fail_msg("%s", error_message(error));
}

/* Refused on trust; a remedy of NULL is not looked at. */
static void must_distrust(const char *path, const struct image_trust *trust, const char *text,
                          const char *remedy)
{
    _cleanup_image_chain_ struct image_chain chain = {0};
    _cleanup_error_ struct error *error = NULL;
    if (image_check_path(path, IMAGE_AUTO, trust, &chain, &error) == 0)
        fail_msg("%s passed, but should be refused with '%s'", path, text);
    assert_int_equal(error_errno(error), EUNTRUSTED);
    if (!strstr(error_message(error), text))
        fail_msg("'%s' lacks '%s'", error_message(error), text);
    if (remedy && !(error_remedy(error) && strstr(error_remedy(error), remedy)))
        fail_msg("the remedy '%s' lacks '%s'", error_remedy(error), remedy);
}

static void the_chain_is_described(void **state)
{
    (void)state;
    assert_int_equal(mkdir("bases", 0755), 0);
    make_disk("bases/base");
    make_overlay("bases/middle", "base", "raw");
    make_overlay("top", "bases/middle", "qcow2");
    _cleanup_image_chain_ struct image_chain chain = {0};
    assert_int_equal(image_check_path("top", IMAGE_AUTO, NULL, &chain, NULL), 0);
    _cleanup_free_ char *middle = realpath("bases/middle", NULL),
                        *base = realpath("bases/base", NULL);
    assert_int_equal(chain.count, 3);
    assert_string_equal(chain.layers[0].path, "top");
    assert_string_equal(chain.layers[1].path, middle);
    assert_string_equal(chain.layers[2].path, base);
    assert_int_equal(chain.layers[0].format, IMAGE_QCOW2);
    assert_int_equal(chain.layers[1].format, IMAGE_QCOW2);
    assert_int_equal(chain.layers[2].format, IMAGE_RAW);
}

static void every_node_is_named_for_qemu(void **state)
{
    (void)state;
    make_disk("base");
    make_overlay("top", "base", "raw");
    _cleanup_image_chain_ struct image_chain chain = {0};
    assert_int_equal(image_check_path("top", IMAGE_AUTO, NULL, &chain, NULL), 0);
    const struct image_node_options options = {
        .name = "disk0", .caller_locks = true, .file_name = true};
    _cleanup_free_ char *nodes = image_nodes(&chain, &options, NULL);
    char wanted[1024];
    snprintf(wanted, sizeof(wanted),
             "json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":"
             "\"/proc/%d/fd/%d\",\"locking\":\"off\"},\"backing\":{\"driver\":\"raw\",\"file\":{"
             "\"driver\":\"file\",\"filename\":\"/proc/%d/fd/%d\",\"locking\":\"off\"}},"
             "\"read-only\":true,\"node-name\":\"disk0\"}",
             (int)getpid(), chain.layers[0].fd, (int)getpid(), chain.layers[1].fd);
    assert_string_equal(nodes, wanted);
    must("qemu-img", "create", "-q", "-f", "qcow2", "alone", "1M");
    _cleanup_image_chain_ struct image_chain alone = {0};
    assert_int_equal(image_check_path("alone", IMAGE_AUTO, NULL, &alone, NULL), 0);
    const struct image_node_options plain = {.writable = true};
    _cleanup_free_ char *single = image_nodes(&alone, &plain, NULL);
    assert_non_null(strstr(single, "\"backing\":null,\"read-only\":false,\"discard\":\"unmap\"}"));
}

/* An image whose header names another file once it was checked. */
static void nothing_is_followed_after_the_check(void **state)
{
    (void)state;
    make_disk("base");
    make_file("other", disk_size);
    make_overlay("top", "base", "raw");
    struct image_chain chain = {0};
    assert_int_equal(image_check_path("top", IMAGE_AUTO, NULL, &chain, NULL), 0);
    must("qemu-img", "rebase", "-u", "-f", "qcow2", "-b", "other", "-F", "raw", "top");
    assert_int_equal(rename("base", "moved"), 0);
    assert_int_equal(symlink("other", "base"), 0);
    const struct nbd_options options = {.caller_locks = true};
    _cleanup_block_ struct block *block = NULL;
    assert_int_equal(nbd_block_open(&chain, &options, &block, NULL), 0);
    uint8_t got[4096], wanted[4096];
    pattern(wanted, sizeof(wanted), 1);
    must_read(block, got, sizeof(got), 0);
    assert_memory_equal(got, wanted, sizeof(got));
}

static void backing_files_elsewhere_need_permission(void **state)
{
    (void)state;
    assert_int_equal(mkdir("images", 0755) | mkdir("images/sub", 0755) | mkdir("other", 0755), 0);
    make_disk("images/base");
    make_disk("images/sub/base");
    make_disk("other/base");
    make_overlay("images/beside", "base", "raw");
    must_pass("images/beside", NULL);
    make_overlay("images/below", "sub/base", "raw");
    must_pass("images/below", NULL);
    _cleanup_free_ char *other = realpath("other", NULL);
    _cleanup_free_ char *allow = str_printf(NULL, "--allow-backing %s", other);
    make_overlay("images/outside", "../other/base", "raw");
    must_distrust("images/outside", NULL, "other/base: not trusted as a backing file: it is not in",
                  allow);
    /* The folder's name as a mere beginning of another's. */
    assert_int_equal(mkdir("images2", 0755), 0);
    make_disk("images2/base");
    make_overlay("images/neighbour", "../images2/base", "raw");
    must_distrust("images/neighbour", NULL, "not trusted", NULL);
    struct image_trust trust = {0};
    assert_int_equal(strv_add(&trust.folders, "other/../other", NULL), 0);
    must_pass("images/outside", &trust);
    must_distrust("images/neighbour", &trust, "not trusted", NULL);
    strv_free(&trust.folders);
    const struct image_trust alone = {.alone = true};
    must_distrust("images/beside", &alone, "it needs another image, 'base'", NULL);
}

static void links_are_resolved_before(void **state)
{
    (void)state;
    assert_int_equal(mkdir("images", 0755) | mkdir("other", 0755), 0);
    make_disk("images/base");
    make_disk("other/base");
    assert_int_equal(symlink("../other/base", "images/link"), 0);
    make_overlay("images/out", "link", "raw");
    must_distrust("images/out", NULL, "other/base: not trusted", NULL);
    assert_int_equal(symlink("../other", "images/folder"), 0);
    make_overlay("images/out", "folder/base", "raw");
    must_distrust("images/out", NULL, "other/base: not trusted", NULL);
    assert_int_equal(symlink("../images/base", "other/link"), 0);
    make_overlay("images/in", "../other/link", "raw");
    must_pass("images/in", NULL);
    /* The image's own folder is where its file lies. */
    assert_int_equal(symlink("images/in", "elsewhere"), 0);
    make_overlay("images/in", "images/base", "raw");
    must_pass("elsewhere", NULL);
}

static void files_of_others_need_permission(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    make_disk("base");
    make_overlay("top", "base", "raw");
    must_pass("top", NULL);
    assert_int_equal(chown("base", 12345, 12345), 0);
    must_distrust("top", NULL, "base: not trusted as a backing file: it belongs to another user",
                  "--allow-backing");
    struct image_trust trust = {0};
    assert_int_equal(strv_add(&trust.folders, ".", NULL), 0);
    must_pass("top", &trust);
    strv_free(&trust.folders);
}

static void block_devices_need_permission(void **state)
{
    (void)state;
    if (geteuid() != 0 || mknod("device", S_IFBLK | 0600, makedev(7, 255)) < 0)
        skip();
    make_overlay("top", "device", "raw");
    must_distrust("top", NULL, "device: not trusted as a backing file: it is a block device",
                  "--allow-backing");
}

static void configured_folders_are_trusted(void **state)
{
    (void)state;
    assert_int_equal(mkdir("images", 0755) | mkdir("store", 0755) | mkdir("config", 0755) |
                         mkdir("config/kiln", 0755) | mkdir("cache", 0755) |
                         mkdir("cache/kiln", 0755),
                     0);
    _cleanup_free_ char *config = realpath("config", NULL), *store = realpath("store", NULL),
                        *cache = realpath("cache", NULL);
    setenv("XDG_CONFIG_HOME", config, 1);
    setenv("XDG_CACHE_HOME", cache, 1);
    make_disk("store/base");
    make_disk("cache/kiln/base");
    make_overlay("images/cached", "../cache/kiln/base", "raw");
    must_pass("images/cached", NULL);
    make_overlay("images/top", "../store/base", "raw");
    must_distrust("images/top", NULL, "not trusted", NULL);
    _cleanup_free_ char *text = str_printf(NULL, "# stores\n\n  /nonexistent\n %s \n", store);
    make_file("config/kiln/backing.conf", 0);
    write_at("config/kiln/backing.conf", 0, text, strlen(text));
    must_pass("images/top", NULL);
    make_file("config/kiln/backing.conf", 0);
    write_at("config/kiln/backing.conf", 0, "\nstore\n", 7);
    must_refuse("images/top", IMAGE_AUTO, EINVAL, "backing.conf, line 2: a folder must be given");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("XDG_CACHE_HOME");
}

static void images_that_need_other_files_are_refused(void **state)
{
    (void)state;
    must("qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file=data,data_file_raw=on",
         "image", "1M");
    must_distrust("image", NULL, "image: the qcow2 image keeps its data in another file", NULL);
    /* The type in the copy of the footer. */
    must("qemu-img", "create", "-q", "-f", "vpc", "disk.vhd", "1M");
    must_pass("disk.vhd", NULL);
    write_at("disk.vhd", 60, "\0\0\0\4", 4);
    must_distrust("disk.vhd", NULL, "disk.vhd: the vpc image holds only what differs", NULL);
    must("qemu-img", "create", "-q", "-f", "vdi", "disk.vdi", "1M");
    must_pass("disk.vdi", NULL);
    write_at("disk.vdi", 440, "parent", 6);
    must_distrust("disk.vdi", NULL, "disk.vdi: the vdi image holds only what differs", NULL);
}

/* Makes the second header extension of an image one more for the backing format, and the last. */
static void state_format_twice(const char *path)
{
    static const uint8_t twice[24] = {0xe2, 0x79, 0x2a, 0xca, 0, 0, 0, 3, 'r', 'a', 'w'};
    uint8_t type[4];
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, type, 4, 112), 4);
    assert_memory_equal(type, twice, 4);
    assert_int_equal(pwrite(fd, twice, sizeof(twice), 128), sizeof(twice));
    close(fd);
}

static void a_backing_format_that_is_stated_twice_is_refused(void **state)
{
    (void)state;
    _cleanup_image_chain_ struct image_chain chain = {0};
    _cleanup_error_ struct error *error = NULL;
    make_disk("base");
    must("qemu-img", "create", "-q", "-f", "qcow2", "-b", "base", "-F", "raw", "top");
    must_pass("top", NULL);
    state_format_twice("top");
    assert_int_equal(image_check_path("top", IMAGE_AUTO, NULL, &chain, &error), -EINVAL);
    assert_non_null(strstr(error_message(error), "header extension is there twice"));
}

/* Where QEMU puts the file parameters of the images that it makes. */
static void a_vhdx_with_a_parent_is_refused(void **state)
{
    (void)state;
    static const uint8_t guid[] = {0x37, 0x67, 0xa1, 0xca, 0x36, 0xfa, 0x43, 0x4d,
                                   0xb3, 0xb6, 0x33, 0xf0, 0xaa, 0x44, 0xe7, 0x6b};
    must("qemu-img", "create", "-q", "-f", "vhdx", "disk.vhdx", "8M");
    must_pass("disk.vhdx", NULL);
    char *bytes;
    size_t size;
    assert_int_equal(file_read("disk.vhdx", 64 << 20, &bytes, &size, NULL), 0);
    uint8_t *item = memmem(bytes, size, guid, sizeof(guid));
    assert_non_null(item);
    size_t table = (size_t)(item - (uint8_t *)bytes) / 65536 * 65536;
    size_t offset = item[16] | (size_t)item[17] << 8 | (size_t)item[18] << 16;
    free(bytes);
    write_at("disk.vhdx", table + offset + 4, "\2", 1);
    must_distrust("disk.vhdx", NULL, "disk.vhdx: the vhdx image holds only what differs", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(the_chain_is_described),
        scratch_test(every_node_is_named_for_qemu),
        scratch_test(nothing_is_followed_after_the_check),
        scratch_test(backing_files_elsewhere_need_permission),
        scratch_test(links_are_resolved_before),
        scratch_test(files_of_others_need_permission),
        scratch_test(block_devices_need_permission),
        scratch_test(configured_folders_are_trusted),
        scratch_test(images_that_need_other_files_are_refused),
        scratch_test(a_backing_format_that_is_stated_twice_is_refused),
        scratch_test(a_vhdx_with_a_parent_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
