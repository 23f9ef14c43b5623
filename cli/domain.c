#include "cli/domain.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/proc.h"

static const uint64_t virsh_timeout_ms = 30 * 1000;
static const size_t xml_max = 4 << 20;

void domain_disks_free(struct domain_disks *disks)
{
    for (size_t i = 0; i < disks->count; i++)
        free(disks->items[i].path);
    free(disks->items);
    *disks = (struct domain_disks){0};
}

static int run_virsh(const char *connect, const char *verb, const char *domain, char **ret,
                     struct error **err)
{
    const char *argv[8] = {"virsh", "-q"};
    size_t n = 2;
    if (connect) {
        argv[n++] = "-c";
        argv[n++] = connect;
    }
    argv[n++] = verb;
    argv[n++] = "--";
    argv[n++] = domain;
    const char *const env[] = {"LC_ALL=C", NULL};
    struct proc_options options = {PROC_OPTIONS_INIT, .argv = argv, .env = env};
    _cleanup_proc_output_ struct proc_output output = {0};
    int r = proc_check(&options, NULL, 0, xml_max, virsh_timeout_ms, &output, err);
    if (r == -ENOENT)
        error_hint(err, "install libvirt-clients, or name the disks with -a");
    if (r < 0)
        return error_wrap(err, "domain '%s'", domain);
    *ret = TAKE_PTR(output.out);
    return 0;
}

static int check_shut_off(const char *domain, const char *connect, struct error **err)
{
    _cleanup_free_ char *out = NULL;
    int r = run_virsh(connect, "domstate", domain, &out, err);
    if (r < 0)
        return r;
    const char *state = str_strip(out);
    if (strcmp(state, "shut off") == 0 || strcmp(state, "crashed") == 0)
        return 0;
    _cleanup_free_ char *shown = str_printable(state);
    error_set(err, EBUSY, "domain '%s' is in the state '%s'", domain, shown ? shown : "?");
    return error_hint(
        err,
        "shut it down first: changing the disk of a running machine corrupts its file systems");
}

/* A stretch of XML. */
struct text {
    const char *start, *end;
};

/* The first element of that name: from its "<" to the end of its tag. False: there is none. */
static bool find_tag(struct text within, const char *name, struct text *ret)
{
    size_t length = strlen(name);
    for (const char *at = within.start; at < within.end; at++) {
        if (*at != '<' || (size_t)(within.end - at) < length + 2 ||
            memcmp(at + 1, name, length) != 0 || isalnum((unsigned char)at[length + 1]))
            continue;
        const char *end = memchr(at, '>', (size_t)(within.end - at));
        if (!end)
            return false;
        *ret = (struct text){at, end};
        return true;
    }
    return false;
}

static const struct {
    const char *name;
    char character;
} entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};

static char *decode(struct text value)
{
    char *out = malloc((size_t)(value.end - value.start) + 1), *to = out;
    while (out && value.start < value.end) {
        size_t used = 1;
        *to = *value.start;
        for (size_t i = 0; i < ARRAY_SIZE(entities); i++) {
            size_t length = strlen(entities[i].name);
            if ((size_t)(value.end - value.start) < length ||
                memcmp(value.start, entities[i].name, length) != 0)
                continue;
            *to = entities[i].character;
            used = length;
        }
        value.start += used;
        to++;
    }
    if (out)
        *to = '\0';
    return out;
}

/* The attribute's value; caller frees. NULL: there is none. */
static char *attribute(struct text tag, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = tag.start; at < tag.end; at++) {
        if (!isspace((unsigned char)*at) || (size_t)(tag.end - at) < length + 4 ||
            memcmp(at + 1, name, length) != 0 || at[length + 1] != '=')
            continue;
        char quote = at[length + 2];
        const char *start = at + length + 3;
        if (quote != '\'' && quote != '"')
            return NULL;
        const char *end = memchr(start, quote, (size_t)(tag.end - start));
        return end ? decode((struct text){start, end}) : NULL;
    }
    return NULL;
}

static char *attribute_of(struct text within, const char *element, const char *name)
{
    struct text tag;
    return find_tag(within, element, &tag) ? attribute(tag, name) : NULL;
}

static int add_disk(struct domain_disks *disks, char *path, enum image_format format,
                    struct error **err)
{
    _cleanup_free_ char *owned = path;
    struct domain_disk *items = reallocarray(disks->items, disks->count + 1, sizeof(*items));
    if (!items)
        return error_oom(err);
    disks->items = items;
    items[disks->count++] = (struct domain_disk){.path = TAKE_PTR(owned), .format = format};
    return 0;
}

/* `tag` is that of <disk>, `inside` what it holds. */
static int parse_disk(struct text tag, struct text inside, struct domain_disks *disks,
                      struct error **err)
{
    _cleanup_free_ char *device = attribute(tag, "device");
    _cleanup_free_ char *type = attribute_of(inside, "driver", "type");
    enum image_format format = IMAGE_AUTO;
    if (device && strcmp(device, "disk") != 0 && strcmp(device, "lun") != 0)
        return 0;
    /* The backing chain names sources too; those are not the disk. */
    struct text chain;
    if (find_tag(inside, "backingStore", &chain))
        inside.end = chain.start;
    char *path = attribute_of(inside, "source", "file");
    if (!path)
        path = attribute_of(inside, "source", "dev");
    if (!path)
        return 0;
    /* What libvirt calls otherwise is told from the image itself. */
    if (type)
        image_format_parse(type, &format, NULL);
    return add_disk(disks, path, format, err);
}

int domain_disks_parse(const char *xml, struct domain_disks *disks, struct error **err)
{
    struct text left = {xml, xml + strlen(xml)}, tag;
    while (find_tag(left, "disk", &tag)) {
        const char *end = strstr(tag.end, "</disk>");
        if (!end)
            break;
        int r = parse_disk(tag, (struct text){tag.end, end}, disks, err);
        if (r < 0)
            return r;
        left.start = end;
    }
    return 0;
}

int domain_disks_read(const char *domain, const char *connect, struct domain_disks *ret,
                      struct error **err)
{
    _cleanup_(domain_disks_free) struct domain_disks disks = {0};
    _cleanup_free_ char *xml = NULL;
    int r = check_shut_off(domain, connect, err);
    if (r == 0)
        r = run_virsh(connect, "dumpxml", domain, &xml, err);
    if (r == 0)
        r = domain_disks_parse(xml, &disks, err);
    if (r < 0)
        return r;
    if (disks.count == 0)
        return error_set(err, ENOENT, "domain '%s' has no disk that is a file of this machine",
                         domain);
    *ret = disks;
    disks = (struct domain_disks){0};
    return 0;
}
