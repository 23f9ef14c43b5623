/* Archives for --tar-in, unpacked into a guest in memory: nothing may appear or change outside of
 * the directory. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fdio.h"
#include "customize/unpack/tar.h"
#include "guest/text/place.h"
#include "tests/unit/customize/fake_guest.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect_entries(struct guest *guest, const char *directory, const char *const names[],
                           size_t count)
{
    _cleanup_strv_ struct strv found = {0};
    if (place_list(guest, directory, &found, NULL) < 0 || found.count != count)
        abort();
    for (size_t i = 0; i < count; i++)
        if (strcmp(found.items[i], names[i]) != 0)
            abort();
}

static void check_outside(struct fake_guest *fake)
{
    static const char *const top[] = {"bin", "etc", "srv", "usr"};
    static const char *const etc[] = {"shadow"};
    static const char *const srv[] = {"in"};
    struct guest_stat st;
    expect_entries(&fake->guest, "/", top, ARRAY_SIZE(top));
    expect_entries(&fake->guest, "/etc", etc, ARRAY_SIZE(etc));
    expect_entries(&fake->guest, "/srv", srv, ARRAY_SIZE(srv));
    if (guest_stat(&fake->guest, "/etc/shadow", false, &st, NULL) < 0 ||
        st.mode != (S_IFREG | 0600) || st.links != 1 || st.mtime != FAKE_NOW)
        abort();
    if (strcmp(fake_content(fake, "/etc/shadow"), "root:x") != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_close_ int fd = memfd_create("archive", MFD_CLOEXEC);
    if (fd < 0 || fd_pwrite_full(fd, data, size, 0, "archive", NULL) < 0)
        abort();
    struct fake_guest *fake = fake_guest_new();
    fake_add_file(fake, "/etc/shadow", 0600, 0, 0, "root:x");
    fake_add_dir(fake, "/usr/bin");
    fake_add_link(fake, "/bin", "usr/bin");
    fake_add_dir(fake, "/srv/in/d");

    struct error *err = NULL;
    struct unpack *unpack = NULL;
    if (unpack_new(&fake->guest, "/srv/in", &unpack, NULL) < 0)
        abort();
    int r = tar_unpack(fd, "archive", unpack, &err);
    if (r == 0)
        r = unpack_finish(unpack, &err);
    if ((r < 0) != (err != NULL))
        abort();
    error_free(err);
    unpack_free(unpack);
    check_outside(fake);
    fake_guest_free(fake);
    return 0;
}
