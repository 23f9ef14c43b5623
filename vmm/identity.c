#include "vmm/identity.h"

#include <ctype.h>
#include <errno.h>

/* A structure of type 11 counts them in a byte. */
enum { max_strings = 255 };

static int check_text(const char *text, struct error **err)
{
    for (; text && *text; text++)
        if (iscntrl((unsigned char)*text))
            return error_set(err, EINVAL, "SMBIOS strings cannot hold control characters");
    return 0;
}

int vm_identity_check(const struct vm_identity *identity, struct error **err)
{
    int r = check_text(identity->serial, err);
    for (size_t i = 0; i < identity->string_count && r == 0; i++)
        r = check_text(identity->strings[i], err);
    if (r == 0 && identity->string_count > max_strings)
        r = error_set(err, EINVAL, "a machine has at most %d SMBIOS strings", max_strings);
    return r;
}
