#include "cli/edit.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "cli/disks.h"
#include "cli/edit_report.h"

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
    _cleanup_disks_ struct cli_disks disks = {0};
    _cleanup_resources_ struct cli_resources resources = {0};
    int r = fill_request(arguments, request, err);
    if (r == 0)
        r = cli_resources(arguments->engine, &arguments->appliance, &arguments->keys, &resources,
                          err);
    if (r == 0)
        r = cli_resources_root(arguments->root, &resources, err);
    if (r == 0)
        r = cli_disks_gather(cli, &arguments->disks, arguments->connect, &disks, err);
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
