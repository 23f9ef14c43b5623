#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "builder/build.h"
#include "cli/appliance.h"
#include "cli/catalog.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "cli/passwords.h"
#include "cli/peers.h"

struct build_arguments {
    struct catalog_arguments catalog;
    const char *output;
    const char *format;
    const char *arch;
    const char *engine;
    uint64_t size;
    struct appliance_arguments appliance;
    struct key_arguments keys;
    bool json;
};

static const struct cli_option build_options[] = {
    {"output", 'o', OPTION_STRING, offsetof(struct build_arguments, output), "FILE",
     "write the image to FILE; '-' is standard output", "OS-VERSION.img or .qcow2"},
    {"format", 0, OPTION_STRING, offsetof(struct build_arguments, format), "raw|qcow2",
     "format of the output", "by its ending .raw or .qcow2, or as the base image"},
    {"size", 0, OPTION_SIZE, offsetof(struct build_arguments, size), "SIZE",
     "grow the disk to SIZE (10G, 512M), with its last partition and file system", NULL},
    {"arch", 0, OPTION_STRING, offsetof(struct build_arguments, arch), "ARCH",
     "architecture of the guest", "this machine's"},
    {"engine", 0, OPTION_STRING, offsetof(struct build_arguments, engine), "auto|native|appliance",
     "how the guest's files are edited", "auto"},
    CATALOG_OPTIONS(struct build_arguments, catalog),
    CACHE_OPTIONS(struct build_arguments, catalog),
    {"json", 0, OPTION_FLAG, offsetof(struct build_arguments, json), NULL,
     "print what was built as JSON", NULL},
    APPLIANCE_OPTIONS(struct build_arguments, appliance),
    KEY_OPTIONS(struct build_arguments, keys),
    {"no-check-signatures", 0, OPTION_CLEAR,
     offsetof(struct build_arguments, catalog.check_signature), NULL, NULL, NULL},
    PEER_OPTIONS,
    PEER_BUILD_OPTIONS,
    CLI_OPTIONS_END,
};

static const struct build_arguments build_defaults = {
    .catalog = CATALOG_ARGUMENTS_DEFAULT,
    .engine = "auto",
    .appliance = {.network = true},
};

/* The base's format is known only after the index is read; the name follows what was asked. */
static char *default_output(const struct catalog *catalog, const struct build_request *request)
{
    const struct catalog_source *source;
    const struct index_entry *entry;
    bool qcow2 = request->output_format == IMAGE_QCOW2;
    if (request->output_format == IMAGE_AUTO &&
        catalog_find(catalog, request->image, request->arch, &source, &entry, NULL) == 0)
        qcow2 = entry->format && strcmp(entry->format, "qcow2") == 0;
    return str_printf(NULL, "%s.%s", request->image, qcow2 ? "qcow2" : "img");
}

static int print_json(const struct build_request *request, const struct build_result *result,
                      struct error **err)
{
    static const char *const trusts[] = {[FETCH_VERIFIED] = "verified",
                                         [FETCH_UNSIGNED_INDEX] = "unsigned-index",
                                         [FETCH_BLIND] = "none"};
    return json_print(
        json_pack("{s:o, s:o, s:s, s:I, s:b, s:s, s:o, s:o, s:o, s:o, s:o, s:I}", "image",
                  json_text(request->image), "output", json_text(request->output), "format",
                  image_format_name(result->format), "size", (json_int_t)result->size,
                  "base_cached", result->base_cached, "base_trust", trusts[result->base_trust],
                  "base_checksum", json_text(*result->base_checksum ? result->base_checksum : NULL),
                  "grown", result->grown ? json_text(result->growth.device) : json_null(), "engine",
                  json_text(result->engine), "engine_reason", json_text(result->engine_reason),
                  "generated_passwords", cli_json_passwords(&result->generated_passwords),
                  "duration_ms", (json_int_t)result->duration_ms),
        err);
}

/* By where it is from: the cache, and else the network or a folder. */
static const char *describe_base(const struct build_result *result)
{
    static const char *const texts[][2] = {
        [FETCH_VERIFIED] = {"fetched and verified", "from the cache"},
        [FETCH_UNSIGNED_INDEX] = {"fetched, by an index whose signature was not checked",
                                  "from the cache, by an index whose signature was not checked"},
        [FETCH_BLIND] = {"fetched, not verified", "from the cache, never verified"},
    };
    return texts[result->base_trust][result->base_cached];
}

static void print_summary(const struct build_request *request, const struct build_result *result,
                          FILE *out)
{
    char size[16];
    cli_print_passwords(&result->generated_passwords, out);
    fprintf(out, "Output: %s\nFormat: %s\nSize: %s\nBase: %s (%s)\n", request->output,
            image_format_name(result->format), format_size(result->size, size), request->image,
            describe_base(result));
    if (result->grown)
        fprintf(out, "Grown: %s, %s%s\n", result->growth.device,
                format_size(result->growth.length, size),
                result->growth.filesystem ? " with its file system" : "");
    if (result->engine)
        fprintf(out, "Engine: %s (%s)\n", result->engine, result->engine_reason);
    fprintf(out, "Time: %llu.%03llu s\n", (unsigned long long)result->duration_ms / 1000,
            (unsigned long long)result->duration_ms % 1000);
}

static int build_with(struct cli *cli, const struct build_arguments *arguments,
                      struct build_request *request, const struct catalog *catalog,
                      struct cache *cache, struct error **err)
{
    _cleanup_build_result_ struct build_result result = {0};
    _cleanup_free_ char *output = arguments->output ? NULL : default_output(catalog, request);
    request->output = arguments->output ? arguments->output : output;
    if (!request->output)
        return error_oom(err);
    int r = build_image(request, catalog, cache, &result, err);
    if (r < 0)
        return r;
    /* With the image on standard output, the report goes to standard error. */
    bool streamed = strcmp(request->output, "-") == 0;
    if (arguments->json && !streamed)
        return print_json(request, &result, err);
    if (!cli->quiet || result.generated_passwords.count > 0)
        print_summary(request, &result, streamed ? stderr : stdout);
    return 0;
}

/* What the name of a file promises about its format. */
static const struct {
    const char *ending;
    enum image_format format;
} endings[] = {
    {".raw", IMAGE_RAW},   {".qcow2", IMAGE_QCOW2}, {".vmdk", IMAGE_VMDK}, {".vdi", IMAGE_VDI},
    {".vhdx", IMAGE_VHDX}, {".vhd", IMAGE_VPC},     {".vpc", IMAGE_VPC},
};

static enum image_format format_of_name(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
        if (str_ends(name, endings[i].ending))
            return endings[i].format;
    return IMAGE_AUTO;
}

/* --format, or else the output's ending, or else IMAGE_AUTO: as the base image. */
static int choose_format(const struct build_arguments *arguments, enum image_format *ret,
                         struct error **err)
{
    const char *output = arguments->output ? arguments->output : "";
    enum image_format asked = IMAGE_AUTO, named = format_of_name(output);
    struct error *cause = NULL;
    if (arguments->format && image_format_parse(arguments->format, &asked, &cause) < 0)
        return cli_usage_because(err, cause);
    if (asked == IMAGE_AUTO)
        asked = named;
    if (asked != IMAGE_AUTO && asked != IMAGE_RAW && asked != IMAGE_QCOW2) {
        const char *format = image_format_name(asked);
        cli_usage(err, "kiln build writes raw and qcow2, not %s", format);
        return error_hint(err,
                          "build a qcow2 image, then convert it: qemu-img convert -O %s "
                          "NAME.qcow2 NAME.%s",
                          format, arguments->format ? format : strrchr(output, '.') + 1);
    }
    if (named != IMAGE_AUTO && named != asked) {
        cli_usage(err, "--output %s is named as %s, and --format is %s", output,
                  image_format_name(named), image_format_name(asked));
        return error_hint(err, "give the file an ending that fits, such as .img");
    }
    *ret = asked;
    return 0;
}

/* Before anything is fetched. The default name is in the working directory. */
static int check_output(const struct build_arguments *arguments, const char *image,
                        const struct cache *cache, struct error **err)
{
    if (arguments->output)
        return build_check_output(arguments->output, cache, err);
    if (strchr(image, '/'))
        return 0; /* no image has such a name */
    _cleanup_free_ char *output = str_printf(err, "%s.img", image);
    return output ? build_check_output(output, cache, err) : -ENOMEM;
}

static int build_run(struct cli *cli, const void *opaque, struct error **err)
{
    const struct build_arguments *arguments = opaque;
    struct build_request request = {
        .image = cli->operands[0],
        .arch = arguments->arch,
        .size = arguments->size,
        .operations = &cli->plan,
        .network = arguments->appliance.network,
        .verify_cache = arguments->catalog.verify_cache,
        .reporter = cli->reporter,
    };
    _cleanup_resources_ struct cli_resources resources = {0};
    int r = choose_format(arguments, &request.output_format, err);
    if (r == 0)
        r = cli_resources(arguments->engine, &arguments->appliance, &arguments->keys, &resources,
                          err);
    _cleanup_(cache_closep) struct cache *cache = NULL;
    if (r == 0)
        r = cache_open(arguments->catalog.cache, &cache, err);
    if (r == 0)
        r = check_output(arguments, request.image, cache, err);
    if (r < 0)
        return r;
    request.resources = resources.guest;
    _cleanup_(cli_catalog_close) struct opened_catalog opened = {0};
    r = cli_catalog_open(&arguments->catalog, request.image, request.arch, cli->reporter, &opened,
                         err);
    if (r == 0)
        r = build_with(cli, arguments, &request, &opened.catalog, cache, err);
    return r;
}

const struct cli_command build_command = {
    .name = "build",
    .summary = "build an image from a repository and customize it",
    .operands = "OS-VERSION",
    .description =
        "Fetches the base image OS-VERSION from a signed repository (or takes it from the cache), "
        "copies it, grows it and changes its files, without starting a virtual machine where that "
        "can be avoided. The output appears complete or not at all.",
    .example = "kiln build debian-12 --size 6G --hostname web1 --ssh-inject root",
    .options = build_options,
    .customizes = true,
    .min_operands = 1,
    .max_operands = 1,
    .arguments_size = sizeof(struct build_arguments),
    .defaults = &build_defaults,
    .run = build_run,
};
