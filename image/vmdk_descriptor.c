#include "image/vmdk_descriptor.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "base/str.h"

enum {
    create_type_max = 127,
    parent_max = 1023,
};

/* The keys that QEMU looks for with strstr(), and takes from the first place where they occur. */
enum key { KEY_CREATE_TYPE, KEY_PARENT, KEY_CID, KEY_PARENT_CID, KEY_COUNT };
static const char *const key_names[] = {
    [KEY_CREATE_TYPE] = "createType",
    [KEY_PARENT] = "parentFileNameHint",
    [KEY_CID] = "CID",
    [KEY_PARENT_CID] = "parentCID",
};

/* What else VMware's and other programs write. None of it changes where the data lies. */
static const char *const other_keys[] = {"version", "encoding", "isNativeSnapshot",
                                         "changeTrackPath"};

static const char *const access_names[] = {
    [VMDK_RW] = "RW",
    [VMDK_RDONLY] = "RDONLY",
    [VMDK_NOACCESS] = "NOACCESS",
};

static const char *const type_names[] = {
    [VMDK_FLAT] = "FLAT",         [VMDK_VMFS] = "VMFS",
    [VMDK_SPARSE] = "SPARSE",     [VMDK_VMFSSPARSE] = "VMFSSPARSE",
    [VMDK_SESPARSE] = "SESPARSE", [VMDK_ZERO] = "ZERO",
    [VMDK_VMFSRDM] = "VMFSRDM",   [VMDK_VMFSRDMP] = "VMFSRDMP",
    [VMDK_VMFSRAW] = "VMFSRAW",
};

/* Bytes of the text, not terminated. */
struct span {
    const char *at;
    size_t length;
};

struct parser {
    const char *name;
    struct span text;
    size_t line;                   /* counted from 1 */
    bool after_blank;              /* the line before was empty */
    const char *places[KEY_COUNT]; /* where each key was found; NULL: not yet */
    struct vmdk_descriptor *descriptor;
};

static int refuse(const struct parser *parser, struct error **err, const char *why)
{
    return error_set(err, EINVAL, "%s: line %zu of the VMDK descriptor %s", parser->name,
                     parser->line, why);
}

/* As sscanf() has it in the C locale; a newline ends the span before. */
static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t count_blanks(struct span span)
{
    size_t n = 0;
    while (n < span.length && is_blank(span.at[n]))
        n++;
    return n;
}

static void advance(struct span *span, size_t count)
{
    span->at += count;
    span->length -= count;
}

static void skip_blanks(struct span *span)
{
    advance(span, count_blanks(*span));
}

static struct span strip(struct span span)
{
    skip_blanks(&span);
    while (span.length > 0 && is_blank(span.at[span.length - 1]))
        span.length--;
    return span;
}

static bool equals(struct span span, const char *word)
{
    return span.length == strlen(word) && memcmp(span.at, word, span.length) == 0;
}

/* Takes a word and the blanks behind it. Empty at the end of the line. */
static struct span take_word(struct span *line)
{
    struct span word = {line->at, 0};
    while (word.length < line->length && !is_blank(line->at[word.length]))
        word.length++;
    advance(line, word.length);
    skip_blanks(line);
    return word;
}

/* Takes "text" with its quotes. A quote inside is not possible. */
static bool take_quoted(struct span *line, struct span *ret)
{
    const char *end;
    if (line->length < 2 || line->at[0] != '"' ||
        !(end = memchr(line->at + 1, '"', line->length - 1)))
        return false;
    *ret = (struct span){line->at + 1, (size_t)(end - line->at) - 1};
    advance(line, ret->length + 2);
    return true;
}

/* A number of sectors whose bytes fit in an int64_t, so that QEMU reads the same. */
static bool read_sectors(struct span word, uint64_t *ret)
{
    uint64_t value = 0;
    for (size_t i = 0; i < word.length; i++) {
        if (word.at[i] < '0' || word.at[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(word.at[i] - '0');
        if (value > INT64_MAX / VMDK_SECTOR)
            return false;
    }
    *ret = value;
    return word.length > 0;
}

static bool read_hex(struct span word, uint32_t *ret)
{
    uint32_t value = 0;
    for (size_t i = 0; i < word.length; i++) {
        if (!isxdigit((unsigned char)word.at[i]))
            return false;
        int digit = word.at[i] <= '9' ? word.at[i] - '0' : (word.at[i] | 0x20) - 'a' + 10;
        value = value << 4 | (uint32_t)digit;
    }
    *ret = value;
    return word.length > 0 && word.length <= 8;
}

static int copy_span(struct span span, char **ret, struct error **err)
{
    *ret = strndup(span.at, span.length);
    return *ret ? 0 : error_oom(err);
}

/* Index in names, or -1. */
static int find_word(struct span word, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (equals(word, names[i]))
            return (int)i;
    return -1;
}

static int add_extent(struct vmdk_descriptor *descriptor, const struct vmdk_extent *extent,
                      struct error **err)
{
    struct vmdk_extent *extents =
        reallocarray(descriptor->extents, descriptor->count + 1, sizeof(*extents));
    if (!extents)
        return error_oom(err);
    descriptor->extents = extents;
    extents[descriptor->count++] = *extent;
    descriptor->sectors += extent->sectors;
    return 0;
}

/* Behind the type: nothing, a name, or a name and an offset. */
static int parse_place(struct parser *parser, struct span line, struct vmdk_extent *extent,
                       struct span *ret_name, struct error **err)
{
    *ret_name = (struct span){0};
    if (extent->type == VMDK_ZERO)
        return line.length == 0 ? 0 : refuse(parser, err, "has a name behind ZERO");
    if (!take_quoted(&line, ret_name))
        return refuse(parser, err, "has no file name in quotes");
    if (ret_name->length == 0 || ret_name->length > VMDK_EXTENT_NAME_MAX ||
        memchr(ret_name->at, '\r', ret_name->length))
        return refuse(parser, err, "has a file name that is empty, too long or over two lines");
    bool blank = count_blanks(line) > 0;
    skip_blanks(&line);
    if (extent->type != VMDK_FLAT)
        return line.length == 0 ? 0 : refuse(parser, err, "has text behind the file name");
    if (!blank || !read_sectors(line, &extent->offset))
        return refuse(parser, err, "needs an offset in sectors behind the file name");
    return 0;
}

/* RW 4192256 SPARSE "disk-s001.vmdk" */
static int parse_extent(struct parser *parser, enum vmdk_access access, struct span line,
                        struct error **err)
{
    struct vmdk_extent extent = {.access = access};
    struct span file;
    /* sscanf() passes over empty lines: QEMU takes the extent once for each of them as well. */
    if (parser->after_blank) {
        int r = refuse(parser, err, "has an extent behind an empty line, which QEMU counts twice");
        error_hint(err, "remove the empty line");
        return r;
    }
    if (!read_sectors(take_word(&line), &extent.sectors) || extent.sectors == 0 ||
        extent.sectors > INT64_MAX / VMDK_SECTOR - parser->descriptor->sectors)
        return refuse(parser, err, "has an extent with no valid size");
    int type = find_word(take_word(&line), type_names, ARRAY_SIZE(type_names));
    if (type < 0)
        return refuse(parser, err, "has an extent of an unknown type");
    extent.type = (enum vmdk_extent_type)type;
    int r = parse_place(parser, line, &extent, &file, err);
    if (r < 0)
        return r;
    if (extent.offset > INT64_MAX / VMDK_SECTOR - extent.sectors)
        return refuse(parser, err, "has an extent behind the greatest offset of a file");
    if (file.at)
        r = copy_span(file, &extent.name, err);
    if (r == 0)
        r = add_extent(parser->descriptor, &extent, err);
    if (r < 0)
        free(extent.name);
    return r;
}

static int store_text(struct parser *parser, struct span value, size_t max, char **slot,
                      struct error **err)
{
    struct span text;
    if (!take_quoted(&value, &text) || value.length > 0 || text.length == 0 || text.length > max)
        return refuse(parser, err, "needs a text in quotes, without blanks before it");
    return copy_span(text, slot, err);
}

static int store_id(struct parser *parser, struct span value, uint32_t *slot, struct error **err)
{
    return read_hex(value, slot) ? 0 : refuse(parser, err, "needs a hexadecimal number of 32 bits");
}

/* `value` is what follows the equals sign. */
static int store_key(struct parser *parser, enum key key, struct span word, struct span value,
                     struct error **err)
{
    struct vmdk_descriptor *descriptor = parser->descriptor;
    if (parser->places[key])
        return refuse(parser, err, "repeats a key");
    if (value.at + value.length - parser->text.at >= VMDK_EMBEDDED_MAX)
        return refuse(parser, err, "is behind the part of the text in which QEMU looks for it");
    parser->places[key] = word.at;
    switch (key) {
    case KEY_CREATE_TYPE:
        return store_text(parser, value, create_type_max, &descriptor->create_type, err);
    case KEY_PARENT:
        return store_text(parser, value, parent_max, &descriptor->parent, err);
    case KEY_CID:
        return store_id(parser, value, &descriptor->cid, err);
    default:
        return store_id(parser, value, &descriptor->parent_cid, err);
    }
}

static bool is_other_key(struct span word)
{
    return find_word(word, other_keys, ARRAY_SIZE(other_keys)) >= 0 ||
           (word.length > 4 && memcmp(word.at, "ddb.", 4) == 0);
}

/* key=value, where a value in quotes ends with the quote. */
static int parse_key(struct parser *parser, struct span line, struct error **err)
{
    const char *equals_sign = memchr(line.at, '=', line.length);
    if (!equals_sign)
        return refuse(parser, err, "is neither an extent nor a known key");
    struct span word = {line.at, (size_t)(equals_sign - line.at)};
    struct span value = {equals_sign + 1, line.length - word.length - 1};
    int key = find_word(word, key_names, ARRAY_SIZE(key_names));
    if (key >= 0)
        return store_key(parser, (enum key)key, word, value, err);
    struct span text;
    value = strip(value);
    if (!is_other_key(strip(word)))
        return refuse(parser, err, "has an unknown key");
    if (take_quoted(&value, &text) ? value.length > 0 : !!memchr(value.at, '"', value.length))
        return refuse(parser, err, "has a value with misplaced quotes");
    return 0;
}

static int parse_line(struct parser *parser, struct span line, struct error **err)
{
    line = strip(line);
    if (line.length == 0 || line.at[0] == '#')
        return 0;
    struct span rest = line;
    int access = find_word(take_word(&rest), access_names, ARRAY_SIZE(access_names));
    return access >= 0 ? parse_extent(parser, (enum vmdk_access)access, rest, err)
                       : parse_key(parser, line, err);
}

static int parse_lines(struct parser *parser, struct error **err)
{
    struct span rest = parser->text;
    int r = 0;
    while (r == 0 && rest.length > 0) {
        const char *end = memchr(rest.at, '\n', rest.length);
        struct span line = {rest.at, end ? (size_t)(end - rest.at) : rest.length};
        parser->line++;
        r = parse_line(parser, line, err);
        parser->after_blank = strip(line).length == 0;
        advance(&rest, line.length + (end ? 1 : 0));
    }
    return r;
}

/* QEMU must find each key where it was found here, or not at all. */
static int check_keys(const struct parser *parser, struct error **err)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        const char *first =
            memmem(parser->text.at, parser->text.length, key_names[i], strlen(key_names[i]));
        if (i != KEY_PARENT && !parser->places[i])
            return error_set(err, EINVAL, "%s: the VMDK descriptor has no key '%s'", parser->name,
                             key_names[i]);
        if (first != parser->places[i])
            return error_set(err, EINVAL,
                             "%s: the VMDK descriptor has '%s' in a place where only QEMU takes it "
                             "for a key",
                             parser->name, key_names[i]);
    }
    return 0;
}

/* Behind the text are NUL bytes; QEMU leaves the end of the old text there when it writes an id
 * that is shorter by up to seven digits. */
static bool is_padding(struct span rest)
{
    enum { left_over = 7 };
    for (size_t i = left_over; i < rest.length; i++)
        if (rest.at[i] != '\0')
            return false;
    return true;
}

int vmdk_descriptor_parse(const char *text, size_t size, const char *name,
                          struct vmdk_descriptor *ret, struct error **err)
{
    _cleanup_vmdk_descriptor_ struct vmdk_descriptor descriptor = {0};
    size_t length = size > 0 ? strnlen(text, size) : 0;
    struct parser parser = {.name = name, .text = {text, length}, .descriptor = &descriptor};
    if (length > VMDK_DESCRIPTOR_MAX)
        return error_set(err, EINVAL, "%s: the VMDK descriptor is longer than 1 MiB", name);
    if (!is_padding((struct span){text + length, size - length}))
        return error_set(err, EINVAL, "%s: the VMDK descriptor has a NUL byte in its text", name);
    int r = parse_lines(&parser, err);
    if (r == 0)
        r = check_keys(&parser, err);
    if (r < 0)
        return r;
    *ret = descriptor;
    descriptor = (struct vmdk_descriptor){0};
    return 0;
}

static bool is_plain(const char *file)
{
    return !strpbrk(file, "/:") && strcmp(file, ".") != 0 && strcmp(file, "..") != 0;
}

static int check_extent(const struct vmdk_extent *extent, bool alone, const char *name,
                        struct error **err)
{
    bool reads = extent->access == VMDK_RW || (extent->access == VMDK_RDONLY && !alone);
    if (!reads || extent->type > VMDK_SESPARSE) {
        int r = error_set(err, EINVAL,
                          "%s: QEMU leaves out VMDK extents like %s %" PRIu64
                          " %s, and the disk would be another",
                          name, access_names[extent->access], extent->sectors,
                          type_names[extent->type]);
        return extent->access == VMDK_RDONLY && extent->type <= VMDK_SESPARSE
                   ? error_hint(err, "if its files may be written, put RW in the place of RDONLY "
                                     "in the descriptor")
                   : r;
    }
    if (is_plain(extent->name))
        return 0;
    _cleanup_free_ char *shown = str_printable(extent->name);
    int r =
        error_set(err, EUNTRUSTED, "%s: the image keeps its data in '%s', which is not beside it",
                  name, shown ? shown : "?");
    error_hint(err, "if you trust it, convert it: qemu-img convert -O qcow2 OLD NEW");
    return r;
}

int vmdk_descriptor_check(const struct vmdk_descriptor *descriptor, bool alone, const char *name,
                          struct error **err)
{
    static const char *const types[] = {"monolithicFlat",       "twoGbMaxExtentFlat",
                                        "twoGbMaxExtentSparse", "vmfs",
                                        "vmfsSparse",           "seSparse"};
    struct span type = {descriptor->create_type, strlen(descriptor->create_type)};
    if (alone && find_word(type, types, ARRAY_SIZE(types)) < 0) {
        _cleanup_free_ char *shown = str_printable(descriptor->create_type);
        return error_set(err, EINVAL, "%s: QEMU does not read VMDK images of the type '%s'", name,
                         shown ? shown : "?");
    }
    if (descriptor->count == 0)
        return error_set(err, EINVAL, "%s: the VMDK descriptor names no extent", name);
    int r = 0;
    for (size_t i = 0; r == 0 && i < descriptor->count; i++)
        r = check_extent(&descriptor->extents[i], alone, name, err);
    return r;
}

void vmdk_descriptor_free(struct vmdk_descriptor *descriptor)
{
    for (size_t i = 0; i < descriptor->count; i++)
        free(descriptor->extents[i].name);
    free(descriptor->extents);
    free(descriptor->create_type);
    free(descriptor->parent);
    *descriptor = (struct vmdk_descriptor){0};
}
