#include "vmm/console_patterns.h"

#include <string.h>

/* "HOST login: " at the beginning, as agetty and most others print it; "HOST console login: " of
 * Solaris and its successors, "HOST Login: " of RouterOS. */
static bool is_login_prompt(const char *line)
{
    static const char *const prompts[] = {" login: ", " console login: ", " Login: "};
    size_t host =
        strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._()");
    for (size_t i = 0; i < ARRAY_SIZE(prompts); i++)
        if (host > 0 && host <= 255 && strncmp(line + host, prompts[i], strlen(prompts[i])) == 0)
            return true;
    return false;
}

/* "bash-5.2# ", "sh-5.2$ ": the shell's own prompt, where nothing sets another one. */
static bool is_plain_shell(const char *line)
{
    size_t name = strncmp(line, "bash-", 5) == 0 ? 5 : strncmp(line, "sh-", 3) == 0 ? 3 : 0;
    size_t version = name ? strspn(line + name, "0123456789.") : 0;
    const char *end = line + name + version;
    return version > 0 && (strcmp(end, "# ") == 0 || strcmp(end, "$ ") == 0);
}

/* The prompt of an automatic login: "~ # ", "host:~# ", "host:/ # " (csh of FreeBSD, Android),
 * "[root@host ~]# ". */
static bool is_shell_prompt(const char *line)
{
    size_t length = strlen(line);
    if (length < 3 || length > 300 || line[length - 1] != ' ')
        return false;
    if (line[length - 2] != '#' && line[length - 2] != '$')
        return false;
    if (line[0] == '/' || line[0] == '~')
        return strcspn(line, " ") >= length - 3;
    if (line[0] == '[')
        return line[length - 3] == ']' && strchr(line, '@');
    size_t host = strcspn(line, ": ");
    const char *path = line + host + 1;
    if (host == 0 || line[host] != ':' || (*path != '/' && *path != '~'))
        return false;
    /* One blank may stand before the sign. */
    size_t name = strcspn(path, " ");
    return name >= strlen(path) - 3;
}

/* The program that printed the line, as far as its prefix shows. */
enum source {
    FROM_OTHER = 1 << 0,
    FROM_SYSTEMD = 1 << 1, /* "systemd[1]: ", or one of its status words, as in "[FAILED] " */
    FROM_CLOUD = 1 << 2,   /* "cloud-init[441]: " */
    FROM_DRACUT = 1 << 3,  /* "dracut-initqueue[363]: " */
    FROM_ANY = 0xf,
};

/* One row a line. */
/* clang-format off */
#define NO_ROOT    {CONSOLE_FATAL, VERDICT_NO_ROOT_DEVICE}
#define PANIC      {CONSOLE_FATAL, VERDICT_PANIC}
#define EMERGENCY  {CONSOLE_FATAL, VERDICT_EMERGENCY_SHELL}
#define NO_LOADER  {CONSOLE_FATAL, VERDICT_NO_BOOTLOADER}
#define WARNING    {CONSOLE_CLOUD_WARNING, VERDICT_NONE}
#define MODULE     {CONSOLE_CLOUD_MODULE, VERDICT_NONE}
#define STAGE      {CONSOLE_CLOUD_STAGE, VERDICT_NONE}
#define FINISHED   {CONSOLE_CLOUD_FINISHED, VERDICT_NONE}
#define SOURCELESS {CONSOLE_CLOUD_SOURCELESS, VERDICT_NONE}
#define LOGIN_PROMPT {CONSOLE_LOGIN, VERDICT_NONE}
#define OTHER      FROM_OTHER
#define SYSTEMD    FROM_SYSTEMD
#define CLOUD      (FROM_CLOUD | FROM_OTHER) /* without its prefix where there is no systemd */
#define DRACUT     (FROM_DRACUT | FROM_OTHER)

/*
 * The first row that matches a line decides. A glob stands for all of the line behind its prefix;
 * '*' stands for any text, everything else for itself.
 *
 * systemd shortens in the middle what does not fit into 80 columns ("cloud-config.serv...tings
 * specified in cloud-config"), so unit names are matched by their beginnings.
 */
static const struct {
    unsigned sources; /* enum source */
    const char *glob;
    struct console_sign sign;
} lines[] = {
    /* Kernel panics. */
    {OTHER, "Kernel panic - not syncing: VFS: Unable to mount root fs*", NO_ROOT},
    {OTHER, "Kernel panic - not syncing*", PANIC},

    /* An initramfs that does not find its root: initramfs-tools, dracut (with and without
     * systemd), mkinitcpio. */
    {OTHER, "ALERT! * does not exist.*", NO_ROOT},
    {DRACUT, "Warning: */dev/* does not exist*", NO_ROOT},
    {SYSTEMD, "Dependency failed for initrd-root-device.target*", NO_ROOT},
    {SYSTEMD, "Dependency failed for Initrd Root Device*", NO_ROOT},
    {SYSTEMD, "Dependency failed for sysroot.mount*", NO_ROOT},
    {SYSTEMD, "Dependency failed for /sysroot*", NO_ROOT},
    {OTHER, "ERROR: Unable to find root device*", NO_ROOT},
    {OTHER, "ERROR: Failed to mount * on real root*", NO_ROOT},

    /* Emergency shells and rescue prompts. */
    {FROM_ANY, "You are in emergency mode*", EMERGENCY},
    {FROM_ANY, "You are in rescue mode*", EMERGENCY},
    {FROM_ANY, "Welcome to emergency mode*", EMERGENCY},
    {FROM_ANY, "Entering emergency mode*", EMERGENCY},
    {SYSTEMD, "Reached target emergency.target*", EMERGENCY},
    {SYSTEMD, "Reached target Emergency Mode*", EMERGENCY},
    {SYSTEMD, "Reached target rescue.target*", EMERGENCY},
    {SYSTEMD, "Reached target Rescue Mode*", EMERGENCY},
    {OTHER, "Cannot open access to console, the root account is locked*", EMERGENCY},
    {OTHER, "Give root password for *", EMERGENCY},
    {OTHER, "Press Enter for maintenance*", EMERGENCY},
    {OTHER, "You are being dropped *shell*", EMERGENCY},
    {OTHER, "You are now being dropped *shell*", EMERGENCY},
    {OTHER, "initramfs emergency recovery shell launched*", EMERGENCY},

    /* Firmware (SeaBIOS, OVMF), boot sectors and boot loaders that find nothing to start. */
    {OTHER, "No bootable device*", NO_LOADER},
    {OTHER, "BdsDxe: No bootable option or device was found*", NO_LOADER},
    {OTHER, "Missing operating system*", NO_LOADER},
    {OTHER, "Operating system not found*", NO_LOADER},
    {OTHER, "Invalid partition table*", NO_LOADER},
    {OTHER, "Error loading operating system*", NO_LOADER},
    {OTHER, "Please press Enter to activate this console.*", LOGIN_PROMPT},
    {OTHER, "GRUB * Error*", NO_LOADER},
    {OTHER, "Entering rescue mode...*", NO_LOADER},
    {OTHER, "error: *you need to load the kernel first*", NO_LOADER},

    /* cloud-init. Its exit status, which systemd shows, tells of its modules' errors; a warning
     * alone makes `cloud-init status` say "degraded". */
    {SYSTEMD, "Failed to start cloud-init.*", STAGE},
    {SYSTEMD, "Failed to start cloud-init-local*", STAGE},
    {SYSTEMD, "Failed to start cloud-init-main*", STAGE},
    {SYSTEMD, "Failed to start cloud-init-network*", STAGE},
    {SYSTEMD, "Failed to start cloud-config*", STAGE},
    {SYSTEMD, "Failed to start cloud-final*", STAGE},
    {SYSTEMD, "Failed to start Initial cloud-init job*", STAGE},
    {SYSTEMD, "Failed to start Apply the settings specified in cloud-config*", STAGE},
    {SYSTEMD, "Failed to start Execute cloud user/final scripts*", STAGE},
    {SYSTEMD, "Failed to start Cloud-init: * Stage*", STAGE},
    {CLOUD, "20*-* *:*,* - *.py[WARNING]: Running module * failed*", MODULE},
    {CLOUD, "20*-* *:*,* - *.py[WARNING]: Failed to run module *", MODULE},
    {CLOUD, "20*-* *:*,* - *.py[WARNING]: *", WARNING},
    {CLOUD, "20*-* *:*,* - *.py[ERROR]: *", WARNING},
    {CLOUD, "20*-* *:*,* - *.py[CRITICAL]: *", WARNING},
    {CLOUD, "Cloud-init v. * finished at * Datasource DataSourceNone*", SOURCELESS},
    {CLOUD, "Cloud-init v. * finished at * Datasource *", FINISHED},
    /* For those who have configured a final message of their own. */
    {SYSTEMD, "Finished cloud-final*", FINISHED},
    {SYSTEMD, "Finished Execute cloud user/final scripts*", FINISHED},
    {SYSTEMD, "Started Execute cloud user/final scripts*", FINISHED},
    {SYSTEMD, "Finished Cloud-init: Final Stage*", FINISHED},
};

/* The same for the whole of a line that is not finished yet, each time the cursor rests behind what
 * could be a prompt. */
static const struct {
    const char *text;
    struct console_sign sign;
} prompts[] = {
    {"(initramfs) ", EMERGENCY},
    /* Programs that are no getty: login(1) of the BSDs, BusyBox' init of embedded systems,
     * the menus of pfSense and OPNsense, DOS, NuttX, Windows' emergency services. */
    {"login: ", LOGIN_PROMPT},
    {"Login: ", LOGIN_PROMPT},
    {"Please press Enter to activate this console. ", LOGIN_PROMPT},
    {"Enter an option: ", LOGIN_PROMPT},
    {"A:\\>", LOGIN_PROMPT},
    {"C:\\>", LOGIN_PROMPT},
    {"nsh> ", LOGIN_PROMPT},
    {"SAC>", LOGIN_PROMPT},
    /* Kernels and init of the BSDs that ask for help. */
    {"mountroot> ", NO_ROOT},
    {"root device: ", NO_ROOT},
    {"db> ", PANIC},
    {"ddb> ", PANIC},
    {"ddb{0}> ", PANIC},
    {"Enter full pathname of shell or RETURN for /bin/sh: ", EMERGENCY},
    {"Enter pathname of shell or RETURN for /bin/sh: ", EMERGENCY},
    {"dracut:/# ", EMERGENCY},
    {"Shell> ", NO_LOADER}, /* UEFI */
    {"grub rescue> ", NO_LOADER},
    {"grub> ", NO_LOADER},
};
/* clang-format on */

/* Anchored at both ends. */
static bool glob_matches(const char *glob, const char *line)
{
    while (*glob != '*' && *glob && *glob == *line) {
        glob++;
        line++;
    }
    if (*glob != '*')
        return !*glob && !*line;
    size_t left = strlen(line);
    for (;;) {
        const char *part = glob + 1;
        glob = strchr(part, '*');
        if (!glob) {
            size_t tail = strlen(part);
            return left >= tail && memcmp(line + left - tail, part, tail) == 0;
        }
        size_t length = (size_t)(glob - part);
        const char *found = memmem(line, left, part, length);
        if (!found)
            return false;
        left -= (size_t)(found - line) + length;
        line = found + length;
    }
}

/* Length of "NAME[123]: " at the beginning, where NAME begins as given; 0: something else. */
static size_t tag_length(const char *line, const char *name)
{
    size_t length = strlen(name);
    if (strncmp(line, name, length) != 0)
        return 0;
    length += strspn(line + length, "abcdefghijklmnopqrstuvwxyz-");
    if (line[length] != '[')
        return 0;
    length++;
    length += strspn(line + length, "0123456789");
    return strncmp(line + length, "]: ", 3) == 0 ? length + 3 : 0;
}

/* Length of "[  OK  ] " and its like. */
static size_t status_length(const char *line)
{
    if (line[0] != '[')
        return 0;
    size_t length = 1 + strspn(line + 1, " ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return length > 1 && strncmp(line + length, "] ", 2) == 0 ? length + 2 : 0;
}

/* *ret_length: of the prefix. */
static enum source source_of(const char *line, size_t *ret_length)
{
    if ((*ret_length = status_length(line)) || (*ret_length = tag_length(line, "systemd")))
        return FROM_SYSTEMD;
    if ((*ret_length = tag_length(line, "cloud-init")))
        return FROM_CLOUD;
    if ((*ret_length = tag_length(line, "dracut")))
        return FROM_DRACUT;
    return FROM_OTHER;
}

static struct console_sign sign_of_prompt(const char *line)
{
    for (size_t i = 0; i < ARRAY_SIZE(prompts); i++)
        if (strcmp(prompts[i].text, line) == 0)
            return prompts[i].sign;
    bool login = is_login_prompt(line) || is_shell_prompt(line) || is_plain_shell(line);
    return (struct console_sign){.event = login ? CONSOLE_LOGIN : CONSOLE_NOTHING};
}

struct console_sign console_sign_of(const char *line, bool unfinished)
{
    if (unfinished)
        return sign_of_prompt(line);
    size_t prefix;
    enum source source = source_of(line, &prefix);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        if ((lines[i].sources & source) && glob_matches(lines[i].glob, line + prefix))
            return lines[i].sign;
    /* A prompt that other output has run into. */
    bool login = is_login_prompt(line);
    return (struct console_sign){.event = login ? CONSOLE_LOGIN : CONSOLE_NOTHING};
}
