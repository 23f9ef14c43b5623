/* The disks of a libvirt domain, as virsh(1) reports them. */
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "image/image.h"

struct domain_disk {
    char *path;
    enum image_format format; /* as the domain's definition states it; IMAGE_AUTO: it does not */
};

struct domain_disks {
    struct domain_disk *items;
    size_t count;
};

/* connect: libvirt's URI, NULL for its default. A domain that is not shut off is -EBUSY; virsh
 * missing is -ENOENT with the package to install. Caller frees with domain_disks_free(). */
int domain_disks_read(const char *domain, const char *connect, struct domain_disks *ret,
                      struct error **err);
void domain_disks_free(struct domain_disks *disks);

/* The disks in a domain's XML (https://libvirt.org/formatdomain.html, "Hard drives, floppy disks,
 * CDROMs"), in its order; CD-ROMs, floppies and disks that are no files or devices of this machine
 * are left out. -EINVAL for text that is no XML, or has a document type; nothing but the text is
 * read. Adds to *disks. */
int domain_disks_parse(const char *xml, struct domain_disks *disks, struct error **err);
