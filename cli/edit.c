#include "cli/edit.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/domain.h"
#include "cli/edit_report.h"

/* The guest's disks, in order. */
struct disks {
    struct guest_drive *items;
    size_t count;
    struct strv paths; /* owns those of the items */
};

static void disks_free(struct disks *disks)
{
    free(disks->items);
    strv_free(&disks->paths);
}

static int add_disk(struct disks *disks, const char *path, enum image_format format,
                    struct error **err)
{
    struct guest_drive *items = reallocarray(disks->items, disks->count + 1, sizeof(*items));
    if (!items)
        return error_oom(err);
    disks->items = items;
    int r = strv_add(&disks->paths, path, err);
    if (r < 0)
        return r;
    items[disks->count++] =
        (struct guest_drive){.path = disks->paths.items[disks->paths.count - 1], .format = format};
    return 0;
}

/* FILE of -a, or the operand. */
static int add_file(struct disks *disks, const char *path, enum image_format format,
                    struct error **err)
{
    if (strstr(path, "://") && access(path, F_OK) < 0) {
        error_set(err, EOPNOTSUPP, "%s: disks elsewhere cannot be edited", path);
        return error_hint(err, "name a file or block device of this machine");
    }
    return add_disk(disks, path, format, err);
}

static int add_domain(struct disks *disks, const char *domain, const char *connect,
                      struct error **err)
{
    struct domain_disks found = {0};
    int r = domain_disks_read(domain, connect, &found, err);
    for (size_t i = 0; r == 0 && i < found.count; i++)
        r = add_disk(disks, found.items[i].path, found.items[i].format, err);
    domain_disks_free(&found);
    return r;
}

static int choose_format(const char *name, enum image_format *ret, struct error **err)
{
    struct error *cause = NULL;
    int r = image_format_parse(name, ret, &cause);
    return r < 0 ? cli_usage_because(err, cause) : 0;
}

/* --format is for the disks behind it. */
static int gather_disks(const struct cli *cli, const struct edit_arguments *arguments,
                        struct disks *disks, struct error **err)
{
    enum image_format format = IMAGE_AUTO;
    int r = 0;
    for (size_t i = 0; r == 0 && i < arguments->disks.count; i++) {
        const char *item = arguments->disks.items[i];
        const char *value = strchr(item, '=') + 1;
        if (str_starts(item, "format="))
            r = choose_format(value, &format, err);
        else if (str_starts(item, "domain="))
            r = add_domain(disks, value, arguments->connect, err);
        else
            r = add_file(disks, value, format, err);
    }
    for (size_t i = 0; r == 0 && i < cli->operand_count; i++)
        r = add_file(disks, cli->operands[i], format, err);
    if (r == 0 && disks->count == 0)
        r = cli_usage(err, "no disk is named: give a DISK, or --add or --domain");
    return r;
}

static int fill_request(const struct edit_arguments *arguments, struct edit_request *request,
                        struct error **err)
{
    if (request->seal && arguments->dry_run)
        return cli_usage(err, "--seal and --dry-run exclude each other");
    request->work.network = arguments->appliance.network;
    request->atomicity = arguments->atomic ? EDIT_ATOMIC : EDIT_AUTO;
    request->work.dry_run = arguments->dry_run;
    request->work.tell_changes = arguments->dry_run || arguments->json;
    request->work.tell_difference = arguments->difference;
    request->unseal = arguments->unseal;
    return 0;
}

static int run(struct cli *cli, const struct edit_arguments *arguments,
               const struct edit_request *request, struct error **err)
{
    _cleanup_edit_result_ struct edit_result result = {0};
    int r = edit_image(request, &result, err);
    if (r < 0)
        return r;
    if (arguments->json)
        return cli_edit_print_json(request, &result, err);
    cli_edit_print(request, &result, cli->quiet);
    return 0;
}

int cli_edit(struct cli *cli, const struct edit_arguments *arguments, struct edit_request *request,
             struct error **err)
{
    _cleanup_(disks_free) struct disks disks = {0};
    _cleanup_resources_ struct cli_resources resources = {0};
    int r = fill_request(arguments, request, err);
    if (r == 0)
        r = cli_resources(arguments->engine, &arguments->appliance, &arguments->keys, &resources,
                          err);
    if (r == 0)
        r = cli_resources_root(arguments->root, &resources, err);
    if (r == 0)
        r = gather_disks(cli, arguments, &disks, err);
    if (r < 0)
        return r;
    request->path = disks.items[0].path;
    request->format = disks.items[0].format;
    request->drives = disks.items + 1;
    request->drive_count = disks.count - 1;
    request->resources = resources.guest;
    request->resources.trust = &arguments->trust;
    request->work.operations = &cli->plan;
    request->work.reporter = cli->reporter;
    return run(cli, arguments, request, err);
}
