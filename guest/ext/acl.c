#include "guest/ext/acl.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/endian.h"

#define ACL_VERSION 2

struct acl_header {
    le32_t version;
};
_Static_assert(sizeof(struct acl_header) == 4, "layout");

struct acl_entry {
    le16_t tag;
    le16_t permissions;
    le32_t id;
};
_Static_assert(sizeof(struct acl_entry) == 8, "layout");

enum acl_tag {
    ACL_USER_OBJ = 0x01,
    ACL_USER = 0x02,
    ACL_GROUP_OBJ = 0x04,
    ACL_GROUP = 0x08,
    ACL_MASK = 0x10,
    ACL_OTHER = 0x20,
};

size_t ext_acl_count(size_t size)
{
    return size < sizeof(struct acl_header)
               ? 0
               : (size - sizeof(struct acl_header)) / sizeof(struct acl_entry);
}

static struct acl_entry get_entry(const void *acl, size_t i)
{
    struct acl_entry entry;
    memcpy(&entry, (const char *)acl + sizeof(struct acl_header) + i * sizeof(entry),
           sizeof(entry));
    return entry;
}

static void put_entry(void *acl, size_t i, const struct acl_entry *entry)
{
    memcpy((char *)acl + sizeof(struct acl_header) + i * sizeof(*entry), entry, sizeof(*entry));
}

/* Tags may only ascend, and the first of each pair below must be there once. */
static bool check_order(const void *acl, size_t count)
{
    unsigned seen = 0, last = 0;
    for (size_t i = 0; i < count; i++) {
        struct acl_entry entry = get_entry(acl, i);
        unsigned tag = le16_get(entry.tag);
        bool named = tag == ACL_USER || tag == ACL_GROUP;
        if (tag == 0 || tag & (tag - 1) || tag > ACL_OTHER || le16_get(entry.permissions) & ~7u)
            return false;
        if (tag < last || (tag == last && !named) || (named && le32_get(entry.id) == UINT32_MAX))
            return false;
        seen |= tag;
        last = tag;
    }
    unsigned must = ACL_USER_OBJ | ACL_GROUP_OBJ | ACL_OTHER;
    if (seen & (ACL_USER | ACL_GROUP))
        must |= ACL_MASK;
    return (seen & must) == must;
}

int ext_acl_check(const void *acl, size_t size, struct error **err)
{
    struct acl_header header;
    if (size < sizeof(header) || (size - sizeof(header)) % sizeof(struct acl_entry))
        return error_set(err, EINVAL, "the access control list is cut off");
    memcpy(&header, acl, sizeof(header));
    if (le32_get(header.version) != ACL_VERSION)
        return error_set(err, EOPNOTSUPP, "the access control list is of an unknown version");
    size_t count = ext_acl_count(size);
    if (count > 0 && !check_order(acl, count))
        return error_set(err, EINVAL, "the access control list is not valid");
    return 0;
}

/* The mask, where there is one, stands for the group's bits of the mode. */
void ext_acl_apply_mode(void *acl, size_t size, mode_t mode)
{
    size_t count = ext_acl_count(size), group = count;
    for (size_t i = 0; i < count; i++) {
        struct acl_entry entry = get_entry(acl, i);
        unsigned tag = le16_get(entry.tag);
        if (tag == ACL_USER_OBJ)
            entry.permissions = le16_put(mode >> 6 & 7);
        else if (tag == ACL_OTHER)
            entry.permissions = le16_put(mode & 7);
        else if (tag == ACL_MASK || (tag == ACL_GROUP_OBJ && group == count))
            group = i;
        put_entry(acl, i, &entry);
    }
    if (group == count)
        return;
    struct acl_entry entry = get_entry(acl, group);
    entry.permissions = le16_put(mode >> 3 & 7);
    put_entry(acl, group, &entry);
}

bool ext_acl_to_mode(const void *acl, size_t size, mode_t *mode)
{
    mode_t bits = 0, group = 0;
    bool same = true;
    for (size_t i = 0; i < ext_acl_count(size); i++) {
        struct acl_entry entry = get_entry(acl, i);
        mode_t permissions = le16_get(entry.permissions) & 7;
        switch (le16_get(entry.tag)) {
        case ACL_USER_OBJ:
            bits |= permissions << 6;
            break;
        case ACL_GROUP_OBJ:
            group = permissions;
            break;
        case ACL_OTHER:
            bits |= permissions;
            break;
        case ACL_MASK:
            group = permissions;
            same = false;
            break;
        default:
            same = false;
        }
    }
    *mode = (*mode & ~(mode_t)0777) | bits | group << 3;
    return same;
}
