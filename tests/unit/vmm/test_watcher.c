/* The console watcher: what machines print in each way of booting or failing to, in any portions.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "vmm/verdict.h"

#define LOGIN    VERDICT_LOGIN_PROMPT
#define DONE     VERDICT_CLOUD_INIT_DONE
#define DEGRADED VERDICT_CLOUD_INIT_DEGRADED
#define FAILED   VERDICT_CLOUD_INIT_FAILED
#define NO_ROOT  VERDICT_NO_ROOT_DEVICE
#define SHELL    VERDICT_EMERGENCY_SHELL
#define LOADER   VERDICT_NO_BOOTLOADER

#define FINISHED                                                                                   \
    "[  110.998526] cloud-init[438]: Cloud-init v. 22.4.2 finished at Sat, 21 Nov 2026 13:07:42 "  \
    "+0000. Datasource DataSourceNoCloud [seed=/dev/vdb][dsmode=net].  Up 110.89 seconds\r\n"
#define SOURCELESS                                                                                 \
    "[   31.200000] cloud-init[438]: Cloud-init v. 22.4.2 finished at Sat, 21 Nov 2026 13:07:42 "  \
    "+0000. Datasource DataSourceNone.  Up 30.89 seconds\r\n"
#define UNREADABLE                                                                                 \
    "[   62.100000] cloud-init[318]: 2026-11-21 13:10:45,052 - util.py[WARNING]: Failed loading "  \
    "yaml "                                                                                        \
    "blob. Invalid format at line 2 column 12\r\n"
#define MODULE                                                                                     \
    "[  139.997469] cloud-init[441]: 2026-11-21 13:10:45,052 - "                                   \
    "cc_scripts_user.py[WARNING]: Failed to run module scripts-user (scripts in "                  \
    "/var/lib/cloud/instance/scripts)\r\n"
#define PANIC_LINE                                                                                 \
    "[    5.616422] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100\r\n"

/* `reason`: a part of what must be given as the reason. */
static const struct boot {
    const char *name;
    bool seeded;
    enum vm_verdict expected;
    const char *text;
    enum vm_verdict verdict;
    const char *reason;
} boots[] = {
    {"nothing", false, VERDICT_NONE, "", VERDICT_NONE, ""},
    {"getty", false, VERDICT_NONE, "\r\nDebian GNU/Linux 12 web1 ttyS0\r\n\r\nweb1 login: ", LOGIN,
     "web1 login:"},
    {"getty, coloured", false, VERDICT_NONE,
     "\033c\033[?7l\033[2J\r\n\033[1mweb1\033[0m login: \033[6n", LOGIN, "web1 login:"},
    {"getty, talked over", false, VERDICT_NONE,
     "web1 login:[   85.212583] random: crng init done\r\nweb1 login: [   85.212583] x\r\n", LOGIN,
     "web1 login:"},
    {"a word about logins", false, VERDICT_NONE,
     "[  OK  ] Reached target getty.target - Login Prompts.\r\n"
     "the last login: never\r\n",
     VERDICT_NONE, ""},
    {"busybox shell", false, VERDICT_NONE, "Enter 'help' for a list\r\n\r\nmini:~# \033[6n", LOGIN,
     "mini:~#"},
    {"busybox shell, short", false, VERDICT_NONE, "\r\n~ # ", LOGIN, "~ #"},
    {"bash prompt", false, VERDICT_NONE, "\033]0;root@web1:~\a[root@web1 ~]# ", LOGIN,
     "[root@web1"},
    {"user's prompt", false, VERDICT_NONE, "debian@web1:/var/log$ ", LOGIN, "debian@web1"},
    {"FreeBSD", false, VERDICT_NONE, "\r\nFreeBSD/amd64 (freebsd) (ttyu0)\r\n\r\nlogin: ", LOGIN,
     "login:"},
    {"illumos", false, VERDICT_NONE, "\r\nomnios console login: ", LOGIN, "omnios console"},
    {"RouterOS", false, VERDICT_NONE, "\r\nMikroTik 7.14\r\nMikroTik Login: ", LOGIN, "MikroTik"},
    {"csh", false, VERDICT_NONE, "root@freebsd:~ # ", LOGIN, "root@freebsd"},
    {"Android", false, VERDICT_NONE, "console:/ $ ", LOGIN, "console:/ $"},
    {"plain bash", false, VERDICT_NONE, "bash-5.2# ", LOGIN, "bash-5.2#"},
    {"OpenWrt", false, VERDICT_NONE, "\r\nPlease press Enter to activate this console. ", LOGIN,
     "press Enter"},
    {"OpenWrt, talked over", false, VERDICT_NONE,
     "Please press Enter to activate this console.\r\n[    9.123456] br-lan: port 1\r\n", LOGIN,
     "press Enter"},
    {"pfSense", false, VERDICT_NONE, " 16) Restart PHP-FPM\r\n\r\nEnter an option: ", LOGIN,
     "Enter an option"},
    {"DOS", false, VERDICT_NONE, "FreeDOS kernel\r\nC:\\>", LOGIN, "C:\\>"},
    {"NuttX", false, VERDICT_NONE, "NuttShell (NSH)\r\nnsh> ", LOGIN, "nsh>"},
    {"FreeBSD without its root", false, VERDICT_NONE, "\r\nmountroot> ", VERDICT_NO_ROOT_DEVICE,
     "mountroot"},
    {"a BSD's debugger", false, VERDICT_NONE, "Stopped at x\r\nddb> ", VERDICT_PANIC, "ddb>"},
    {"a BSD for one user", false, VERDICT_NONE,
     "Enter full pathname of shell or RETURN for /bin/sh: ", VERDICT_EMERGENCY_SHELL, "Enter full"},
    {"no prompt: a banner", false, VERDICT_NONE,
     "# a banner\r\n$ x\r\n50% done\r\nabc>d\r\nhost: /dev/x # y\r\n", VERDICT_NONE, ""},
    {"no prompt: a comment", false, VERDICT_NONE, "comment: # ", VERDICT_NONE, ""},
    {"no prompt: the line goes on", false, VERDICT_NONE, "grub> x is what it says\n",
     VERDICT_NO_BOOTLOADER, "grub>"},

    /* cloud-init */
    {"done", true, VERDICT_NONE, "web1 login: " FINISHED, DONE, "finished at"},
    {"a prompt is not enough with a seed", true, VERDICT_NONE, "web1 login: ", VERDICT_NONE, ""},
    {"a prompt is enough if asked for", true, LOGIN, "web1 login: ", LOGIN, "web1 login:"},
    {"a prompt is still waited for", false, LOGIN, FINISHED, VERDICT_NONE, ""},
    {"cloud-init is waited for", false, DONE, "web1 login: ", VERDICT_NONE, ""},
    {"done without a seed", false, VERDICT_NONE, SOURCELESS, DONE, "DataSourceNone"},
    {"the seed was not used", true, VERDICT_NONE, SOURCELESS, FAILED, "DataSourceNone"},
    {"a warning", true, VERDICT_NONE, UNREADABLE FINISHED, DEGRADED, "Failed loading yaml"},
    {"a module failed", true, VERDICT_NONE, UNREADABLE MODULE FINISHED, FAILED, "scripts-user"},
    {"a module fails, end not seen", true, VERDICT_NONE, MODULE, VERDICT_NONE, ""},
    {"a stage failed", true, VERDICT_NONE,
     "[\033[0;1;31mFAILED\033[0m] Failed to start \033[0;1;39mcloud-config.ser\xe2\x80\xa6tings "
     "specified in cloud-config.\r\r\n",
     FAILED, "Failed to start cloud-config"},
    {"a stage failed, older words", true, VERDICT_NONE,
     "[FAILED] Failed to start Initial cloud-init job (metadata service crawler).\r\n", FAILED,
     "Initial cloud-init job"},
    {"a final message of one's own", true, VERDICT_NONE,
     "[   30.000000] cloud-init[9]: All is well\r\n[\033[0;32m  OK  \033[0m] Finished "
     "\033[0;1;39mcloud-final.servi\xe2\x80\xa6 cloud user/final scripts.\r\r\n",
     DONE, "Finished cloud-final"},
    {"progress is not the end", true, VERDICT_NONE,
     "[   85.200000] cloud-init[412]: Cloud-init v. 22.4.2 running 'modules:config' at Sat, 21 Nov "
     "2026 "
     "13:07:15 +0000. Up 83.60 seconds.\r\n",
     VERDICT_NONE, ""},

    /* kernel */
    {"panic", false, VERDICT_NONE, PANIC_LINE, VERDICT_PANIC, "Attempted to kill init"},
    {"panic behind a prompt", true, VERDICT_NONE, "web1 login: " PANIC_LINE, VERDICT_PANIC,
     "Kernel panic"},
    {"panic after all was well", false, VERDICT_NONE, "web1 login: \r\n" PANIC_LINE, VERDICT_PANIC,
     "Kernel panic"},
    {"panic after a shell", false, VERDICT_NONE, "(initramfs) \r\n" PANIC_LINE, VERDICT_PANIC, ""},
    {"panic without time stamps", false, VERDICT_NONE,
     "Kernel panic - not syncing: Fatal exception\r\n", VERDICT_PANIC, "Fatal exception"},
    {"somebody talks of a panic", false, VERDICT_NONE,
     "[    9.100000] cloud-init[3]: Kernel panic - not syncing: a story\r\n", VERDICT_NONE, ""},
    {"no root, says the kernel", false, VERDICT_NONE,
     "[    1.123456] Kernel panic - not syncing: VFS: Unable to mount root fs on "
     "unknown-block(0,0)\r\n",
     NO_ROOT, "Unable to mount root"},

    /* initramfs */
    {"no root, initramfs-tools", false, VERDICT_NONE,
     "ALERT!  UUID=96aaeeff does not exist.  Dropping to a shell!\r\n\r\n(initramfs) ", NO_ROOT,
     "ALERT!"},
    {"no root, then init dies", false, VERDICT_NONE,
     "ALERT!  /dev/sdz1 does not exist.  Dropping to a shell!\r\n" PANIC_LINE, NO_ROOT, "ALERT!"},
    {"no root, dracut", false, VERDICT_NONE,
     "[  194.512345] dracut-initqueue[363]: Warning: dracut-initqueue: timeout, still waiting for "
     "following initqueue hooks:\r\n"
     "[  195.512345] dracut-initqueue[363]: Warning: /dev/disk/by-uuid/8c1e does not exist\r\n"
     "Generating \"/run/initramfs/rdsosreport.txt\"\r\n\r\nEntering emergency mode.\r\n",
     NO_ROOT, "by-uuid/8c1e"},
    {"dracut only waits", false, VERDICT_NONE,
     "[  194.512345] dracut-initqueue[363]: Warning: dracut-initqueue timeout - starting timeout "
     "scripts\r\n",
     VERDICT_NONE, ""},
    {"no root, systemd in the initramfs", false, VERDICT_NONE,
     "[\033[0;1;38;5;185mDEPEND\033[0m] Dependency failed for \033[0;1;39msysroot.mount\033[0m - "
     "/sysroot.\r\n",
     NO_ROOT, "sysroot.mount"},
    {"no root, mkinitcpio", false, VERDICT_NONE,
     "ERROR: Unable to find root device '/dev/vda9'.\r\nYou are being dropped to a recovery shell",
     NO_ROOT, "/dev/vda9"},
    {"initramfs shell", false, VERDICT_NONE,
     "/dev/vda1: UNEXPECTED INCONSISTENCY; RUN fsck MANUALLY.\r\n\r\n(initramfs) ", SHELL,
     "(initramfs)"},
    {"dracut shell", false, VERDICT_NONE, "\r\ndracut:/# ", SHELL, "dracut:/#"},
    {"emergency mode", false, VERDICT_NONE,
     "You are in emergency mode. After logging in, type \"journalctl -xb\" to view\r\n", SHELL,
     "emergency mode"},
    {"emergency mode, root locked", false, VERDICT_NONE,
     "\r\nCannot open access to console, the root account is locked.\r\n", SHELL, "locked"},
    {"sulogin", false, VERDICT_NONE, "Give root password for maintenance\r\n(or press", SHELL,
     "Give root password"},

    /* firmware and boot loaders */
    {"SeaBIOS", false, VERDICT_NONE,
     "\033c\033[?7l\033[2J\033[0mSeaBIOS (version 1.16.2-debian-1.16.2-1)\r\n"
     "Booting from Hard Disk...\r\nBoot failed: not a bootable disk\r\n\nNo bootable device.\r\n",
     LOADER, "No bootable device."},
    {"OVMF", false, VERDICT_NONE,
     "BdsDxe: failed to load Boot0001 \"UEFI Misc Device\" from PciRoot(0x0): Not Found\r\n"
     "\033[2J\033[01;01HBdsDxe: No bootable option or device was found.\r\n",
     LOADER, "No bootable option"},
    {"OVMF goes on to the next entry", false, VERDICT_NONE,
     "BdsDxe: failed to load Boot0001 \"UEFI Misc Device\" from PciRoot(0x0): Not Found\r\n",
     VERDICT_NONE, ""},
    {"UEFI shell", false, VERDICT_NONE,
     "UEFI Interactive Shell v2.2\r\nany other key to continue.\r\n"
     "\033[08;01H\033[1m\033[33m\033[40mShell> \033[0m\033[37m\033[40m",
     LOADER, "Shell>"},
    {"GRUB's rescue shell", false, VERDICT_NONE,
     "error: no such device: dd748bfa.\r\nEntering rescue mode...\r\ngrub rescue> ", LOADER,
     "rescue"},
    {"GRUB's shell", false, VERDICT_NONE, "\r\033[5;3H\033[?25hgrub> ", LOADER, "grub>"},
    {"GRUB without a kernel", false, VERDICT_NONE,
     "error: file `/boot/vmlinuz' not found.\r\nerror: you need to load the kernel first.\r\n",
     LOADER, "load the kernel first"},
    {"a boot sector's words", false, VERDICT_NONE, "Missing operating system\r\n", LOADER,
     "Missing operating system"},

    /* what escape sequences could hide */
    {"a sequence that was cut off", false, VERDICT_NONE, "\033]0;title\n" PANIC_LINE, VERDICT_PANIC,
     "Kernel panic"},
    {"a string ended by ST", false, VERDICT_NONE, "\033]8;;x\033\\~ # ", LOGIN, "~ #"},
    {"carriage returns only", false, VERDICT_NONE, "one\rtwo\rweb1 login: ", LOGIN, "web1 login:"},
    {"backspaces", false, VERDICT_NONE, "web12\b login: ", LOGIN, "web1 login:"},
    {"bytes that are no text", false, VERDICT_NONE, "\xff\xfe\x01\x7f\x80~\n\xc3(initramfs) \n",
     VERDICT_NONE, ""},
};

static void check(const struct boot *boot, struct console_watcher *watcher, const char *how)
{
    enum vm_verdict verdict = console_watcher_verdict(watcher);
    const char *reason = console_watcher_reason(watcher);
    if (verdict != boot->verdict || !strstr(reason, boot->reason))
        fail_msg("%s (%s): verdict %s, reason '%s'", boot->name, how, vm_verdict_name(verdict),
                 reason);
}

static void every_end_is_recognized(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
        _cleanup_(console_watcher_freep) struct console_watcher *watcher = NULL;
        assert_int_equal(console_watcher_new(boots[i].seeded, boots[i].expected, &watcher, NULL),
                         0);
        console_watcher_feed(watcher, boots[i].text, strlen(boots[i].text));
        check(&boots[i], watcher, "at once");
    }
}

static void portions_make_no_difference(void **state)
{
    (void)state;
    unsigned random = 12345;
    for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
        size_t length = strlen(boots[i].text);
        for (unsigned round = 0; round < 20; round++) {
            _cleanup_(console_watcher_freep) struct console_watcher *watcher = NULL;
            console_watcher_new(boots[i].seeded, boots[i].expected, &watcher, NULL);
            for (size_t at = 0, take; at < length; at += take) {
                random = random * 1103515245 + 12345;
                take = round == 0 ? 1 : 1 + (random >> 16) % 40;
                take = take > length - at ? length - at : take;
                console_watcher_feed(watcher, boots[i].text + at, take);
            }
            check(&boots[i], watcher, round ? "in portions" : "byte by byte");
        }
    }
}

static struct console_watcher *watch(bool seeded, const char *text)
{
    struct console_watcher *watcher = NULL;
    assert_int_equal(console_watcher_new(seeded, VERDICT_NONE, &watcher, NULL), 0);
    console_watcher_feed(watcher, text, strlen(text));
    return watcher;
}

static void resets_in_a_row_are_a_loop(void **state)
{
    (void)state;
    _cleanup_(console_watcher_freep) struct console_watcher *watcher = watch(false, "");
    for (int i = 0; i < 3; i++) {
        console_watcher_feed(watcher, "Booting...\r\n", 12);
        console_watcher_reset(watcher);
        assert_int_equal(console_watcher_verdict(watcher), VERDICT_NONE);
    }
    console_watcher_reset(watcher);
    assert_int_equal(console_watcher_verdict(watcher), VERDICT_RESET_LOOP);
}

static void one_reset_on_the_way_is_fine(void **state)
{
    (void)state;
    _cleanup_(console_watcher_freep) struct console_watcher *watcher = watch(true, "web1 login: ");
    console_watcher_reset(watcher);
    console_watcher_feed(watcher, "x\r\n" FINISHED, strlen("x\r\n" FINISHED));
    assert_int_equal(console_watcher_verdict(watcher), DONE);
}

static void a_machine_that_ends_is_judged_by_what_was_seen(void **state)
{
    (void)state;
    _cleanup_(console_watcher_freep) struct console_watcher *silent = watch(false, "Booting\r\n");
    console_watcher_power_off(silent);
    assert_int_equal(console_watcher_verdict(silent), VERDICT_POWER_OFF);
    _cleanup_(console_watcher_freep) struct console_watcher *reached = watch(true, "web1 login: ");
    console_watcher_power_off(reached);
    assert_int_equal(console_watcher_verdict(reached), LOGIN);
    /* The last line may lack its end. */
    _cleanup_(console_watcher_freep) struct console_watcher *cut =
        watch(true, "Kernel panic - not syncing: Oops");
    console_watcher_power_off(cut);
    assert_int_equal(console_watcher_verdict(cut), VERDICT_PANIC);
}

static void timeouts_are_explained(void **state)
{
    (void)state;
    static const struct {
        bool seeded;
        const char *text;
        const char *says;
    } cases[] = {
        {false, "", "nothing was printed"},
        {false, "one\r\ntwo\x01\r\n", "the last line was: two"},
        {false, "one\r\nhalf a li", "the last line was: half a li"},
        {true, "web1 login: ", "a login prompt appeared (web1 login:), but cloud-init did not"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        _cleanup_(console_watcher_freep) struct console_watcher *watcher =
            watch(cases[i].seeded, cases[i].text);
        _cleanup_free_ char *says = console_watcher_state(watcher);
        if (!says || !strstr(says, cases[i].says))
            fail_msg("'%s' is explained as '%s'", cases[i].text, says);
    }
}

static void the_tail_keeps_the_last_lines_printable(void **state)
{
    (void)state;
    _cleanup_(console_watcher_freep) struct console_watcher *watcher = watch(false, "");
    char line[64];
    for (int i = 0; i < 1000; i++) {
        int length = snprintf(line, sizeof(line), "\033[1mline\033[0m %d\xff\r\n", i);
        console_watcher_feed(watcher, line, (size_t)length);
    }
    console_watcher_feed(watcher, "unfinished", 10);
    _cleanup_free_ char *tail = console_watcher_tail(watcher);
    assert_non_null(tail);
    assert_memory_equal(tail, "line 950\\xff\n", 13);
    assert_non_null(strstr(tail, "line 999\\xff\nunfinished\n"));
}

static void endless_lines_are_bounded(void **state)
{
    (void)state;
    _cleanup_(console_watcher_freep) struct console_watcher *watcher = watch(false, "");
    char chunk[65536];
    memset(chunk, 'x', sizeof(chunk));
    for (int i = 0; i < 64; i++)
        console_watcher_feed(watcher, chunk, sizeof(chunk));
    console_watcher_feed(watcher, "\n~ # ", 5);
    assert_int_equal(console_watcher_verdict(watcher), LOGIN);
    _cleanup_free_ char *tail = console_watcher_tail(watcher);
    assert_true(strlen(tail) < 50 * 600);
}

static void names_go_both_ways(void **state)
{
    (void)state;
    for (int i = VERDICT_NONE + 1; i <= VERDICT_TIMEOUT; i++) {
        enum vm_verdict verdict = VERDICT_NONE;
        assert_int_equal(vm_verdict_parse(vm_verdict_name((enum vm_verdict)i), &verdict, NULL), 0);
        assert_int_equal(verdict, i);
    }
    enum vm_verdict verdict;
    _cleanup_error_ struct error *err = NULL;
    assert_int_equal(vm_verdict_parse("fine", &verdict, &err), -EINVAL);
    assert_non_null(strstr(error_message(err), "cloud-init-done"));
    assert_int_equal(vm_verdict_parse("none", &verdict, NULL), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_is_recognized),
        cmocka_unit_test(portions_make_no_difference),
        cmocka_unit_test(resets_in_a_row_are_a_loop),
        cmocka_unit_test(one_reset_on_the_way_is_fine),
        cmocka_unit_test(a_machine_that_ends_is_judged_by_what_was_seen),
        cmocka_unit_test(timeouts_are_explained),
        cmocka_unit_test(the_tail_keeps_the_last_lines_printable),
        cmocka_unit_test(endless_lines_are_bounded),
        cmocka_unit_test(names_go_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
