#include "guest/tar_stream.h"

#include <stdio.h>
#include <string.h>

enum { block_size = 512 };

struct header {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[8];
    char owner[32], group[32];
    char major[8], minor[8];
    char unused[167];
};
_Static_assert(sizeof(struct header) == block_size, "a tar header is one block");

/* Octal digits where they do; else base 256, two's complement, marked by the highest bit. */
static void put_number(char *field, size_t size, int64_t value)
{
    uint64_t limit = UINT64_C(1) << 3 * (size - 1);
    if (value >= 0 && (uint64_t)value < limit) {
        char digits[24];
        snprintf(digits, sizeof(digits), "%0*llo", (int)size - 1, (unsigned long long)value);
        memcpy(field, digits, size);
        return;
    }
    uint64_t bits = (uint64_t)value;
    for (size_t i = size; i-- > 0; bits = bits >> 8 | (value < 0 ? UINT64_C(0xff) << 56 : 0))
        field[i] = (char)(bits & 0xff);
    field[0] = (char)(value < 0 ? 0xff : 0x80);
}

static void put_header(struct str *archive, struct header *header, const char *name, char type,
                       size_t size)
{
    strncpy(header->name, name, sizeof(header->name) - 1);
    put_number(header->size, sizeof(header->size), (int64_t)size);
    header->type = type;
    memcpy(header->magic, "ustar  ", sizeof(header->magic));
    memset(header->checksum, ' ', sizeof(header->checksum));
    unsigned sum = 0;
    for (size_t i = 0; i < sizeof(*header); i++)
        sum += ((const unsigned char *)header)[i];
    snprintf(header->checksum, sizeof(header->checksum), "%06o", sum & 0777777);
    str_append_n(archive, header, sizeof(*header));
}

static void put_data(struct str *archive, const void *data, size_t size)
{
    static const char zeroes[block_size];
    if (size == 0)
        return;
    str_append_n(archive, data, size);
    str_append_n(archive, zeroes, (block_size - size % block_size) % block_size);
}

void tar_stream_add(struct str *archive, const char *name, const struct guest_new_file *file)
{
    size_t length = strlen(name);
    if (length >= sizeof(((struct header *)0)->name)) {
        struct header longer = {0};
        put_number(longer.mode, sizeof(longer.mode), 0644);
        put_number(longer.uid, sizeof(longer.uid), 0);
        put_number(longer.gid, sizeof(longer.gid), 0);
        put_number(longer.mtime, sizeof(longer.mtime), 0);
        put_header(archive, &longer, "././@LongLink", 'L', length + 1);
        put_data(archive, name, length + 1);
    }
    struct header header = {0};
    put_number(header.mode, sizeof(header.mode), file->attr.mode & 07777);
    put_number(header.uid, sizeof(header.uid), file->attr.uid);
    put_number(header.gid, sizeof(header.gid), file->attr.gid);
    put_number(header.mtime, sizeof(header.mtime), file->mtime);
    put_header(archive, &header, name, '0', file->size);
    put_data(archive, file->data, file->size);
}

void tar_stream_end(struct str *archive)
{
    static const char zeroes[2 * block_size];
    str_append_n(archive, zeroes, sizeof(zeroes));
}
