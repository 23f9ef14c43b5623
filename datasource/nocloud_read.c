/* Seeds that exist already: reading them, and adding to them. */

#include <errno.h>
#include <string.h>

#include "base/fdio.h"
#include "base/str.h"
#include "datasource/iso.h"
#include "datasource/mime.h"
#include "datasource/nocloud.h"

/* Four documents, and the ISO image around them. */
static const size_t max_iso = 80u << 20;

int nocloud_read_iso(const char *path, struct nocloud_seed *ret, struct error **err)
{
    _cleanup_nocloud_seed_ struct nocloud_seed seed = {0};
    _cleanup_free_ char *image = NULL;
    struct nocloud_document *const documents[] = {&seed.meta_data, &seed.network_config,
                                                  &seed.user_data, &seed.vendor_data};
    struct iso_found files[] = {{.name = "meta-data"},
                                {.name = "network-config"},
                                {.name = "user-data"},
                                {.name = "vendor-data"}};
    const struct iso_wanted wanted = {
        .label = "cidata", .max = NOCLOUD_MAX_DOCUMENT, .files = files, .count = ARRAY_SIZE(files)};
    size_t size;
    int r = file_read(path, max_iso, &image, &size, err);
    if (r == 0)
        r = iso_read(image, size, path, &wanted, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++)
        *documents[i] = (struct nocloud_document){.data = files[i].data, .size = files[i].size};
    if (!seed.user_data.data && !seed.meta_data.data)
        return error_set(err, EINVAL, "%s: has neither user-data nor meta-data", path);
    *ret = seed;
    seed = (struct nocloud_seed){0};
    return 0;
}

/* cloud-init looks at what a part of plain text begins with, as it does with a whole document. */
static const char *part_type(const struct nocloud_document *document)
{
    if (nocloud_is_gzip(document))
        return "application/gzip";
    return nocloud_is_mime(document) ? NULL : "text/plain";
}

int nocloud_add_vendor_script(struct nocloud_seed *seed, const char *name, const char *script,
                              struct error **err)
{
    const struct nocloud_document *old = &seed->vendor_data;
    struct mime_part parts[2] = {
        {.type = "text/x-shellscript", .name = name, .data = script, .size = strlen(script)}};
    size_t count = 1;
    if (old->data && strspn(old->data, " \t\r\n") < old->size)
        parts[count++] =
            (struct mime_part){.type = part_type(old), .data = old->data, .size = old->size};
    char *data;
    size_t size;
    int r = mime_join(parts, count, &data, &size, err);
    if (r < 0)
        return r;
    free(seed->vendor_data.data);
    seed->vendor_data = (struct nocloud_document){.data = data, .size = size};
    return 0;
}
