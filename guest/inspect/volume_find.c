/* Which volume the first field of an fstab's line means. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/checked.h"
#include "base/str.h"
#include "guest/inspect/volume.h"
#include "guest/keys.h"

struct place {
    unsigned disk, number; /* as in struct volume */
};

/* The number of the disk in "sda", "sdab". *ret_rest: what follows. */
static bool parse_letters(const char *name, unsigned *ret, const char **ret_rest)
{
    static const char *const kinds[] = {"sd", "vd", "hd", "xvd"};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!str_starts(name, kinds[i]))
            continue;
        const char *at = name + strlen(kinds[i]);
        unsigned number = 0, letters = 0;
        for (; *at >= 'a' && *at <= 'z' && letters < 3; letters++)
            number = number * 26 + (unsigned)(*at++ - 'a') + 1;
        if (letters == 0)
            continue;
        *ret = number - 1;
        *ret_rest = at;
        return true;
    }
    return false;
}

/* The same for the kinds that are numbered: a "p" comes before the partition. */
static bool parse_numbered(const char *name, unsigned *ret, const char **ret_rest)
{
    static const struct {
        const char *before, *after;
    } kinds[] = {{"nvme", "n1"}, {"mmcblk", ""}, {"cciss/c0d", ""}};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!str_starts(name, kinds[i].before))
            continue;
        char *end;
        const char *digits = name + strlen(kinds[i].before);
        unsigned long number = strtoul(digits, &end, 10);
        if (!isdigit((unsigned char)*digits) || number > 1000 || !str_starts(end, kinds[i].after))
            return false;
        end += strlen(kinds[i].after);
        if (*end != '\0' && *end++ != 'p')
            return false;
        *ret = (unsigned)number;
        *ret_rest = end;
        return true;
    }
    return false;
}

/* What a name below /dev says of disk and partition; false where it names neither. */
static bool parse_place(const char *name, struct place *ret)
{
    uint64_t number = 0;
    const char *rest;
    if (!parse_letters(name, &ret->disk, &rest) && !parse_numbered(name, &ret->disk, &rest))
        return false;
    if (*rest && (parse_u64(rest, "partition", &number, NULL) < 0 || number < 1 || number > 1000))
        return false;
    ret->number = (unsigned)number;
    return true;
}

static const struct volume *find_place(const struct volumes *volumes, struct place place)
{
    for (size_t i = 0; i < volumes->count; i++)
        if (volumes->items[i].disk == place.disk && volumes->items[i].number == place.number)
            return &volumes->items[i];
    return NULL;
}

static const struct volume *find_device(const struct volumes *volumes, const char *path)
{
    for (size_t i = 0; i < volumes->count; i++)
        if (guest_same_device(path, volumes->items[i].device))
            return &volumes->items[i];
    return NULL;
}

enum tag { TAG_UUID, TAG_LABEL, TAG_PART_UUID, TAG_PART_LABEL };

static const struct volume *find_tag(const struct volumes *volumes, enum tag tag, const char *value)
{
    if (*value == '\0')
        return NULL;
    for (size_t i = 0; i < volumes->count; i++) {
        const struct volume *volume = &volumes->items[i];
        if ((tag == TAG_UUID && strcasecmp(volume->uuid, value) == 0) ||
            (tag == TAG_LABEL && strcmp(volume->label, value) == 0) ||
            (tag == TAG_PART_UUID && strcasecmp(volume->part_uuid, value) == 0) ||
            (tag == TAG_PART_LABEL && strcmp(volume->part_label, value) == 0))
            return volume;
    }
    return NULL;
}

/* udev writes characters that do not fit into a name as \xNN. In place. */
static void undo_udev_escapes(char *text)
{
    char *out = text;
    for (const char *in = text; *in; out++) {
        unsigned value;
        if (in[0] == '\\' && in[1] == 'x' && isxdigit((unsigned char)in[2]) &&
            isxdigit((unsigned char)in[3]) && sscanf(in + 2, "%2x", &value) == 1 && value != 0) {
            *out = (char)value;
            in += 4;
        } else {
            *out = *in++;
        }
    }
    *out = '\0';
}

/* What names the disk by what it is attached to: only the partition can be told. */
static const struct volume *find_by_hardware(const struct volumes *volumes, const char *name)
{
    const char *part = strrchr(name, '-');
    uint64_t number;
    if (part && str_starts(part, "-part") && parse_u64(part + 5, "partition", &number, NULL) == 0 &&
        number <= 1000)
        return find_place(volumes, (struct place){.number = (unsigned)number});
    return NULL;
}

static const struct volume *find_path(const struct volumes *volumes, char *path)
{
    static const struct {
        const char *prefix;
        enum tag tag;
    } links[] = {
        {"disk/by-uuid/", TAG_UUID},
        {"disk/by-label/", TAG_LABEL},
        {"disk/by-partuuid/", TAG_PART_UUID},
        {"disk/by-partlabel/", TAG_PART_LABEL},
    };
    for (size_t i = 0; i < ARRAY_SIZE(links); i++)
        if (str_starts(path, links[i].prefix)) {
            path += strlen(links[i].prefix);
            undo_udev_escapes(path);
            return find_tag(volumes, links[i].tag, path);
        }
    if (str_starts(path, "disk/by-id/") || str_starts(path, "disk/by-path/"))
        return find_by_hardware(volumes, path);
    struct place place;
    return parse_place(path, &place) ? find_place(volumes, place) : NULL;
}

/* blkid_parse_tag_string(3): the value may stand between quotes of either kind. In place. */
static char *unquote_tag(char *value)
{
    size_t length = strlen(value);
    if (length < 2 || (*value != '"' && *value != '\'') || value[length - 1] != *value)
        return value;
    value[length - 1] = '\0';
    return value + 1;
}

const struct volume *volumes_find(const struct volumes *volumes, const char *spec)
{
    static const struct {
        const char *prefix;
        enum tag tag;
    } tags[] = {
        {"UUID=", TAG_UUID},
        {"LABEL=", TAG_LABEL},
        {"PARTUUID=", TAG_PART_UUID},
        {"PARTLABEL=", TAG_PART_LABEL},
    };
    _cleanup_free_ char *copy = strdup(spec);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
        if (str_starts(copy, tags[i].prefix)) {
            char *value = copy + strlen(tags[i].prefix);
            return find_tag(volumes, tags[i].tag, unquote_tag(value));
        }
    if (str_starts(copy, "ID="))
        return find_by_hardware(volumes, copy);
    if (!str_starts(copy, "/dev/"))
        return NULL;
    const struct volume *volume = find_device(volumes, copy);
    return volume ? volume : find_path(volumes, copy + strlen("/dev/"));
}
