#include "image/foreign.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"
#include "base/fdio.h"

/* Each magic as the format's own specification, or file(1), has it. */
static const struct magic {
    unsigned offset;
    unsigned length;
    const char *bytes;
    struct foreign_kind kind;
} magics[] = {
    {0,
     6,
     "\xfd"
     "7zXZ\0",
     {"compressed with xz", "xz -dk FILE", COMPRESSION_XZ}},
    {0, 3, "\x1f\x8b\x08", {"compressed with gzip", "gzip -dk FILE", COMPRESSION_GZIP}},
    {0, 4, "\x28\xb5\x2f\xfd", {"compressed with zstd", "zstd -d FILE", COMPRESSION_ZSTD}},
    {0, 3, "BZh", {"compressed with bzip2", "bzip2 -dk FILE", COMPRESSION_NONE}},
    {0, 4, "\x04\x22\x4d\x18", {"compressed with lz4", "lz4 -d FILE", COMPRESSION_NONE}},
    {0, 5, "\x5d\0\0\x80\0", {"compressed with lzma", "xz -dk FILE", COMPRESSION_NONE}},
    {0, 5, "LZIP\1", {"compressed with lzip", "lzip -dk FILE", COMPRESSION_NONE}},
    {0, 9, "\x89LZO\0\r\n\x1a\n", {"compressed with lzop", "lzop -d FILE", COMPRESSION_NONE}},
    {0, 2, "\x1f\x9d", {"compressed with compress", "gzip -d FILE", COMPRESSION_NONE}},
    {0, 4, "PK\3\4", {"a zip archive", "unzip FILE", COMPRESSION_NONE}},
    {0, 6, "7z\xbc\xaf\x27\x1c", {"a 7z archive", "7z x FILE", COMPRESSION_NONE}},
    {0, 6, "Rar!\x1a\x07", {"a rar archive", "unrar x FILE", COMPRESSION_NONE}},
    {257, 5, "ustar", {"a tar archive (an OVA is one too)", "tar -xf FILE", COMPRESSION_NONE}},
    {0, 5, "07070", {"a cpio archive", "cpio -i <FILE", COMPRESSION_NONE}},
    {0, 8, "!<arch>\n", {"an ar archive", "ar x FILE", COMPRESSION_NONE}},
    {0, 8, "MSWIM\0\0\0", {"a Windows image (WIM)", "wimapply FILE DIRECTORY", COMPRESSION_NONE}},
    {0, 4, "\x3a\xff\x26\xed", {"an Android sparse image", "simg2img FILE NEW", COMPRESSION_NONE}},
    {0,
     4,
     "QED\0",
     {"a QED disk image", "qemu-img convert -f qed -O qcow2 FILE NEW", COMPRESSION_NONE}},
    {0,
     16,
     "WithoutFreeSpace",
     {"a Parallels disk image", "qemu-img convert -f parallels -O qcow2 FILE NEW",
      COMPRESSION_NONE}},
    {0,
     16,
     "WithouFreSpacExt",
     {"a Parallels disk image", "qemu-img convert -f parallels -O qcow2 FILE NEW",
      COMPRESSION_NONE}},
    {0,
     22,
     "Bochs Virtual HD Image",
     {"a Bochs disk image", "qemu-img convert -f bochs -O qcow2 FILE NEW", COMPRESSION_NONE}},
};

/* A boot sector may begin with any bytes, but ends with this: the magics above are short. */
static bool is_boot_sector(const char *head, size_t size)
{
    return size >= 512 && memcmp(head + 510, "\x55\xaa", 2) == 0;
}

int foreign_probe(int fd, const char *name, const struct foreign_kind **ret, struct error **err)
{
    char head[512];
    size_t have = 0;
    int r = fd_pread_some(fd, head, sizeof(head), 0, name, &have, err);
    *ret = NULL;
    if (r < 0 || is_boot_sector(head, have))
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(magics) && !*ret; i++)
        if (range_within(magics[i].offset, magics[i].length, have) &&
            memcmp(head + magics[i].offset, magics[i].bytes, magics[i].length) == 0)
            *ret = &magics[i].kind;
    return 0;
}

int foreign_refuse(int fd, const char *name, struct error **err)
{
    const struct foreign_kind *kind = NULL;
    int r = foreign_probe(fd, name, &kind, err);
    if (r < 0 || !kind)
        return r;
    error_set(err, EINVAL, "%s: is %s, not a disk image", name, kind->what);
    return error_hint(err, "take the disk image out of it (%s) and name that", kind->remedy);
}
