/* Damaged ext file systems under the native engine: whatever was changed in it, every operation
 * ends, with an error or not.
 *
 * Byte 0: which file system (its lower bits) and whether it is only read (bit 7). Then changes of
 * four bytes each: an offset into the image (little endian, 24 bits) and the byte to put there. The
 * images are made by mke2fs on the first run. */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fdio.h"
#include "base/proc.h"
#include "base/str.h"
#include "guest/engine.h"
#include "tests/fuzz/memory_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The images to damage. Without checksums, changes get further. */
static const char *const variants[][8] = {
    {"-t", "ext4", "-O", "^has_journal,^metadata_csum,^64bit,uninit_bg"},
    {"-t", "ext4", "-O", "^has_journal,^metadata_csum,inline_data,dir_index"},
    {"-t", "ext2", "-I", "128"},
    {"-t", "ext4", "-O", "^has_journal"},
};
#define VARIANTS   (sizeof(variants) / sizeof(variants[0]))
#define IMAGE_SIZE (512u << 10)

static uint8_t *images[VARIANTS];

static void must(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "cannot prepare: %s\n", what);
    exit(1);
}

static void put(const char *root, const char *path, const void *data, size_t size)
{
    _cleanup_free_ char *full = str_printf(NULL, "%s%s", root, path);
    _cleanup_free_ char *parent = path_parent(full);
    must(dir_create(parent, 0755, NULL) == 0, parent);
    _cleanup_close_ int fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    must(fd >= 0 && write(fd, data, size) == (ssize_t)size, full);
}

/* Something of every kind: long and short links, an index, a tree of extents, attributes. */
static void make_tree(const char *root)
{
    char text[400];
    memset(text, 't', sizeof(text));
    text[399] = '\0';
    put(root, "/etc/os-release", "ID=fuzz\n", 8);
    put(root, "/etc/fstab", "/dev/sda / ext4\n", 16);
    put(root, "/usr/bin/x", text, 300);
    for (unsigned i = 0; i < 60; i++) {
        _cleanup_free_ char *path = str_printf(NULL, "/many/a-name-of-some-length-%u", i);
        put(root, path, "x", i % 3);
    }
    _cleanup_free_ char *sparse = str_printf(NULL, "%s/etc/sparse", root);
    _cleanup_free_ char *link = str_printf(NULL, "%s/etc/link", root);
    _cleanup_free_ char *longer = str_printf(NULL, "%s/etc/longer", root);
    _cleanup_close_ int fd = open(sparse, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    for (off_t i = 0; i < 12; i++)
        must(fd >= 0 && pwrite(fd, "data", 4, i * 8192) == 4, sparse);
    must(symlink("/usr/bin", link) == 0 && symlink(text, longer) == 0, link);
    setxattr(sparse, "user.large", text, 350, 0); /* where the host can */
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    char dir[] = "/tmp/kiln-fuzz.XXXXXX";
    must(mkdtemp(dir) != NULL, dir);
    _cleanup_free_ char *tree = str_printf(NULL, "%s/tree", dir);
    _cleanup_free_ char *file = str_printf(NULL, "%s/image", dir);
    must(mkdir(tree, 0755) == 0, tree);
    make_tree(tree);
    for (size_t i = 0; i < VARIANTS; i++) {
        const char *args[24] = {"mke2fs", "-q", "-F", "-b", "1024", "-N", "128", "-d", tree};
        size_t n = 9;
        for (size_t j = 0; variants[i][j]; j++)
            args[n++] = variants[i][j];
        args[n++] = file;
        args[n] = "512";
        struct proc_options options = {PROC_OPTIONS_INIT, .argv = args};
        unlink(file);
        must(proc_check(&options, NULL, 0, 4096, 60000, NULL, NULL) == 0, "mke2fs");
        size_t size = 0;
        must(file_read(file, IMAGE_SIZE, (char **)&images[i], &size, NULL) == 0, file);
        must(size == IMAGE_SIZE, "the image's size");
        /* Nobody has an index made for so few entries; e2fsck makes one. */
    }
    const char *const rm[] = {"rm", "-rf", dir, NULL};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = rm};
    proc_check(&options, NULL, 0, 4096, 60000, NULL, NULL);
    return 0;
}

struct walk {
    struct guest *guest;
    const char *path;
    unsigned depth;
    unsigned *left; /* objects still to be looked at */
};

static int look_at_attribute(void *context, const char *name, const void *value, size_t size)
{
    (void)context, (void)value;
    return strlen(name) + size > 1 << 20 ? -EFBIG : 0;
}

static int visit(void *context, const char *name, mode_t type)
{
    (void)type;
    const struct walk *walk = context;
    if (walk->depth > 6 || *walk->left == 0)
        return 0;
    --*walk->left;
    _cleanup_free_ char *path = str_printf(NULL, "%s/%s", walk->path, name);
    struct guest_stat st;
    if (guest_stat(walk->guest, path, false, &st, NULL) < 0)
        return 0;
    char *data;
    if (S_ISREG(st.mode) && guest_read(walk->guest, path, 1 << 20, &data, NULL, NULL) == 0)
        free(data);
    if (S_ISLNK(st.mode) && guest_readlink(walk->guest, path, &data, NULL) == 0)
        free(data);
    guest_list_xattrs(walk->guest, path, look_at_attribute, NULL, NULL);
    if (S_ISREG(st.mode)) {
        _cleanup_close_ int fd = memfd_create("download", MFD_CLOEXEC);
        guest_download(walk->guest, path, fd, NULL);
    }
    if (S_ISDIR(st.mode)) {
        struct walk below = {walk->guest, path, walk->depth + 1, walk->left};
        guest_list(walk->guest, path, visit, &below, NULL);
    }
    return 0;
}

/* Attributes, parts of files, and what concerns the file system as a whole. */
static void change_more(struct guest *guest, const char *text)
{
    static const char *const paths[] = {"/etc/sparse", "/etc/longer", "/etc/link", "/many", "/etc"};
    const struct guest_times times = {.atime = 1, .mtime = INT64_C(1) << 33};
    uint64_t freed;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        guest_set_xattr(guest, paths[i], "security.selinux", text, 40, NULL);
        guest_set_xattr(guest, paths[i], "user.large", text, 200, NULL);
        guest_set_times(guest, paths[i], &times, NULL);
        guest_lchown(guest, paths[i], 7, 8, NULL);
        guest_set_xattr(guest, paths[i], "user.large", NULL, 0, NULL);
    }
    guest_link(guest, "/etc/sparse", "/many/sparse", NULL);
    guest_link(guest, "/etc/longer", "/etc/more", NULL);
    guest_mknod(guest, "/etc/null", S_IFCHR | 0666, 259, NULL);
    guest_truncate(guest, "/many/a-name-of-some-length-2", 100000, NULL);
    guest_truncate(guest, "/etc/sparse", 20000, NULL);
    guest_copy_tree(guest, "/etc", "/usr/etc", NULL);
    guest_truncate(guest, "/etc/sparse", 8193, NULL);
    guest_overwrite(guest, "/etc/sparse", NULL);
    guest_renew(guest, GUEST_FILE_SYSTEM_UUIDS, NULL);
    guest_sync(guest, NULL);
    guest_remove(guest, "/usr/etc", NULL);
    guest_trim(guest, &freed, NULL);
}

static void change(struct guest *guest)
{
    struct guest_file_attr attr = {.mode = 0644, .force = true};
    char text[5000];
    memset(text, 'n', sizeof(text));
    guest_write(guest, "/etc/os-release", text, sizeof(text), &attr, NULL);
    guest_write(guest, "/etc/sparse", text, 10, &attr, NULL);
    guest_write(guest, "/etc/link/new", text, 3000, &attr, NULL);
    for (unsigned i = 0; i < 20; i++) {
        _cleanup_free_ char *path = str_printf(NULL, "/many/another-entry-%u", i);
        guest_symlink(guest, "target", path, NULL);
    }
    guest_mkdir_p(guest, "/usr/new/dir", 0755, NULL);
    guest_rename(guest, "/usr/new", "/many/moved", NULL);
    guest_rename(guest, "/usr/bin/x", "/etc/fstab", NULL);
    text[300] = '\0';
    guest_symlink(guest, text, "/many/long", NULL);
    guest_sync(guest, NULL);
    change_more(guest, text);
    guest_chmod(guest, "/etc/longer", 0600, NULL);
    guest_remove(guest, "/etc", NULL);
    guest_remove(guest, "/many", NULL);
    guest_sync(guest, NULL);
}

/* One of the file systems with some bytes changed, opened by the native engine. False: it refuses.
 */
static bool open_damaged(const uint8_t *data, size_t size, bool writable, struct guest **ret)
{
    struct memory *memory = calloc(1, sizeof(*memory));
    memory->bytes = malloc(IMAGE_SIZE);
    memory->block = (struct block){
        .ops = &memory_ops, .name = strdup("memory"), .size = IMAGE_SIZE, .writable = true};
    memcpy(memory->bytes, images[(data[0] & 0x7f) % VARIANTS], IMAGE_SIZE);
    for (size_t i = 1; i + 4 <= size; i += 4) {
        uint32_t offset = data[i] | (uint32_t)data[i + 1] << 8 | (uint32_t)data[i + 2] << 16;
        memory->bytes[offset % IMAGE_SIZE] = data[i + 3];
    }
    struct guest_open_options options = {.writable = writable};
    struct guest_opening opening;
    if (native_open_block(&memory->block, "fuzz", &options, &opening, NULL) < 0)
        return false;
    free(opening.lack);
    *ret = opening.guest;
    return *ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct guest *guest;
    bool writable = size > 0 && !(data[0] & 0x80);
    if (size < 1 || !open_damaged(data, size, writable, &guest))
        return 0;
    unsigned left = 300;
    struct walk walk = {guest, "", 0, &left};
    guest_list(guest, "/", visit, &walk, NULL);
    if (writable)
        change(guest);
    guest_discard(guest);
    /* After a half-made change the guest refuses all others: those that come late in change() get a
     * guest of their own. */
    if (writable && open_damaged(data, size, true, &guest)) {
        char text[300];
        memset(text, 'n', sizeof(text));
        change_more(guest, text);
        guest_discard(guest);
    }
    return 0;
}
