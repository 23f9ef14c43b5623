#include "guest/ext_state.h"

#include <errno.h>

#include "base/endian.h"
#include "base/quote.h"
#include "base/str.h"

enum { STATE_VALID = 1 << 0, STATE_ERRORS = 1 << 1 };

/* Offsets within the superblock. */
enum { STATE_AT = 0x3a, RO_COMPAT_AT = 0x64, CHECKSUM_AT = 0x3fc };
enum { RO_COMPAT_METADATA_CSUM = 0x400 };

/* CRC-32C as ext4 uses it: begun with all ones, and not inverted at the end. */
static uint32_t crc32c(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? UINT32_C(0x82f63b78) : 0);
    }
    return crc;
}

void ext_state_guard(uint8_t super[static EXT_SUPER_SIZE])
{
    le32_t features, checksum;
    super[STATE_AT] &= (uint8_t)~STATE_VALID;
    memcpy(&features, super + RO_COMPAT_AT, sizeof(features));
    if (!(le32_get(features) & RO_COMPAT_METADATA_CSUM))
        return;
    checksum = le32_put(crc32c(super, CHECKSUM_AT));
    memcpy(super + CHECKSUM_AT, &checksum, sizeof(checksum));
}

int ext_state_refuse(const char *damage, const char *image, const char *device, struct error **err)
{
    _cleanup_str_ struct str quoted = {0};
    quote_shell(&quoted, image);
    _cleanup_free_ char *name = str_take(&quoted, err);
    if (!name)
        return -ENOMEM;
    error_set(err, EUCLEAN, "%s: %s: %s, and it must not be changed before it is repaired", image,
              device, damage);
    return error_hint(err, "repair it with e2fsck: guestfish -a %s run : e2fsck %s correct:true",
                      name, device);
}

int ext_state_check(uint16_t state, const char *image, const char *device, struct error **err)
{
    if (state & STATE_ERRORS)
        return ext_state_refuse("errors were found in the file system", image, device, err);
    if (!(state & STATE_VALID))
        return ext_state_refuse("the file system was not unmounted cleanly, or a change to it was "
                                "interrupted",
                                image, device, err);
    return 0;
}
