/* An empty registry hive, as small as they get; what tests need is put into it by the code under
 * test. Facts: "Windows registry file format specification" of Maxim Suhanov. */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/endian.h"

enum { hive_size = 8192, hive_bin = 4096, hive_root = 32 };

static inline void hive_put32(uint8_t *at, uint32_t value)
{
    le32_t raw = le32_put(value);
    memcpy(at, &raw, sizeof(raw));
}

static inline void hive_put16(uint8_t *at, uint16_t value)
{
    le16_t raw = le16_put(value);
    memcpy(at, &raw, sizeof(raw));
}

static inline void hive_checksum(uint8_t *hive)
{
    uint32_t sum = 0;
    for (size_t at = 0; at < 508; at += 4) {
        le32_t word;
        memcpy(&word, hive + at, sizeof(word));
        sum ^= le32_get(word);
    }
    hive_put32(hive + 508, sum);
}

/* Fills hive_size bytes. */
static inline void hive_make(uint8_t *hive)
{
    enum { root_size = 88, security_size = 64 };
    memset(hive, 0, hive_size);
    memcpy(hive, "regf", 4);
    hive_put32(hive + 4, 1); /* both sequence numbers */
    hive_put32(hive + 8, 1);
    hive_put32(hive + 20, 1); /* version 1.3 */
    hive_put32(hive + 24, 3);
    hive_put32(hive + 32, 1); /* format: loaded directly */
    hive_put32(hive + 36, hive_root);
    hive_put32(hive + 40, hive_size - hive_bin);
    hive_put32(hive + 44, 1);
    hive_checksum(hive);

    uint8_t *bin = hive + hive_bin;
    memcpy(bin, "hbin", 4);
    hive_put32(bin + 8, hive_size - hive_bin);

    uint8_t *root = bin + hive_root;
    hive_put32(root, (uint32_t)-root_size); /* negative: in use */
    memcpy(root + 4, "nk", 2);
    hive_put16(root + 6, 0x2c); /* the root, not to be deleted, ASCII name */
    static const unsigned none[] = {32, 36, 44, 52};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        hive_put32(root + none[i], UINT32_MAX); /* no lists, no class name */
    hive_put32(root + 48, hive_root + root_size);
    hive_put16(root + 76, 4);
    memcpy(root + 80, "ROOT", 4);

    uint8_t *security = root + root_size;
    hive_put32(security, (uint32_t)-security_size);
    memcpy(security + 4, "sk", 2);
    hive_put32(security + 8, hive_root + root_size); /* a ring of one */
    hive_put32(security + 12, hive_root + root_size);
    hive_put32(security + 16, 1);
    hive_put32(security + 20, 20); /* a security descriptor that says nothing */
    security[24] = 1;
    hive_put16(security + 26, 0x8000);

    uint32_t used = hive_root + root_size + security_size;
    hive_put32(bin + used, hive_size - hive_bin - used); /* one free cell */
}

/* An open file with it. */
static inline int hive_open_new(void)
{
    uint8_t hive[hive_size];
    hive_make(hive);
    int fd = memfd_create("hive", MFD_CLOEXEC);
    if (fd < 0 || write(fd, hive, sizeof(hive)) != (ssize_t)sizeof(hive))
        abort();
    return fd;
}
