#include "cli/domain.h"

#include <errno.h>
#include <libxml/xmlreader.h>
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
    return error_hint(err, "shut it down first: its disks change while it runs, and changing them "
                           "corrupts its file systems");
}

/* What the walk through the XML is in. A disk's own driver and source are direct children of it;
 * those deeper down are of its backing chain or of a copy under way. */
enum { devices_depth = 1, disk_depth = 2, child_depth = 3 };

struct walk {
    xmlTextReader *reader;
    bool in_devices, in_disk;
    char *device, *path;
    enum image_format format;
};

static void walk_free(struct walk *walk)
{
    if (walk->reader)
        xmlFreeTextReader(walk->reader);
    free(walk->device);
    free(walk->path);
}

static bool is_named(const struct walk *walk, const char *name)
{
    return strcmp((const char *)xmlTextReaderConstLocalName(walk->reader), name) == 0;
}

/* The element's attribute goes to *slot; what was there stays where there is none. */
static int take_attribute(struct walk *walk, const char *name, char **slot, struct error **err)
{
    if (xmlTextReaderMoveToAttribute(walk->reader, (const xmlChar *)name) != 1)
        return 0;
    int r = str_replace(slot, (const char *)xmlTextReaderConstValue(walk->reader), err);
    xmlTextReaderMoveToElement(walk->reader);
    return r;
}

static int begin_disk(struct walk *walk, struct error **err)
{
    walk->in_disk = true;
    walk->format = IMAGE_AUTO;
    free(TAKE_PTR(walk->device));
    free(TAKE_PTR(walk->path));
    return take_attribute(walk, "device", &walk->device, err);
}

static int end_disk(struct walk *walk, struct domain_disks *disks, struct error **err)
{
    const char *device = walk->device ? walk->device : "disk";
    walk->in_disk = false;
    if (!walk->path || (strcmp(device, "disk") != 0 && strcmp(device, "lun") != 0))
        return 0;
    struct domain_disk *items = reallocarray(disks->items, disks->count + 1, sizeof(*items));
    if (!items)
        return error_oom(err);
    disks->items = items;
    items[disks->count++] =
        (struct domain_disk){.path = TAKE_PTR(walk->path), .format = walk->format};
    return 0;
}

static int take_driver(struct walk *walk, struct error **err)
{
    _cleanup_free_ char *type = NULL;
    int r = take_attribute(walk, "type", &type, err);
    /* What libvirt calls otherwise is told from the image itself. */
    if (r == 0 && type)
        image_format_parse(type, &walk->format, NULL);
    return r;
}

static int take_source(struct walk *walk, struct error **err)
{
    int r = take_attribute(walk, "dev", &walk->path, err);
    return r < 0 ? r : take_attribute(walk, "file", &walk->path, err);
}

static int take_element(struct walk *walk, struct error **err)
{
    int depth = xmlTextReaderDepth(walk->reader);
    if (depth == devices_depth)
        walk->in_devices = is_named(walk, "devices");
    else if (depth == disk_depth && walk->in_devices && is_named(walk, "disk"))
        return begin_disk(walk, err);
    else if (depth == child_depth && walk->in_disk && is_named(walk, "driver"))
        return take_driver(walk, err);
    else if (depth == child_depth && walk->in_disk && is_named(walk, "source"))
        return take_source(walk, err);
    return 0;
}

static int take_node(struct walk *walk, struct domain_disks *disks, struct error **err)
{
    int type = xmlTextReaderNodeType(walk->reader), r = 0;
    /* libvirt writes none; it could name other files and define entities. */
    if (type == XML_READER_TYPE_DOCUMENT_TYPE)
        return error_set(err, EINVAL, "libvirt's XML has a document type");
    if (type == XML_READER_TYPE_ELEMENT)
        r = take_element(walk, err);
    bool ends = type == XML_READER_TYPE_END_ELEMENT ||
                (type == XML_READER_TYPE_ELEMENT && xmlTextReaderIsEmptyElement(walk->reader));
    if (r == 0 && ends && walk->in_disk && xmlTextReaderDepth(walk->reader) == disk_depth)
        r = end_disk(walk, disks, err);
    return r;
}

static int is_no_xml(struct error **err)
{
    const xmlError *fault = xmlGetLastError();
    _cleanup_free_ char *message =
        str_printable(fault && fault->message ? fault->message : "unknown fault");
    return error_set(err, EINVAL, "line %d of libvirt's XML: %s", fault ? fault->line : 0,
                     message ? message : "?");
}

int domain_disks_parse(const char *xml, struct domain_disks *disks, struct error **err)
{
    enum { options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING };
    _cleanup_(walk_free) struct walk walk = {0};
    size_t size = strlen(xml);
    if (size > xml_max)
        return error_set(err, EFBIG, "libvirt's XML has more than %zu bytes", xml_max);
    walk.reader = xmlReaderForMemory(xml, (int)size, NULL, NULL, options);
    if (!walk.reader)
        return error_oom(err);
    int more;
    while ((more = xmlTextReaderRead(walk.reader)) == 1) {
        int r = take_node(&walk, disks, err);
        if (r < 0)
            return r;
    }
    return more < 0 ? is_no_xml(err) : 0;
}

int domain_disks_read(const char *domain, const char *connect, struct domain_disks *ret,
                      struct error **err)
{
    _cleanup_(domain_disks_free) struct domain_disks disks = {0};
    _cleanup_free_ char *xml = NULL;
    int r = check_shut_off(domain, connect, err);
    if (r == 0)
        r = run_virsh(connect, "dumpxml", domain, &xml, err);
    if (r < 0)
        return r;
    r = domain_disks_parse(xml, &disks, err);
    if (r < 0)
        return error_wrap(err, "domain '%s'", domain);
    if (disks.count == 0)
        return error_set(err, ENOENT, "domain '%s' has no disk that is a file of this machine",
                         domain);
    *ret = disks;
    disks = (struct domain_disks){0};
    return 0;
}
