#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/outfile.h"
#include "base/sshkey.h"
#include "cli/commands.h"
#include "cli/json.h"
#include "datasource/nocloud.h"

struct seed_arguments {
    const char *output;
    const char *user_data;
    const char *meta_data;
    const char *network_config;
    const char *vendor_data;
    const char *hostname;
    const char *instance_id;
    struct strv ssh_keys;
    bool json;
};

static const struct cli_option seed_options[] = {
    {"output", 'o', OPTION_STRING, offsetof(struct seed_arguments, output), "FILE",
     "write the seed to FILE; '-' is standard output", "seed.iso"},
    {"user-data", 0, OPTION_STRING, offsetof(struct seed_arguments, user_data), "FILE",
     "cloud-config, a script, or another form that cloud-init reads; '-' is standard input", NULL},
    {"meta-data", 0, OPTION_STRING, offsetof(struct seed_arguments, meta_data), "FILE",
     "meta-data in YAML, completed by the options below", NULL},
    {"network-config", 0, OPTION_STRING, offsetof(struct seed_arguments, network_config), "FILE",
     "network configuration, version 1 or 2", NULL},
    {"vendor-data", 0, OPTION_STRING, offsetof(struct seed_arguments, vendor_data), "FILE",
     "as user-data, for what user-data may override", NULL},
    {"hostname", 0, OPTION_STRING, offsetof(struct seed_arguments, hostname), "NAME",
     "the guest's host name", NULL},
    {"instance-id", 0, OPTION_STRING, offsetof(struct seed_arguments, instance_id), "ID",
     "identifies the instance; a guest that was already set up as ID does nothing",
     "that of the meta-data, else a fresh one"},
    {"ssh-key", 0, OPTION_LIST, offsetof(struct seed_arguments, ssh_keys), "FILE",
     "public keys for the guest's default user; may be repeated", NULL},
    {"json", 0, OPTION_FLAG, offsetof(struct seed_arguments, json), NULL,
     "print what was made as JSON", NULL},
    CLI_OPTIONS_END,
};

static const struct seed_arguments seed_defaults = {.output = "seed.iso"};

static bool is_dash(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

/* Turns the error of a library's check of an option's value into wrong usage. */
static int usage_of(const char *option, struct error *cause, struct error **err)
{
    int r = cli_usage(err, "%s: %s", option, error_message(cause));
    if (error_remedy(cause))
        error_hint(err, "%s", error_remedy(cause));
    error_free(cause);
    return r;
}

static int check_streams(const struct seed_arguments *arguments, struct error **err)
{
    size_t readers = (size_t)is_dash(arguments->user_data) + is_dash(arguments->meta_data) +
                     is_dash(arguments->network_config) + is_dash(arguments->vendor_data);
    for (size_t i = 0; i < arguments->ssh_keys.count; i++)
        readers += is_dash(arguments->ssh_keys.items[i]);
    if (readers > 1)
        return cli_usage(err, "standard input ('-') can be only one of the files");
    if (!is_dash(arguments->output))
        return 0;
    if (arguments->json)
        return cli_usage(err, "--json and --output - both use standard output");
    if (isatty(STDOUT_FILENO))
        return cli_usage(err, "the seed is binary data and is not written to a terminal; redirect "
                              "it, or use --output");
    return 0;
}

/* An output over one of the inputs would destroy what may be its only copy. */
static int check_overwrite(const struct seed_arguments *arguments, struct error **err)
{
    const char *const inputs[] = {arguments->user_data, arguments->meta_data,
                                  arguments->network_config, arguments->vendor_data};
    struct stat output, input;
    if (is_dash(arguments->output) || stat(arguments->output, &output) < 0)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(inputs) + arguments->ssh_keys.count; i++) {
        const char *path =
            i < ARRAY_SIZE(inputs) ? inputs[i] : arguments->ssh_keys.items[i - ARRAY_SIZE(inputs)];
        if (path && !is_dash(path) && stat(path, &input) == 0 && input.st_dev == output.st_dev &&
            input.st_ino == output.st_ino)
            return cli_usage(err, "the output %s is also an input", arguments->output);
    }
    return 0;
}

static int check_arguments(const struct seed_arguments *arguments, struct error **err)
{
    struct error *cause = NULL;
    int r = check_streams(arguments, err);
    if (r == 0)
        r = check_overwrite(arguments, err);
    if (r < 0)
        return r;
    if (arguments->hostname && nocloud_check_hostname(arguments->hostname, &cause) < 0)
        return usage_of("--hostname", cause, err);
    if (arguments->instance_id && nocloud_check_instance_id(arguments->instance_id, &cause) < 0)
        return usage_of("--instance-id", cause, err);
    return 0;
}

static int compose(const struct seed_arguments *arguments, struct nocloud_options *options,
                   struct nocloud_seed *seed, struct error **err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < arguments->ssh_keys.count; i++)
        r = sshkey_read(arguments->ssh_keys.items[i], &options->ssh_keys, err);
    return r < 0 ? r : nocloud_compose(options, seed, err);
}

static int write_seed(const struct nocloud_seed *seed, const char *path, struct error **err)
{
    _cleanup_outfile_ struct outfile *out = NULL;
    if (is_dash(path))
        return nocloud_write_iso(seed, STDOUT_FILENO, "standard output", err);
    int r = outfile_open(path, 0644, &out, err);
    if (r == 0)
        r = nocloud_write_iso(seed, outfile_fd(out), path, err);
    return r < 0 ? r : outfile_commit(TAKE_PTR(out), false, NULL, err);
}

static json_t *document_size(const struct nocloud_document *document)
{
    return document->data ? json_integer((json_int_t)document->size) : json_null();
}

static int print_json(const struct seed_arguments *arguments, const struct nocloud_seed *seed,
                      size_t keys, struct error **err)
{
    json_t *documents = json_pack(
        "{s:o, s:o, s:o, s:o}", "user-data", document_size(&seed->user_data), "meta-data",
        document_size(&seed->meta_data), "network-config", document_size(&seed->network_config),
        "vendor-data", document_size(&seed->vendor_data));
    return json_print(json_pack("{s:o, s:o, s:o, s:I, s:o}", "output", json_text(arguments->output),
                                "instance_id", json_text(seed->instance_id), "hostname",
                                json_text(seed->hostname), "ssh_keys", (json_int_t)keys,
                                "documents", documents),
                      err);
}

static void print_row(FILE *out, const char *label, const char *text)
{
    _cleanup_free_ char *printable = str_printable(text);
    fprintf(out, "%s: %s\n", label, printable ? printable : "?");
}

static void print_summary(FILE *out, const char *output, const struct nocloud_seed *seed,
                          size_t keys)
{
    print_row(out, "Output", output);
    print_row(out, "Instance-id", seed->instance_id);
    if (seed->hostname)
        print_row(out, "Hostname", seed->hostname);
    if (keys > 0)
        fprintf(out, "SSH keys: %zu\n", keys);
    fprintf(out, "Documents: user-data, meta-data%s%s\n",
            seed->network_config.data ? ", network-config" : "",
            seed->vendor_data.data ? ", vendor-data" : "");
}

static int seed_run(struct cli *cli, const void *opaque, struct error **err)
{
    const struct seed_arguments *arguments = opaque;
    struct nocloud_options options = {
        .user_data = arguments->user_data,
        .meta_data = arguments->meta_data,
        .network_config = arguments->network_config,
        .vendor_data = arguments->vendor_data,
        .hostname = arguments->hostname,
        .instance_id = arguments->instance_id,
        .reporter = cli->reporter,
    };
    _cleanup_nocloud_seed_ struct nocloud_seed seed = {0};
    int r = check_arguments(arguments, err);
    if (r == 0)
        r = compose(arguments, &options, &seed, err);
    size_t keys = options.ssh_keys.count;
    strv_free(&options.ssh_keys);
    if (r == 0)
        r = write_seed(&seed, arguments->output, err);
    if (r < 0)
        return r;
    if (arguments->json)
        return print_json(arguments, &seed, keys, err);
    if (!cli->quiet)
        print_summary(is_dash(arguments->output) ? stderr : stdout, arguments->output, &seed, keys);
    return 0;
}

const struct cli_command seed_command = {
    .name = "seed",
    .summary = "make a cloud-init seed, checked before it is booted",
    .operands = "",
    .description =
        "Makes a NoCloud seed: a small ISO image, labelled cidata, with the user-data and "
        "meta-data "
        "that cloud-init reads when the guest boots. What cloud-init would refuse or ignore is "
        "refused here, with the place. Equal input gives an equal seed, byte for byte.",
    .example = "kiln seed -o seed.iso --user-data user.yaml --hostname web1 "
               "--ssh-key ~/.ssh/id_ed25519.pub",
    .options = seed_options,
    .operand_hint = "files are named by options, unlike cloud-localds's: kiln seed -o seed.iso "
                    "--user-data user-data",
    .arguments_size = sizeof(struct seed_arguments),
    .defaults = &seed_defaults,
    .run = seed_run,
};
