/* VMDK descriptors from strangers: whatever is accepted, QEMU must read in the same way. */

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/vmdk_descriptor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool truth)
{
    if (!truth)
        abort();
}

/* What QEMU (block/vmdk.c) opens for the line at `text`: false for nothing. */
static bool qemu_reads(const char *text, char type[11], char file[512], int64_t *sectors,
                       int64_t *offset)
{
    char access[11];
    *offset = -1;
    int n = sscanf(text, "%10s %" SCNd64 " %10s \"%511[^\n\r\"]\" %" SCNd64, access, sectors, type,
                   file, offset);
    return n >= 4 && strcmp(access, "RW") == 0;
}

static void compare_extents(const char *text, const struct vmdk_descriptor *descriptor)
{
    size_t count = 0;
    for (const char *line = text; line && *line;) {
        char type[11], file[512];
        int64_t sectors, offset;
        if (qemu_reads(line, type, file, &sectors, &offset)) {
            expect(count < descriptor->count);
            const struct vmdk_extent *extent = &descriptor->extents[count++];
            expect(strcmp(file, extent->name) == 0);
            expect(!strchr(file, '/') && !strchr(file, ':'));
            expect(sectors == (int64_t)extent->sectors);
            expect(offset == (extent->type == VMDK_FLAT ? (int64_t)extent->offset : -1));
        }
        line = strchr(line, '\n');
        line = line ? line + 1 : NULL;
    }
    expect(count == descriptor->count);
}

/* Of a descriptor inside an image QEMU reads no extents. */
static bool all_writable(const struct vmdk_descriptor *descriptor)
{
    bool all = true;
    for (size_t i = 0; i < descriptor->count; i++)
        all = all && descriptor->extents[i].access == VMDK_RW;
    return all;
}

/* QEMU takes the value of the first place, whatever stands between key and value. */
static void compare_value(const char *text, const char *key, const char *value)
{
    const char *at = strstr(text, key);
    expect(!at == !value);
    if (!at)
        return;
    size_t length = strlen(value);
    at += strlen(key) + 2;
    expect(strncmp(at, value, length) == 0 && at[length] == '"');
}

static void compare_id(const char *text, const char *key, uint32_t id)
{
    uint32_t value;
    const char *at = strstr(text, key);
    expect(at && sscanf(at + strlen(key) + 1, "%" SCNx32, &value) == 1 && value == id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vmdk_descriptor descriptor = {0};
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    _cleanup_error_ struct error *err = NULL;
    int r = vmdk_descriptor_parse(text, size, "fuzz", &descriptor, &err);
    expect((r < 0) == (err != NULL));
    if (r == 0 && vmdk_descriptor_check(&descriptor, false, "fuzz", NULL) == 0 &&
        all_writable(&descriptor))
        compare_extents(text, &descriptor);
    if (r == 0) {
        compare_value(text, "createType", descriptor.create_type);
        compare_value(text, "parentFileNameHint", descriptor.parent);
        compare_id(text, "CID", descriptor.cid);
        compare_id(text, "parentCID", descriptor.parent_cid);
    }
    vmdk_descriptor_free(&descriptor);
    free(text);
    return 0;
}
