#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/appliance.h"
#include "cli/commands.h"
#include "cli/disks.h"
#include "cli/json.h"
#include "cli/trust.h"
#include "guest/inspect/inspect.h"
#include "image/seal.h"

struct inspect_arguments {
    struct strv disks; /* as cli_disks_gather() takes them */
    const char *connect;
    const char *engine;
    const char *root;
    struct key_arguments keys;
    struct image_trust trust;
    bool json;
};

static const struct cli_option inspect_options[] = {
    DISK_OPTIONS(struct inspect_arguments, disks, connect, "look at"),
    {"engine", 0, OPTION_STRING, offsetof(struct inspect_arguments, engine),
     "auto|native|appliance", "how the guest's files are read", "auto"},
    ROOT_OPTION(struct inspect_arguments, root),
    KEY_OPTIONS(struct inspect_arguments, keys),
    TRUST_OPTIONS(struct inspect_arguments, trust),
    {"json", 0, OPTION_FLAG, offsetof(struct inspect_arguments, json), NULL,
     "print the facts as JSON", NULL},
    CLI_OPTIONS_END,
};

static const struct inspect_arguments inspect_defaults = {.engine = "auto", .root = "ask"};

/* All facts that are shown about one image. */
struct facts {
    const char *path; /* of the first disk */
    const struct cli_disks *disks;
    struct image_info image;
    bool sealed;
    struct seal seal; /* where it is */
    struct guest_info guest;
    struct guest_file_systems file_systems;
    struct guest_boot_entry boot; /* kernel NULL: `no_boot` says why there is none */
    struct error *no_boot;
    const char *engine;
    const char *reason;
};

static json_t *json_seal(const struct facts *facts)
{
    const struct strv *operations = &facts->seal.operations;
    if (!facts->sealed)
        return json_null();
    json_t *names = json_array();
    for (size_t i = 0; i < operations->count; i++)
        json_array_append_new(names, json_text(operations->items[i]));
    return json_pack("{s:o, s:o, s:o}", "time", json_text(facts->seal.time), "digest",
                     json_text(facts->seal.digest), "operations", names);
}

/* "initrd" is the last file, which has the modules: others before it are microcode and the like. */
static json_t *json_boot(const struct guest_boot_entry *boot)
{
    if (!boot->kernel)
        return json_null();
    const struct strv *paths = &boot->initrds;
    json_t *initrds = json_array();
    for (size_t i = 0; i < paths->count; i++)
        json_array_append_new(initrds, json_text(paths->items[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "title", json_text(boot->title), "kernel",
                     json_text(boot->kernel), "initrd",
                     json_text(paths->count > 0 ? paths->items[paths->count - 1] : NULL), "initrds",
                     initrds, "command_line", json_text(boot->command_line));
}

static json_t *json_file_systems(const struct guest_file_systems *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        const struct guest_file_system *item = &list->items[i];
        json_t *points = json_array();
        for (size_t j = 0; j < item->mount_points.count; j++)
            json_array_append_new(points, json_text(item->mount_points.items[j]));
        json_array_append_new(
            array, json_pack("{s:o, s:o, s:o, s:o, s:I, s:o}", "device", json_text(item->device),
                             "type", json_text(item->type), "label", json_text(item->label), "uuid",
                             json_text(item->uuid), "size", (json_int_t)item->size, "mountpoints",
                             points));
    }
    return array;
}

static json_t *json_disks(const struct cli_disks *disks)
{
    json_t *array = json_array();
    for (size_t i = 0; i < disks->count; i++)
        json_array_append_new(array, json_text(disks->items[i].path));
    return array;
}

static json_t *json_windows(const struct guest_windows *windows)
{
    if (!windows)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "systemroot",
                     json_text(windows->systemroot), "software_hive",
                     json_text(windows->software_hive), "system_hive",
                     json_text(windows->system_hive), "control_set",
                     json_text(windows->control_set), "major", (json_int_t)windows->major, "minor",
                     (json_int_t)windows->minor, "build", (json_int_t)windows->build);
}

static int print_json(const struct facts *facts, struct error **err)
{
    const struct guest_info *guest = &facts->guest;
    json_t *image = json_pack(
        "{s:s, s:I, s:I, s:o}", "format", image_format_name(facts->image.format), "virtual_size",
        (json_int_t)facts->image.virtual_size, "allocated", (json_int_t)facts->image.allocated,
        "backing_file", json_text(facts->image.backing_file));
    json_t *os = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "type",
                           json_text(guest->type), "distro", json_text(guest->distro),
                           "product_name", json_text(guest->product_name), "version",
                           json_text(guest->version), "codename", json_text(guest->codename),
                           "arch", json_text(guest->arch), "hostname", json_text(guest->hostname),
                           "package_format", json_text(guest->package_format), "package_manager",
                           json_text(guest->package_manager), "init", json_text(guest->init),
                           "selinux", guest->selinux, "cloud_init", guest->cloud_init);
    json_object_set_new(os, "osinfo", json_text(guest->osinfo));
    json_object_set_new(os, "variant", json_text(guest->variant));
    json_t *root =
        json_pack("{s:o, s:o, s:o, s:I, s:I}", "device", json_text(guest->root_device),
                  "filesystem", json_text(guest->root_fs), "uuid", json_text(guest->root_uuid),
                  "size", (json_int_t)guest->root_size, "free", (json_int_t)guest->root_free);
    json_t *all = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "path", json_text(facts->path), "image",
        image, "seal", json_seal(facts), "os", os, "root", root, "boot", json_boot(&facts->boot),
        "no_boot", json_text(facts->no_boot ? error_message(facts->no_boot) : NULL), "engine",
        json_text(facts->engine), "engine_reason", json_text(facts->reason));
    json_object_set_new(all, "disks", json_disks(facts->disks));
    json_object_set_new(all, "filesystems", json_file_systems(&facts->file_systems));
    json_object_set_new(all, "windows", json_windows(guest->windows));
    return json_print(all, err);
}

static void print_row(const char *label, const char *text)
{
    _cleanup_free_ char *printable = str_printable(str_empty(text) ? "-" : text);
    printf("%-10s %s\n", label, printable ? printable : "?");
}

/* Parts that are not empty, with commas between, whatever their length. Takes `line` over. */
static void print_parts(const char *label, struct str *line)
{
    _cleanup_free_ char *text = str_take(line, NULL);
    print_row(label, text ? text : "?");
}

static void add_part(struct str *line, const char *text)
{
    if (!str_empty(text))
        str_appendf(line, "%s%s", line->length ? ", " : "", text);
}

static void print_kind(const struct guest_info *guest)
{
    struct str line = {0};
    str_appendf(&line, "%s%s%s", guest->distro, str_empty(guest->version) ? "" : " ",
                guest->version);
    add_part(&line, guest->variant);
    add_part(&line, guest->arch);
    add_part(&line, guest->init);
    if (strcmp(guest->osinfo, "unknown") != 0)
        add_part(&line, guest->osinfo);
    print_parts("Kind", &line);
}

static void print_file_systems(const struct guest_file_systems *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct guest_file_system *item = &list->items[i];
        char size[16];
        struct str line = {0};
        str_append(&line, item->device);
        add_part(&line, *item->type ? item->type : "unknown type");
        if (item->size > 0)
            add_part(&line, format_size(item->size, size));
        if (*item->label)
            str_appendf(&line, ", label %s", item->label);
        for (size_t j = 0; j < item->mount_points.count; j++)
            str_appendf(&line, "%s%s", j ? " and " : ", on ", item->mount_points.items[j]);
        print_parts(i == 0 ? "Volumes" : "", &line);
    }
}

static void print_windows(const struct guest_windows *windows)
{
    struct str line = {0};
    str_appendf(&line, "NT %u.%u", windows->major, windows->minor);
    if (windows->build)
        str_appendf(&line, " build %u", windows->build);
    add_part(&line, windows->systemroot);
    add_part(&line, windows->control_set);
    print_parts("Windows", &line);
}

static void print_root(const struct guest_info *guest)
{
    char size[16], available[16];
    struct str line = {0};
    str_appendf(&line, "%s, %s, %s, %s free", guest->root_device, guest->root_fs,
                format_size(guest->root_size, size), format_size(guest->root_free, available));
    print_parts("Root", &line);
}

static void print_text(const struct facts *facts)
{
    const struct guest_info *guest = &facts->guest;
    char size[16], allocated[16], line[256];
    for (size_t i = 0; i < facts->disks->count; i++)
        print_row(i == 0 ? "Image" : "", facts->disks->items[i].path);
    snprintf(line, sizeof(line), "%s, %s virtual, %s on disk",
             image_format_name(facts->image.format), format_size(facts->image.virtual_size, size),
             format_size(facts->image.allocated, allocated));
    print_row("Format", line);
    if (facts->image.backing_file)
        print_row("Backed by", facts->image.backing_file);
    if (facts->sealed) {
        snprintf(line, sizeof(line), "since %.60s: a template that must not change",
                 facts->seal.time);
        print_row("Sealed", line);
    }
    print_row("System", guest->product_name);
    print_kind(guest);
    if (guest->windows)
        print_windows(guest->windows);
    print_row("Hostname", guest->hostname);
    print_row("Packages", guest->package_manager);
    print_row("cloud-init", guest->cloud_init ? "installed" : "not installed");
    print_row("SELinux", guest->selinux ? "enabled" : "not enabled");
    print_root(guest);
    print_file_systems(&facts->file_systems);
    if (facts->boot.kernel) {
        print_row("Kernel", facts->boot.kernel);
        for (size_t i = 0; i < facts->boot.initrds.count; i++)
            print_row("Initrd", facts->boot.initrds.items[i]);
        print_row("Arguments", facts->boot.command_line);
    } else {
        print_row("Kernel", error_message(facts->no_boot));
    }
    struct str engine = {0};
    str_appendf(&engine, "%s (%s)", facts->engine, facts->reason);
    print_parts("Read by", &engine);
}

static int look_for_seal(struct facts *facts, struct error **err)
{
    struct error *cause = NULL;
    int r = seal_read(facts->path, &facts->seal, &cause);
    facts->sealed = r == 0;
    if (r == 0 || r == -ENOENT) {
        error_free(cause);
        return 0;
    }
    return error_move(err, cause);
}

static int gather(struct guest *guest, struct facts *facts, struct error **err)
{
    int r = guest_inspect(guest, &facts->guest, err);
    if (r < 0)
        return r;
    /* A guest without a boot entry (a container's tree, say), or with one that cannot be read, is
     * still worth describing. */
    r = guest_boot_default(guest, &facts->boot, &facts->no_boot);
    if (r == -ENOMEM)
        return error_move(err, TAKE_PTR(facts->no_boot));
    r = guest_file_systems(guest, &facts->file_systems, err);
    if (r < 0)
        return r;
    facts->engine = guest_engine_used(guest);
    facts->reason = guest_engine_reason(guest);
    return 0;
}

static int inspect(const struct inspect_arguments *arguments,
                   const struct guest_open_options *options, struct facts *facts,
                   struct error **err)
{
    _cleanup_guest_ struct guest *guest = NULL;
    int r = image_info_read(facts->path, options->format, &facts->image, err);
    if (r == 0)
        r = look_for_seal(facts, err);
    if (r == 0)
        r = guest_open(facts->path, options, &guest, err);
    if (r == 0)
        r = gather(guest, facts, err);
    if (r < 0)
        return r;
    if (arguments->json)
        return print_json(facts, err);
    print_text(facts);
    return 0;
}

static int gather_options(struct cli *cli, const struct inspect_arguments *arguments,
                          struct cli_disks *disks, struct cli_resources *resources,
                          struct error **err)
{
    int r = cli_resources(arguments->engine, NULL, &arguments->keys, resources, err);
    if (r == 0)
        r = cli_resources_root(arguments->root, resources, err);
    return r < 0 ? r : cli_disks_gather(cli, &arguments->disks, arguments->connect, disks, err);
}

static int inspect_run(struct cli *cli, const void *opaque, struct error **err)
{
    const struct inspect_arguments *arguments = opaque;
    _cleanup_resources_ struct cli_resources resources = {0};
    _cleanup_disks_ struct cli_disks disks = {0};
    int r = gather_options(cli, arguments, &disks, &resources, err);
    if (r < 0)
        return r;
    struct guest_open_options options = {
        .format = disks.items[0].format,
        .resources = resources.guest,
        .lock = true,
        .drives = disks.items + 1,
        .drive_count = disks.count - 1,
        .reporter = cli->reporter,
    };
    options.resources.trust = &arguments->trust;
    struct facts facts = {.path = disks.items[0].path, .disks = &disks};
    r = inspect(arguments, &options, &facts, err);
    image_info_free(&facts.image);
    seal_free(&facts.seal);
    guest_info_free(&facts.guest);
    guest_file_systems_free(&facts.file_systems);
    guest_boot_entry_free(&facts.boot);
    error_free(facts.no_boot);
    return r;
}

const struct cli_command inspect_command = {
    .name = "inspect",
    .summary = "show what is inside an image",
    .operands = "[DISK]",
    .description = "Shows format and sizes of the image, which operating system it holds, its "
                   "file systems and where they are mounted, and the kernel that it would boot. "
                   "Reads only.",
    .example = "kiln inspect --json debian-12.img",
    .options = inspect_options,
    .min_operands = 0,
    .max_operands = 1,
    .arguments_size = sizeof(struct inspect_arguments),
    .defaults = &inspect_defaults,
    .run = inspect_run,
};
