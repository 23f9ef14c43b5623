#include "vmm/qemu/firmware.h"

#include <errno.h>

#include "base/str.h"

/* Without Secure Boot: what an image is signed with is not asked here. */
static const struct {
    const char *code;
    const char *vars;
} places[] = {
    /* Debian, Ubuntu */
    {"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
    {"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    /* Fedora */
    {"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},
    /* Arch */
    {"/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"},
    {"/usr/share/edk2/x64/OVMF_CODE.fd", "/usr/share/edk2/x64/OVMF_VARS.fd"},
    /* openSUSE */
    {"/usr/share/qemu/ovmf-x86_64-4m-code.bin", "/usr/share/qemu/ovmf-x86_64-4m-vars.bin"},
    {"/usr/share/qemu/ovmf-x86_64-code.bin", "/usr/share/qemu/ovmf-x86_64-vars.bin"},
};

void firmware_free(struct firmware *firmware)
{
    free(firmware->code);
    free(firmware->vars);
    *firmware = (struct firmware){0};
}

static bool usable(const struct firmware *firmware)
{
    return access(firmware->code, R_OK) == 0 && access(firmware->vars, R_OK) == 0;
}

static int find_in(const char *directory, struct firmware *ret, struct error **err)
{
    _cleanup_firmware_ struct firmware own = {
        .code = str_printf(err, "%s/OVMF_CODE.fd", directory),
        .vars = str_printf(err, "%s/OVMF_VARS.fd", directory),
    };
    if (!own.code || !own.vars)
        return -ENOMEM;
    if (!usable(&own)) {
        error_set(err, ENOENT, "%s: holds no OVMF_CODE.fd and OVMF_VARS.fd", directory);
        return error_hint(err, "correct or unset KILN_OVMF_DIR");
    }
    *ret = own;
    own = (struct firmware){0};
    return 0;
}

int firmware_find(struct firmware *ret, struct error **err)
{
    const char *directory = getenv("KILN_OVMF_DIR");
    if (!str_empty(directory))
        return find_in(directory, ret, err);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const struct firmware place = {(char *)places[i].code, (char *)places[i].vars};
        if (!usable(&place))
            continue;
        _cleanup_firmware_ struct firmware found = {0};
        int r = str_replace(&found.code, places[i].code, err);
        if (r == 0)
            r = str_replace(&found.vars, places[i].vars, err);
        if (r < 0)
            return r;
        *ret = found;
        found = (struct firmware){0};
        return 0;
    }
    error_set(err, ENOENT, "OVMF, the UEFI firmware for QEMU, is not installed");
    return error_hint(err, "install ovmf (Debian, Ubuntu) or edk2-ovmf (Fedora, Arch)");
}
