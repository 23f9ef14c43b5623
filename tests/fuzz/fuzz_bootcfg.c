/* Boot configurations of hostile guests: grub.cfg, its environment block, a Boot Loader
 * Specification entry, a further configuration and fstab, separated by 0xff bytes. */

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "guest/engine.h"
#include "guest/inspect/inspect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A guest of these files, in which every other path is a file as well, or a directory. */
static const char *const paths[] = {"/boot/grub/grub.cfg", "/boot/grub/grubenv",
                                    "/boot/loader/entries/e-1.conf", "/boot/grub/custom.cfg",
                                    "/etc/fstab"};

struct small {
    struct guest guest;
    char *texts[ARRAY_SIZE(paths)];
};

static int small_stat(struct guest *guest, const char *path, bool follow, struct guest_stat *ret,
                      struct error **err)
{
    (void)guest, (void)follow;
    if (strstr(path, "none"))
        return error_set(err, strstr(path, "none/") ? EOPNOTSUPP : ENOENT, "no such file");
    bool directory = str_ends(path, "/entries");
    *ret = (struct guest_stat){.mode = directory ? S_IFDIR | 0755 : S_IFREG | 0644, .size = 1};
    return 0;
}

static int small_read(struct guest *guest, const char *path, size_t max, char **ret,
                      size_t *ret_size, struct error **err)
{
    struct small *small = (struct small *)guest;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        if (strcmp(path, paths[i]) == 0 && small->texts[i] && strlen(small->texts[i]) <= max) {
            *ret_size = strlen(small->texts[i]);
            *ret = strdup(small->texts[i]);
            return 0;
        }
    return error_set(err, ENOENT, "no such file");
}

static int small_list(struct guest *guest, const char *path, guest_dirent_fn *entry, void *context,
                      struct error **err)
{
    (void)guest;
    if (strcmp(path, "/boot/loader/entries") != 0)
        return error_set(err, ENOENT, "no such directory");
    return entry(context, "e-1.conf", S_IFREG);
}

static int small_root(struct guest *guest, struct guest_root *ret, struct error **err)
{
    (void)guest, (void)err;
    *ret = (struct guest_root){
        .device = strdup("/dev/sda1"), .fs = strdup("btrfs"), .uuid = strdup("abc")};
    return 0;
}

static void small_close(struct guest *guest)
{
    (void)guest;
}

static const struct guest_ops small_ops = {
    .name = "small",
    .stat = small_stat,
    .read = small_read,
    .list = small_list,
    .root = small_root,
    .close = small_close,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct small small = {.guest = {.ops = &small_ops}};
    for (size_t i = 0; i < ARRAY_SIZE(paths) && size > 0; i++) {
        const uint8_t *end = memchr(data, 0xff, size);
        size_t length = end ? (size_t)(end - data) : size;
        small.texts[i] = strndup((const char *)data, length);
        data += length + (end ? 1 : 0);
        size -= length + (end ? 1 : 0);
    }
    struct guest_boot_entry entry = {0};
    if (guest_boot_default(&small.guest, &entry, NULL) == 0)
        guest_boot_entry_free(&entry);
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        free(small.texts[i]);
    return 0;
}
