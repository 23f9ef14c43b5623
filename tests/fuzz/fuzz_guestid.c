/* What a guest says about itself: os-release, fstab and the devices in it, the mode of
 * SELinux, ELF headers, versions. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guest/inspect/cmdline.h"
#include "guest/inspect/elf.h"
#include "guest/inspect/fstab.h"
#include "guest/inspect/machine_uuid.h"
#include "guest/inspect/osrelease.h"
#include "guest/inspect/selinux_config.h"
#include "guest/inspect/version.h"
#include "guest/inspect/volume.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void find_all(const struct fstab *fstab)
{
    struct volume items[] = {
        {.device = "/dev/sda1", .number = 1, .uuid = "ab12", .label = "root", .type = "ext"},
        {.device = "/dev/sda2", .number = 2, .part_uuid = "cd34", .part_label = "x y", .type = ""},
    };
    struct volumes volumes = {.items = items, .count = 2};
    for (size_t i = 0; i < fstab->count; i++) {
        volumes_find(&volumes, fstab->items[i].spec);
        fstab_has_option(&fstab->items[i], "nofail");
        fstab_is_mounted(&fstab->items[i]);
        free(fstab_subvolume(&fstab->items[i], NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    struct os_release release;
    if (os_release_parse(text, &release, NULL) == 0) {
        free(os_release_distro(&release, NULL));
        os_release_free(&release);
    }
    struct selinux_config selinux;
    if (selinux_config_parse(text, &selinux, NULL) == 0)
        selinux_config_free(&selinux);
    struct fstab fstab;
    if (fstab_parse(text, &fstab, NULL) == 0) {
        find_all(&fstab);
        fstab_free(&fstab);
    }
    elf_machine(data, size);
    char *value = NULL, uuid[UUID_TEXT_SIZE];
    if (cmdline_value(text, "usr", &value, NULL) == 0)
        free(value);
    machine_uuid(text, text, uuid, NULL);
    size_t half = strlen(text) / 2;
    char *first = strndup(text, half);
    int order = version_compare(first, text + half);
    /* An order that depends on who is asked is none. */
    if ((order > 0) != (version_compare(text + half, first) < 0) || version_compare(text, text))
        abort();
    free(first);
    free(text);
    return 0;
}
