/* The guest's own configuration files, as operations read and rewrite them. The first byte says
 * which file the rest is. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "customize/account/password_scheme.h"
#include "customize/operation.h"
#include "tests/unit/customize/fake_guest.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM+PajjlSv54D+NNTYHnOHIb0Keq+DH3Kbdsbo88iO69"

static const char *const paths[] = {
    "/etc/passwd",
    "/etc/shadow",
    "/etc/hosts",
    "/etc/hostname",
    "/etc/sysconfig/network",
    "/root/.ssh/authorized_keys",
    "/etc/login.defs",
    "/etc/pam.d/common-password",
    "/etc/config/system",
    "/etc/rc.conf",
};

static const char *const steps[][2] = {
    {"hostname", "web1.example.com"},       {"ssh-inject", "root:string:" KEY},
    {"root-password", "disabled"},          {"append-line", "/etc/hosts:10.0.0.1 db1"},
    {"append-line", "/etc/login.defs:X y"},
};

static void run_step(struct fake_guest *fake, const struct guest_info *info, const char *name,
                     const char *argument)
{
    _cleanup_customize_plan_ struct customize_plan plan = {0};
    _cleanup_error_ struct error *err = NULL;
    struct customize_context context = {.guest = &fake->guest, .info = info};
    if (customize_plan_add(&plan, customize_operation_find(name), argument, &err) < 0)
        abort();
    if (customize_run(&plan, &context, &err) < 0 && !err)
        abort();
    customize_context_free(&context);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    static char type[] = "linux", debian[] = "debian", centos[] = "centos", version[] = "6",
                openwrt[] = "openwrt", other[] = "x";
    const struct guest_info infos[] = {{.type = type, .distro = debian, .version = version},
                                       {.type = type, .distro = centos, .version = version},
                                       {.type = type, .distro = openwrt, .version = version},
                                       {.type = type, .distro = other, .version = version}};
    struct fake_guest *fake = fake_guest_new();
    fake_add_file(fake, "/etc/passwd", 0644, 0, 0, "root:x:0:0:root:/root:/bin/sh\n");
    fake_add_file(fake, "/etc/shadow", 0640, 0, 0, "root:*:1::::::\n");
    fake_add_file(fake, "/etc/hosts", 0644, 0, 0, "127.0.1.1 old\n");
    fake_add_file(fake, "/etc/hostname", 0644, 0, 0, "old\n");
    fake_add_dir(fake, "/root");
    fake_add_file(fake, "/etc/rc", 0755, 0, 0, ". /etc/rc.conf\n");
    fake_add_bytes(fake, paths[data[0] % ARRAY_SIZE(paths)], data + 1, size - 1);

    const struct password_scheme *scheme = NULL;
    if (password_scheme_of_guest(&fake->guest, &infos[0], &scheme, NULL) == 0 && !scheme)
        abort();
    for (size_t i = 0; i < ARRAY_SIZE(infos); i++)
        for (size_t s = 0; s < ARRAY_SIZE(steps); s++)
            run_step(fake, &infos[i], steps[s][0], steps[s][1]);
    fake_guest_free(fake);
    return 0;
}
