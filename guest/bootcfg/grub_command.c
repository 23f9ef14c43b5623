/* The commands of GRUB. */
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>

#include "guest/bootcfg/grub_run.h"

typedef int command_fn(struct grub_run *run, const struct strv *words, struct error **err);

static int do_nothing(struct grub_run *run, const struct strv *words, struct error **err)
{
    (void)run, (void)words, (void)err;
    return GRUB_OK;
}

static int fail(struct grub_run *run, const struct strv *words, struct error **err)
{
    (void)run, (void)words, (void)err;
    return GRUB_FALSE;
}

/* Nothing that is booted depends on it, but perhaps something on whether it succeeds. */
static int show(struct grub_run *run, const struct strv *words, struct error **err)
{
    return grub_leave_open(run, words, err);
}

static int refuse(struct grub_run *run, const struct strv *words, struct error **err)
{
    (void)run;
    return grub_unknown(err, "what GRUB's command \"%s\" does is not known here", words->items[0]);
}

/* Variables. */

static int set(struct grub_run *run, const struct strv *words, struct error **err)
{
    if (words->count < 2)
        return GRUB_OK;
    const char *equals = strchr(words->items[1], '=');
    if (!equals)
        return GRUB_BAD_ARGUMENT;
    _cleanup_free_ char *name = strndup(words->items[1], (size_t)(equals - words->items[1]));
    return name ? grub_env_set(run->env, name, equals + 1, err) : error_oom(err);
}

static int unset(struct grub_run *run, const struct strv *words, struct error **err)
{
    (void)err;
    for (size_t i = 1; i < words->count; i++)
        grub_env_unset(run->env, words->items[i]);
    return GRUB_OK;
}

static int export(struct grub_run *run, const struct strv *words, struct error **err)
{
    int r = GRUB_OK;
    for (size_t i = 1; r == GRUB_OK && i < words->count; i++)
        r = grub_env_export(run->env, words->items[i], err);
    return r;
}

/* What the machine tells: "--set NAME", "--set=NAME", "-s NAME", "-v NAME", or any bare word. */
static int ask_machine(struct grub_run *run, const struct strv *words, struct error **err)
{
    _cleanup_free_ char *mark = str_printf(err, "\1%s\1", words->items[0]);
    int r = mark ? 0 : -ENOMEM;
    for (size_t i = 1; r == 0 && i < words->count; i++) {
        const char *word = words->items[i];
        const char *name = str_starts(word, "--") ? strchr(word, '=') : word;
        if (name && *name != '-')
            r = grub_env_set(run->env, name + (*name == '='), mark, err);
    }
    return r < 0 ? r : grub_leave_open(run, words, err);
}

/* Ubuntu's: which line of a list of graphics cards this machine's is in. */
static int hwmatch(struct grub_run *run, const struct strv *words, struct error **err)
{
    int r = grub_env_set(run->env, "match", "\1hwmatch\1", err);
    return r < 0 ? r : grub_leave_open(run, words, err);
}

/* Fedora's "increment" and "decrement": of a number above 0 only in the latter case. */
static int count(struct grub_run *run, const struct strv *words, struct error **err)
{
    if (words->count != 2)
        return GRUB_BAD_ARGUMENT;
    const char *value = grub_env_get(run->env, words->items[1]);
    if (value && grub_is_unknown(value))
        return GRUB_OK;
    bool up = *words->items[0] == 'i';
    long number = value ? strtol(value, NULL, 10) : 0;
    if (up && number < 1000000)
        number++;
    else if (!up && number > 0)
        number--;
    char text[24];
    snprintf(text, sizeof(text), "%ld", number);
    return grub_env_set(run->env, words->items[1], text, err);
}

/* Control. */

static int break_loops(struct grub_run *run, const struct strv *words, struct error **err)
{
    uint64_t number = 1;
    if (words->count > 2)
        return GRUB_BAD_ARGUMENT;
    if (words->count == 2 && (parse_u64(words->items[1], "loops", &number, NULL) < 0 || !number))
        return GRUB_BAD_ARGUMENT;
    (void)err;
    run->continuing = strcmp(words->items[0], "continue") == 0;
    run->breaks = number < run->loops ? (unsigned)number : run->loops;
    return GRUB_OK;
}

static int shift(struct grub_run *run, const struct strv *words, struct error **err)
{
    (void)err;
    uint64_t number = 1;
    if (!run->scope)
        return GRUB_OK;
    if (words->count > 2)
        return GRUB_BAD_ARGUMENT;
    if (words->count == 2 && parse_u64(words->items[1], "shift", &number, NULL) < 0)
        return GRUB_BAD_ARGUMENT;
    if (number > run->scope->arguments.count - run->scope->shifts)
        return GRUB_BAD_ARGUMENT;
    run->scope->shifts += (size_t)number;
    return GRUB_OK;
}

static int setparams(struct grub_run *run, const struct strv *words, struct error **err)
{
    if (!run->scope)
        return GRUB_BAD_ARGUMENT;
    struct strv arguments = {0};
    int r = GRUB_OK;
    for (size_t i = 1; r == GRUB_OK && i < words->count; i++)
        r = strv_add(&arguments, words->items[i], err);
    strv_free(&run->scope->arguments);
    run->scope->arguments = arguments;
    run->scope->shifts = 0;
    return r;
}

static int return_from(struct grub_run *run, const struct strv *words, struct error **err)
{
    uint64_t number = 0;
    if (!run->scope || words->count > 2)
        return GRUB_BAD_ARGUMENT;
    const char *status = words->count == 2 ? words->items[1] : grub_env_get(run->env, "?");
    if (status && grub_is_unknown(status)) {
        run->returning = true;
        return grub_leave_open(run, words, err);
    }
    if (status && parse_u64(status, "status", &number, NULL) < 0)
        return GRUB_BAD_ARGUMENT;
    run->returning = true;
    return number == 0 ? GRUB_OK : number < GRUB_OPEN_STATUS ? (int)number : GRUB_FALSE;
}

static int eval(struct grub_run *run, const struct strv *words, struct error **err)
{
    _cleanup_str_ struct str text = {0};
    for (size_t i = 1; i < words->count; i++)
        str_appendf(&text, "%s%s", i > 1 ? " " : "", words->items[i]);
    _cleanup_free_ char *script = str_take(&text, err);
    if (!script)
        return -ENOMEM;
    return grub_is_unknown(script) ? grub_unknown_text(err, "the argument of \"eval\"", script)
                                   : grub_run_text(run, script, err);
}

/* The machine is switched off, or its firmware goes on. */
static int stop(struct grub_run *run, const struct strv *words, struct error **err)
{
    int r = str_replace(&run->boot.other, words->items[0], err);
    if (r < 0)
        return r;
    free(run->boot.kernel);
    run->boot.kernel = NULL;
    run->ended = true;
    return GRUB_OK;
}

static int fwsetup(struct grub_run *run, const struct strv *words, struct error **err)
{
    return words->count > 1 ? show(run, words, err) : stop(run, words, err);
}

static int insmod(struct grub_run *run, const struct strv *words, struct error **err)
{
    (void)err;
    run->globbing = run->globbing || (words->count > 1 && strcmp(words->items[1], "regexp") == 0);
    return GRUB_OK;
}

static int cpuid(struct grub_run *run, const struct strv *words, struct error **err)
{
    /* Machines here are of 64 bits; plain cpuid asks the same. */
    bool long_mode = words->count == 1 || strcmp(words->items[1], "-l") == 0 ||
                     strcmp(words->items[1], "--long-mode") == 0;
    return long_mode ? GRUB_OK : show(run, words, err);
}

/* Regular expressions. */

enum { MATCHES_MAX = 10, PATTERN_MAX = 300 };

static int set_match(struct grub_run *run, const char *target, const char *text,
                     const regmatch_t *matches, struct error **err)
{
    const char *colon = strchr(target, ':');
    const char *name = colon ? colon + 1 : target;
    unsigned long number = colon ? strtoul(target, NULL, 10) : 1;
    if (!text)
        return grub_env_set(run->env, name, "\1regexp\1", err);
    if (number >= MATCHES_MAX || matches[number].rm_so < 0) {
        grub_env_unset(run->env, name);
        return 0;
    }
    _cleanup_free_ char *value = strndup(text + matches[number].rm_so,
                                         (size_t)(matches[number].rm_eo - matches[number].rm_so));
    return value ? grub_env_set(run->env, name, value, err) : error_oom(err);
}

/* Into the variables of all options "--set"; `text` NULL: it is not known. */
static int set_matches(struct grub_run *run, const struct strv *words, const char *text,
                       const regmatch_t *matches, struct error **err)
{
    int r = 0;
    for (size_t i = 1; r == 0 && i < words->count; i++) {
        const char *word = words->items[i];
        if (str_starts(word, "--set="))
            r = set_match(run, word + strlen("--set="), text, matches, err);
        else if ((strcmp(word, "--set") == 0 || strcmp(word, "-s") == 0) && i + 1 < words->count)
            r = set_match(run, words->items[++i], text, matches, err);
    }
    return r;
}

/* What the C library would take long for is left alone: repetitions by number, references. */
static bool is_modest(const char *pattern)
{
    for (const char *at = strchr(pattern, '\\'); at && at[1]; at = strchr(at + 2, '\\'))
        if (at[1] >= '1' && at[1] <= '9')
            return false;
    return strlen(pattern) <= PATTERN_MAX && !strchr(pattern, '{');
}

static int regexp(struct grub_run *run, const struct strv *words, struct error **err)
{
    static const struct grub_option options[] = {{"--set", 's', true, false}};
    _cleanup_grub_options_ struct grub_options given = {0};
    run->globbing = true;
    int r = grub_options_read(words, options, ARRAY_SIZE(options), false, &given, err);
    if (r != GRUB_OK)
        return r;
    if (given.rest.count != 2)
        return GRUB_BAD_ARGUMENT;
    const char *pattern = given.rest.items[0], *text = given.rest.items[1];
    if (grub_is_unknown(pattern) || grub_is_unknown(text) || !is_modest(pattern)) {
        r = set_matches(run, words, NULL, NULL, err);
        return r < 0 ? r : grub_leave_open(run, words, err);
    }
    regex_t compiled;
    regmatch_t matches[MATCHES_MAX];
    if (regcomp(&compiled, pattern, REG_EXTENDED) != 0)
        return GRUB_FALSE;
    bool matched = regexec(&compiled, text, MATCHES_MAX, matches, 0) == 0;
    regfree(&compiled);
    r = matched ? set_matches(run, words, text, matches, err) : 0;
    return r < 0 ? r : matched ? GRUB_OK : GRUB_FALSE;
}

/* What starts a command's table row has its effect here; those behind `do_nothing` and `show` have
 * none on what is booted. Of all others ("refuse") that cannot be said. */
static const struct row {
    command_fn *run;
    const char *names;
} rows[] = {
    {set, " set "},
    {unset, " unset "},
    {export, " export "},
    {grub_test, " test [ "},
    {do_nothing, " true "},
    {fail, " false keystatus "},
    {break_loops, " break continue "},
    {shift, " shift "},
    {setparams, " setparams "},
    {return_from, " return "},
    {eval, " eval "},
    {insmod, " insmod "},
    {cpuid, " cpuid "},
    {regexp, " regexp "},
    {count, " increment decrement "},
    {grub_source, " source . "},
    {grub_configfile, " configfile "},
    {grub_load_env, " load_env "},
    {grub_search, " search search.fs_uuid search.fs_label search.file "},
    {grub_probe, " probe "},
    {grub_blscfg, " blscfg "},
    {grub_linux, " linux linux16 linuxefi "},
    {grub_initrd, " initrd initrd16 initrdefi "},
    {grub_load_other,
     " multiboot multiboot2 chainloader appleloader pxechainloader freedos ntldr plan9 truecrypt "
     "kfreebsd knetbsd kopenbsd xen_hypervisor xen_linux xnu_kernel xnu_kernel64 xnu_resume "
     "legacy_kernel "},
    {grub_boot_now, " boot "},
    {stop, " halt reboot exit normal_exit "},
    {fwsetup, " fwsetup "},
    {hwmatch, " hwmatch "},
    {ask_machine,
     " smbios getenv read rdmsr setpci date hdparm inb inw inl read_byte read_word read_dword "
     "net_get_dhcp_option tr "},
    {do_nothing,
     " echo rmmod clear cat ls lsmod lsfonts lspci lsacpi lsapm lsefi lsefimmap lsefisystab "
     "lsmmap lssal lscoreboot list_env list_trusted help hello terminfo password "
     "password_pbkdf2 module module2 xen_module xen_initrd kfreebsd_loadenv kfreebsd_module "
     "kfreebsd_module_elf knetbsd_module knetbsd_module_elf kopenbsd_ramdisk xnu_kext "
     "xnu_kextdir xnu_mkext xnu_ramdisk xnu_splash xnu_uuid xnu_devprop_load legacy_initrd "
     "legacy_initrd_nounzip legacy_password devicetree acpi "},
    {show,
     " loadfont background_image background_color terminal_input terminal_output serial play "
     "sleep videoinfo videotest vbeinfo vbetest keymap gptsync drivemap parttool cutmem badram "
     "save_env cryptomount nativedisk loadbios fakebios fix_video 915resolution outb outw outl "
     "write_byte write_word write_dword wrmsr trust distrust verify_detached authenticate "
     "legacy_check_password efiemu_loadcore efiemu_prepare efiemu_unload gdbstub gdbstub_break "
     "gdbstub_stop net_add_addr net_add_dns net_add_route net_bootp net_bootp6 net_dhcp "
     "net_del_addr net_del_dns net_del_route net_ipv6_autoconf net_ls_addr net_ls_cards "
     "net_ls_dns net_ls_routes net_nslookup cmp file md5sum sha1sum sha256sum sha512sum crc "
     "hashsum hexdump pcidump cmostest cmosset cmosclean cmosdump cbmemc coreboot_boottime "
     "backtrace blocklist dump gettext sendkey usb testload testspeed time zfsinfo zfskey "
     "zfs-bootfs macppcbless mactelbless loopback rdrand tpm_record_pcrs "},
    {refuse, " normal legacy_configfile legacy_source syslinux_configfile syslinux_source "
             "extract_entries_configfile extract_entries_source extract_legacy_entries_configfile "
             "extract_legacy_entries_source extract_syslinux_entries_configfile "
             "extract_syslinux_entries_source hiddenentry uki "},
};

static const struct row *find_row(const char *name)
{
    _cleanup_free_ char *spaced = strchr(name, ' ') ? NULL : str_printf(NULL, " %s ", name);
    for (size_t i = 0; spaced && i < ARRAY_SIZE(rows); i++)
        if (strstr(rows[i].names, spaced))
            return &rows[i];
    return NULL;
}

static bool is_menuentry(const char *name)
{
    return strcmp(name, "menuentry") == 0 || strcmp(name, "submenu") == 0;
}

bool grub_has_command(const char *name)
{
    return is_menuentry(name) || find_row(name);
}

int grub_command(struct grub_run *run, const struct grub_node *node, const struct strv *words,
                 struct error **err)
{
    if (is_menuentry(words->items[0]))
        return grub_menuentry(run, node, words, err);
    if (node->has_block)
        return grub_unknown(err, "a block behind GRUB's command \"%s\" is not supported",
                            words->items[0]);
    return find_row(words->items[0])->run(run, words, err);
}
