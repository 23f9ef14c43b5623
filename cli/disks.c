#include "cli/disks.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/domain.h"

void cli_disks_free(struct cli_disks *disks)
{
    free(disks->items);
    strv_free(&disks->paths);
}

static int add_disk(struct cli_disks *disks, const char *path, enum image_format format,
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
static int add_file(struct cli_disks *disks, const char *path, enum image_format format,
                    struct error **err)
{
    if (strstr(path, "://") && access(path, F_OK) < 0) {
        error_set(err, EOPNOTSUPP, "%s: disks elsewhere cannot be opened", path);
        return error_hint(err, "name a file or block device of this machine");
    }
    return add_disk(disks, path, format, err);
}

static int add_domain(struct cli_disks *disks, const char *domain, const char *connect,
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
int cli_disks_gather(const struct cli *cli, const struct strv *given, const char *connect,
                     struct cli_disks *disks, struct error **err)
{
    enum image_format format = IMAGE_AUTO;
    int r = 0;
    for (size_t i = 0; r == 0 && i < given->count; i++) {
        const char *item = given->items[i];
        const char *value = strchr(item, '=') + 1;
        if (str_starts(item, "format="))
            r = choose_format(value, &format, err);
        else if (str_starts(item, "domain="))
            r = add_domain(disks, value, connect, err);
        else
            r = add_file(disks, value, format, err);
    }
    for (size_t i = 0; r == 0 && i < cli->operand_count; i++)
        r = add_file(disks, cli->operands[i], format, err);
    if (r == 0 && disks->count == 0)
        r = cli_usage(err, "no disk is named: give a DISK, or --add or --domain");
    return r;
}
