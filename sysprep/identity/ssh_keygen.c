#include "sysprep/identity/ssh_keygen.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "guest/text/glob.h"
#include "guest/text/place.h"
#include "guest/text/text.h"
#include "sysprep/family.h"
#include "sysprep/identity/boot_unit.h"

static const char unit_name[] = "kiln-ssh-hostkeys";
static const char keygen_path[] = "/usr/bin/ssh-keygen";

static const char *const servers[] = {"/usr/sbin/sshd", "/usr/bin/sshd", "/usr/lib/ssh/sshd"};

/* What the unit of sshd can name, and where that must be for it to work: by the order in which
 * systemd itself looks for units, or a program. */
#define UNITS(name)                                                                                \
    "/etc/systemd/system/" name, "/usr/lib/systemd/system/" name, "/lib/systemd/system/" name
static const struct {
    const char *named;
    const char *places[3];
} makers[] = {
    {"sshd-keygen.target", {UNITS("sshd-keygen.target")}},      /* Fedora, Red Hat since 8 */
    {"sshd-keygen.service", {UNITS("sshd-keygen.service")}},    /* Red Hat 7, Amazon 2 */
    {"sshdgenkeys.service", {UNITS("sshdgenkeys.service")}},    /* Arch */
    {"sshd-gen-keys-start", {"/usr/sbin/sshd-gen-keys-start"}}, /* SUSE */
    {"ssh-keygen", {keygen_path}},
};

static const char server_units[] =
    "/{etc,usr/lib,lib}/systemd/system/{ssh,sshd}{.service,@.service,.service.d/*.conf}";

/* Of OpenRC, System V init and runit. */
static const char server_scripts[] =
    "/etc/{init.d/ssh,init.d/sshd,rc.d/init.d/sshd,sv/ssh/run,sv/sshd/run}";

/*
 * cloud-init makes keys of its own and must not be disturbed while it does; the condition applies
 * only where it found a data source. Where there is one key, the administrator may have wanted just
 * that.
 */
static const char unit[] = "[Unit]\n"
                           "Description=Make SSH host keys where there are none\n"
                           "Documentation=man:ssh-keygen(1)\n"
                           "ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key\n"
                           "After=cloud-init.service cloud-init-network.service\n"
                           "Before=ssh.service sshd.service ssh.socket sshd.socket\n"
                           "\n"
                           "[Service]\n"
                           "Type=oneshot\n"
                           "ExecStart=/usr/bin/ssh-keygen -A\n";

static bool any_exists(struct guest *guest, const char *const *paths, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (guest_exists(guest, paths[i]))
            return true;
    return false;
}

/* The first place that has it counts; a link to /dev/null there masks a unit. */
static bool works(struct guest *guest, const char *const places[static 3])
{
    for (size_t i = 0; i < 3 && places[i]; i++) {
        struct guest_stat st;
        _cleanup_free_ char *target = NULL;
        if (place_look(guest, places[i], &st, NULL) != 1)
            continue;
        if (S_ISLNK(st.mode) && guest_readlink(guest, places[i], &target, NULL) == 0 &&
            strcmp(target, "/dev/null") == 0)
            return false;
        return guest_exists(guest, places[i]);
    }
    return false;
}

static bool line_has(const struct line *line, const char *part)
{
    return memmem(line->start, line->length, part, strlen(part)) != NULL;
}

static bool line_begins(const struct line *line, const char *start)
{
    return line->length >= strlen(start) && memcmp(line->start, start, strlen(start)) == 0;
}

/* That the unit pulls it in, and not only waits for it. */
static bool pulls_in(const struct line *line, const char *named)
{
    return (line_begins(line, "Wants=") || line_begins(line, "Requires=") ||
            line_begins(line, "ExecStartPre=")) &&
           line_has(line, named);
}

static const char *maker_of_unit(struct guest *guest, const struct line *line)
{
    for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
        if (pulls_in(line, makers[i].named) && works(guest, makers[i].places))
            return makers[i].named;
    return NULL;
}

static const char *maker_of_script(struct guest *guest, const struct line *line)
{
    bool comment = line_begins(line, "#");
    return !comment && line_has(line, "ssh-keygen") && guest_exists(guest, keygen_path)
               ? "its init script"
               : NULL;
}

typedef const char *maker_fn(struct guest *guest, const struct line *line);

/* *ret: what one of the files that match says will make the keys; NULL: nothing. */
static int find_maker(struct guest *guest, const char *pattern, maker_fn *maker, const char **ret,
                      struct error **err)
{
    _cleanup_strv_ struct strv paths = {0};
    *ret = NULL;
    int r = glob_expand(guest, pattern, &paths, err);
    for (size_t i = 0; r == 0 && !*ret && i < paths.count; i++) {
        _cleanup_text_ struct text text = {0};
        if (!guest_exists(guest, paths.items[i]) || guest_is_dir(guest, paths.items[i]))
            continue;
        r = text_read(guest, paths.items[i], &text, NULL, err);
        struct line line;
        for (size_t at = 0; r == 0 && !*ret && text_next_line(&text, &at, &line);)
            *ret = maker(guest, &line);
    }
    return r;
}

int ssh_keygen_ensure(struct customize_context *context, struct error **err)
{
    struct guest *guest = context->guest;
    bool systemd = family_has_systemd(context->info);
    const char *maker = NULL;
    if (!any_exists(guest, servers, ARRAY_SIZE(servers)))
        return 0;
    int r = systemd ? find_maker(guest, server_units, maker_of_unit, &maker, err)
                    : find_maker(guest, server_scripts, maker_of_script, &maker, err);
    if (r < 0)
        return r;
    if (maker) {
        report(context->reporter, REPORT_DEBUG, "SSH host keys will be made by %s", maker);
        return 0;
    }
    if (!systemd || !guest_exists(guest, keygen_path)) {
        error_set(err, EOPNOTSUPP,
                  "nothing in this guest generates SSH host keys when it boots, "
                  "and sshd does not start without");
        return error_hint(err, "keep the keys with --operations defaults,-ssh-hostkeys, or have "
                               "them made by --firstboot-command 'ssh-keygen -A'");
    }
    report(context->reporter, REPORT_DEBUG,
           "SSH host keys will be made by %s.service, which is put in", unit_name);
    return boot_unit_install(guest, unit_name, unit, err);
}
