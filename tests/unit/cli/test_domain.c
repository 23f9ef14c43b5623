/* Disks in the XML of libvirt's domains. */

#include <errno.h>
#include <string.h>

#include "cli/domain.h"
#include "tests/unit/unit.h"

static void expect(const char *xml, const char *wanted)
{
    struct domain_disks disks = {0};
    struct str got = {0};
    assert_int_equal(domain_disks_parse(xml, &disks, NULL), 0);
    for (size_t i = 0; i < disks.count; i++)
        str_appendf(&got, "%s:%s\n", image_format_name(disks.items[i].format), disks.items[i].path);
    assert_string_equal(got.data ? got.data : "", wanted);
    str_free(&got);
    domain_disks_free(&disks);
}

static void disks_are_found_with_their_formats(void **state)
{
    (void)state;
    expect("<domain><devices>"
           "<disk type='file' device='disk'><driver name='qemu' type='qcow2' cache='none'/>"
           "<source file='/a.qcow2' index='1'/><target dev='vda'/></disk>"
           "<disk type=\"block\"><driver name='qemu' type='raw'/><source dev=\"/dev/sdb\"/></disk>"
           "<disk type='file' device='disk'><source file='/c d&amp;&apos;e.img'/></disk>"
           "</devices></domain>",
           "qcow2:/a.qcow2\nraw:/dev/sdb\nauto:/c d&'e.img\n");
}

static void what_is_no_disk_of_ours_is_left_out(void **state)
{
    (void)state;
    expect("<domain><devices>"
           "<disk type='file' device='cdrom'><source file='/x.iso'/></disk>"
           "<disk type='file' device='floppy'><source file='/x.fd'/></disk>"
           "<disk type='network' device='disk'><source protocol='rbd' name='pool/x'/></disk>"
           "<disk type='file' device='disk'><target dev='vda'/></disk>"
           "<diskette><source file='/y'/></diskette>"
           "<!-- <disk><source file='/z'/></disk> -->"
           "</devices><metadata><disk><source file='/m'/></disk></metadata>"
           "<other><disk><source file='/o'/></disk></other></domain>",
           "");
}

static void the_backing_chain_is_not_the_disk(void **state)
{
    (void)state;
    expect("<domain><devices>"
           "<disk type='file' device='disk'><driver type='qcow2'/>"
           "<backingStore type='file'><format type='raw'/><driver type='raw'/>"
           "<source file='/base'/></backingStore><source file='/top'/>"
           "<mirror><source file='/copy'/></mirror></disk></devices></domain>",
           "qcow2:/top\n");
    expect("<domain><devices>"
           "<disk type='file' device='disk'><backingStore type='file'><source file='/base'/>"
           "</backingStore></disk></devices></domain>",
           "");
}

static void names_are_read_as_xml_has_them(void **state)
{
    (void)state;
    expect("<?xml version='1.0'?><domain><devices>"
           "<disk\n type = 'file' ><source\n\tfile\t=\n\"/a&#x20;&lt;b&#xe9;>'.img\"/></disk>"
           "<disk><source file=''/></disk>"
           "</devices></domain>",
           "auto:/a <b\xc3\xa9>'.img\nauto:\n");
}

static void what_is_no_xml_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "<",
        "<disk",
        "<disk>",
        "<disk><source file='",
        "<disk><source file='/x'></disk",
        "<disk device=><source file=/x></disk>",
        "<disk device='disk'><source file='/x</disk>",
        "<disk device='disk'></disk><disk",
        "<disk device='&#120;&'><source file=''/></disk>",
        "<domain><devices><disk><source file='/\xff'/></disk></devices></domain>",
        "<domain>&unknown;</domain>",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct domain_disks disks = {0};
        _cleanup_error_ struct error *error = NULL;
        assert_int_equal(domain_disks_parse(texts[i], &disks, &error), -EINVAL);
        assert_non_null(strstr(error_message(error), "XML"));
        domain_disks_free(&disks);
    }
}

/* Entities may name files of the host, and grow without bounds. */
static void a_document_type_is_refused(void **state)
{
    static const char entity_as_disk[] =
        "<!DOCTYPE d [<!ENTITY e '/etc/x'>]><domain><devices><disk><source file='&e;'/></disk>"
        "</devices></domain>";
    static const char *const texts[] = {
        "<!DOCTYPE domain><domain/>",
        "<!DOCTYPE d SYSTEM 'file:///etc/passwd'><domain/>",
        "<!DOCTYPE d [<!ENTITY e SYSTEM '/etc/passwd'>]><domain>&e;</domain>",
        entity_as_disk,
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct domain_disks disks = {0};
        _cleanup_error_ struct error *error = NULL;
        assert_int_equal(domain_disks_parse(texts[i], &disks, &error), -EINVAL);
        assert_non_null(strstr(error_message(error), "document type"));
        assert_int_equal(disks.count, 0);
        domain_disks_free(&disks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(disks_are_found_with_their_formats),
        cmocka_unit_test(what_is_no_disk_of_ours_is_left_out),
        cmocka_unit_test(the_backing_chain_is_not_the_disk),
        cmocka_unit_test(names_are_read_as_xml_has_them),
        cmocka_unit_test(what_is_no_xml_is_refused),
        cmocka_unit_test(a_document_type_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
