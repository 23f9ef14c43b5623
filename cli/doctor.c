#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/proc.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "repos/cache.h"
#include "repos/repo.h"
#include "vmm/kvm/probe.h"
#include "vmm/qemu/firmware.h"

struct doctor_arguments {
    bool json;
};

static const struct cli_option doctor_options[] = {
    {"json", 0, OPTION_FLAG, offsetof(struct doctor_arguments, json), NULL,
     "print the findings as JSON", NULL},
    CLI_OPTIONS_END,
};

enum finding_state { FINDING_GOOD, FINDING_NOTE, FINDING_BAD };

static const char *const state_names[] = {"ok", "note", "missing"};

struct finding {
    const char *subject;
    enum finding_state state;
    char *text;
    char *remedy; /* NULL: none */
};

struct findings {
    struct finding items[32];
    size_t count;
};

static void add(struct findings *findings, const char *subject, enum finding_state state,
                const char *text, const char *remedy)
{
    assert(findings->count < ARRAY_SIZE(findings->items));
    findings->items[findings->count++] = (struct finding){
        .subject = subject,
        .state = state,
        .text = strdup(text),
        .remedy = remedy ? strdup(remedy) : NULL,
    };
}

/* A program that some command needs. Without it the others still work, hence where it is needed. */
static const struct {
    const char *program;
    const char *purpose;
    const char *remedy;
    bool vital;
} programs[] = {
    {"qemu-system-x86_64", "kiln boot runs machines with it",
     "install qemu-system-x86 (Debian) or qemu-system-x86-core (Fedora)", true},
    {"qemu-img", "kiln build writes qcow2 with it",
     "install qemu-utils (Debian) or qemu-img (Fedora)", true},
    {"qemu-nbd", "images other than raw are written through it",
     "install qemu-utils (Debian) or qemu-img (Fedora)", true},
    {"resize2fs", "kiln build --size grows ext4 with it", "install e2fsprogs", true},
    {"gpg", "index signatures are verified with it", "install gpg (Debian) or gnupg2 (Fedora)",
     true},
    {"supermin", "the appliance engine (LVM, XFS, btrfs) starts by it",
     "install libguestfs-tools and a kernel, linux-image-amd64 (Debian), or guestfs-tools (Fedora)",
     false},
};

static void examine_programs(struct findings *findings)
{
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        bool found = proc_found(programs[i].program);
        enum finding_state absent = programs[i].vital ? FINDING_BAD : FINDING_NOTE;
        add(findings, programs[i].program, found ? FINDING_GOOD : absent, programs[i].purpose,
            found ? NULL : programs[i].remedy);
    }
}

static void examine_firmware(struct findings *findings)
{
    _cleanup_firmware_ struct firmware firmware = {0};
    _cleanup_error_ struct error *missing = NULL;
    if (firmware_find(&firmware, &missing) == 0)
        add(findings, "OVMF", FINDING_GOOD, firmware.code, NULL);
    else
        add(findings, "OVMF", FINDING_NOTE, "kiln boot --firmware uefi needs it",
            error_remedy(missing));
}

static void examine_plugins(struct findings *findings, const struct cli *cli)
{
    bool complete = true;
    int r = 0;
    for (size_t i = 0; r != 1; i++) {
        _cleanup_error_ struct error *error = NULL;
        r = cli->load_plugin(i, &error);
        if (r >= 0)
            continue;
        add(findings, "plugins", FINDING_BAD, error_message(error), error_remedy(error));
        complete = false;
    }
    if (complete)
        add(findings, "plugins", FINDING_GOOD, "all parts of kiln can be loaded", NULL);
}

static int examine_kvm(struct findings *findings, struct error **err)
{
    _cleanup_kvm_report_ struct kvm_report report = {0};
    int r = kvm_probe(&report, err);
    if (r < 0)
        return r;
    /* Nothing is lost but speed: QEMU emulates. */
    add(findings, "KVM", report.health == KVM_HEALTHY ? FINDING_GOOD : FINDING_NOTE, report.reason,
        report.remedy);
    return 0;
}

static int examine_cache(struct findings *findings, struct error **err)
{
    _cleanup_(cache_closep) struct cache *cache = NULL;
    struct statvfs fs;
    char size[16];
    int r = cache_open(NULL, &cache, err);
    if (r < 0) {
        const struct error *cause = err ? *err : NULL;
        add(findings, "cache", FINDING_BAD, error_message(cause),
            error_remedy(cause) ? error_remedy(cause)
                                : "set XDG_CACHE_HOME to a directory where you may write");
        error_clear(err);
        return 0;
    }
    if (statvfs(cache_directory(cache), &fs) < 0)
        return error_sys(err, errno, "%s: statvfs failed", cache_directory(cache));
    uint64_t left = (uint64_t)fs.f_bavail * fs.f_frsize;
    _cleanup_free_ char *text =
        str_printf(err, "%s, %s free", cache_directory(cache), format_size(left, size));
    if (!text)
        return -ENOMEM;
    bool tight = left < 4ull << 30;
    add(findings, "cache", tight ? FINDING_NOTE : FINDING_GOOD, text,
        tight ? "free some space, or run 'kiln cache clear'" : NULL);
    return 0;
}

static int examine_repos(struct findings *findings, struct reporter *reporter, struct error **err)
{
    _cleanup_strv_ struct strv directories = {0};
    _cleanup_repo_list_ struct repo_list repos = {0};
    int r = repo_directories(&directories, err);
    if (r == 0)
        r = repo_list_load(&directories, &repos, reporter, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *text = str_printf(err, "%zu configured", repos.count);
    if (!text)
        return -ENOMEM;
    add(findings, "repositories", repos.count ? FINDING_GOOD : FINDING_NOTE, text,
        repos.count ? NULL : "put a NAME.conf into ~/.config/kiln/repos.d; see kiln-build(1)");
    return 0;
}

static int print_findings(const struct findings *findings, bool json, struct error **err)
{
    json_t *list = json ? json_array() : NULL;
    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        if (json) {
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:o, s:o}", "subject", finding->subject, "state",
                                state_names[finding->state], "text", json_text(finding->text),
                                "remedy", json_text(finding->remedy)));
            continue;
        }
        printf("%-8s %-19s %s\n", state_names[finding->state], finding->subject,
               finding->text ? finding->text : "");
        if (finding->remedy)
            printf("%-8s %-19s %s\n", "", "", finding->remedy);
    }
    return json ? json_print(json_pack("{s:o}", "findings", list), err) : 0;
}

static int doctor_run(struct cli *cli, const void *opaque, struct error **err)
{
    const struct doctor_arguments *arguments = opaque;
    struct findings findings = {0};
    int r = examine_kvm(&findings, err);
    examine_plugins(&findings, cli);
    examine_programs(&findings);
    examine_firmware(&findings);
    if (r == 0)
        r = examine_cache(&findings, err);
    if (r == 0)
        r = examine_repos(&findings, cli->reporter, err);
    if (r == 0)
        r = print_findings(&findings, arguments->json, err);
    for (size_t i = 0; i < findings.count; i++) {
        if (findings.items[i].state == FINDING_BAD && r == 0)
            r = 1;
        free(findings.items[i].text);
        free(findings.items[i].remedy);
    }
    return r;
}

const struct cli_command doctor_command = {
    .name = "doctor",
    .summary = "show what this machine has and lacks for kiln",
    .operands = "",
    .description =
        "Tests whether KVM runs guests at full speed and kiln's plugins can be loaded, and looks "
        "for the programs, firmware, repositories and space that kiln's commands use. Exit status "
        "1 when something is missing.",
    .example = "kiln doctor",
    .options = doctor_options,
    .arguments_size = sizeof(struct doctor_arguments),
    .run = doctor_run,
};
