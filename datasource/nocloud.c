#include "datasource/nocloud.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/fdio.h"
#include "base/random.h"
#include "datasource/identity.h"
#include "datasource/iso.h"
#include "datasource/user_data.h"
#include "datasource/yaml.h"

static const char *document_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

static int check_options(const struct nocloud_options *options, struct error **err)
{
    const char *const paths[] = {options->user_data, options->meta_data, options->network_config,
                                 options->vendor_data};
    size_t from_stdin = 0;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
        from_stdin += paths[i] && strcmp(paths[i], "-") == 0;
    if (from_stdin > 1)
        return error_set(err, EINVAL, "standard input ('-') can be only one of the documents");
    int r = 0;
    if (options->hostname)
        r = nocloud_check_hostname(options->hostname, err);
    if (r == 0 && options->instance_id)
        r = nocloud_check_instance_id(options->instance_id, err);
    return r;
}

/* `what` names the document in messages. A NULL path leaves it absent. */
static int read_document(const char *path, const char *what, struct nocloud_document *ret,
                         struct error **err)
{
    if (!path)
        return 0;
    int r = file_read(path, NOCLOUD_MAX_DOCUMENT, &ret->data, &ret->size, err);
    if (r == 0)
        return 0;
    error_wrap(err, "%s", what);
    if (r == -EFBIG)
        error_hint(err, "a seed is for settings; fetch large data from within the guest");
    return r;
}

static int read_documents(const struct nocloud_options *options, struct nocloud_seed *seed,
                          struct error **err)
{
    int r = read_document(options->user_data, "user-data", &seed->user_data, err);
    if (r == 0)
        r = read_document(options->meta_data, "meta-data", &seed->meta_data, err);
    if (r == 0)
        r = read_document(options->network_config, "network-config", &seed->network_config, err);
    if (r == 0)
        r = read_document(options->vendor_data, "vendor-data", &seed->vendor_data, err);
    return r;
}

/* Keys of the meta-data and top-level ones are the default user's. Where users are listed without
 * it, only root gets them, with a command that ends the session (config/cc_ssh.py). */
static int check_keys(const struct nocloud_options *options,
                      const struct user_data_accounts *accounts, struct error **err)
{
    bool has_keys = options->ssh_keys.count > 0 || accounts->has_keys;
    if (!accounts->has_users || accounts->has_default || !has_keys)
        return 0;
    if (accounts->root_may || options->ssh_keys.count == 0) {
        report(options->reporter, REPORT_WARNING,
               "%s: 'users' does not list 'default': SSH keys that belong to no user of the list "
               "let in %s",
               accounts->users, accounts->root_may ? "root only" : "nobody");
        return 0;
    }
    int r = error_set(err, EINVAL,
                      "%s: 'users' does not list 'default', so that the SSH keys given beside it "
                      "would let in nobody",
                      accounts->users);
    error_hint(err, "add '- default' to the list, or put the keys under 'ssh_authorized_keys' of "
                    "one of its users");
    return r;
}

static int check_documents(const struct nocloud_options *options, const struct nocloud_seed *seed,
                           struct error **err)
{
    struct reporter *reporter = options->reporter;
    _cleanup_accounts_ struct user_data_accounts accounts = {0};
    int r = 0;
    /* What user-data says goes before what vendor-data says. */
    if (seed->vendor_data.data)
        r = user_data_check(&seed->vendor_data, document_name(options->vendor_data), reporter,
                            &accounts, err);
    if (r == 0 && seed->user_data.data)
        r = user_data_check(&seed->user_data, document_name(options->user_data), reporter,
                            &accounts, err);
    if (r == 0 && seed->network_config.data)
        r = nocloud_check_network_config(&seed->network_config,
                                         document_name(options->network_config), reporter, err);
    if (r == 0 && seed->meta_data.data)
        r = identity_check_meta_data(&seed->meta_data, document_name(options->meta_data), reporter,
                                     err);
    return r < 0 ? r : check_keys(options, &accounts, err);
}

static int set_document(struct nocloud_document *document, const char *text, struct error **err)
{
    int r = str_replace(&document->data, text, err);
    if (r == 0)
        document->size = strlen(text);
    return r;
}

/* cloud-init requires both files; these are empty and cause no warning in its log. */
static int add_absent(struct nocloud_seed *seed, struct error **err)
{
    int r = 0;
    if (!seed->user_data.data)
        r = set_document(&seed->user_data, "#cloud-config\n{}\n", err);
    if (r == 0 && !seed->meta_data.data)
        r = set_document(&seed->meta_data, "", err);
    return r;
}

static void digest_part(struct digest *digest, const char *label, const void *bytes, size_t size)
{
    char header[64];
    int length = snprintf(header, sizeof(header), "%s %zu\n", label, size);
    digest_update(digest, header, (size_t)length);
    digest_update(digest, bytes, size);
}

/* Of everything that goes into the seed, so that a change of any of it is a new instance. */
static int digest_input(const struct nocloud_options *options, const struct nocloud_seed *seed,
                        char hex[static DIGEST_MAX_HEX], struct error **err)
{
    _cleanup_digest_ struct digest *digest = NULL;
    int r = digest_new(DIGEST_SHA256, &digest, err);
    if (r < 0)
        return r;
    digest_part(digest, "user-data", seed->user_data.data, seed->user_data.size);
    digest_part(digest, "meta-data", seed->meta_data.data, seed->meta_data.size);
    if (seed->network_config.data)
        digest_part(digest, "network-config", seed->network_config.data, seed->network_config.size);
    if (seed->vendor_data.data)
        digest_part(digest, "vendor-data", seed->vendor_data.data, seed->vendor_data.size);
    if (options->hostname)
        digest_part(digest, "hostname", options->hostname, strlen(options->hostname));
    for (size_t i = 0; i < options->ssh_keys.count; i++)
        digest_part(digest, "ssh-key", options->ssh_keys.items[i],
                    strlen(options->ssh_keys.items[i]));
    return digest_finish(digest, hex, err);
}

static int new_instance_id(const struct nocloud_options *options, struct nocloud_seed *seed,
                           struct error **err)
{
    uint8_t random[16];
    char hex[DIGEST_MAX_HEX];
    bool reproducible = getenv("SOURCE_DATE_EPOCH");
    int r = reproducible ? digest_input(options, seed, hex, err)
                         : random_bytes(random, sizeof(random), err);
    if (r < 0)
        return error_wrap(err, "no new instance-id");
    if (!reproducible)
        hex_encode(random, sizeof(random), hex);
    seed->instance_id = str_printf(err, "iid-%.32s", hex);
    return seed->instance_id ? 0 : -ENOMEM;
}

/* A YAML string on one line. */
static void append_quoted(struct str *out, const char *text)
{
    str_append(out, "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            str_append(out, "\\");
        str_append_n(out, text, 1);
    }
    str_append(out, "\"");
}

static int set_meta_data(struct nocloud_seed *seed, const char *name, const char *key,
                         struct str *value, struct error **err)
{
    _cleanup_free_ char *text = str_take(value, err);
    if (!text)
        return -ENOMEM;
    char *changed;
    int r =
        yaml_top_set(seed->meta_data.data, seed->meta_data.size, name, key, text, &changed, err);
    if (r < 0)
        return r;
    free(seed->meta_data.data);
    seed->meta_data = (struct nocloud_document){.data = changed, .size = strlen(changed)};
    return 0;
}

static int set_meta_data_string(struct nocloud_seed *seed, const char *name, const char *key,
                                const char *text, struct error **err)
{
    _cleanup_str_ struct str value = {0};
    append_quoted(&value, text);
    return set_meta_data(seed, name, key, &value, err);
}

static int set_public_keys(struct nocloud_seed *seed, const char *name, const struct strv *keys,
                           struct error **err)
{
    _cleanup_yaml_found_ struct yaml_found found = {0};
    _cleanup_str_ struct str value = {0};
    int r =
        yaml_top_find(seed->meta_data.data, seed->meta_data.size, name, "public-keys", &found, err);
    if (r < 0)
        return r;
    if (found.kind != YAML_NOTHING) {
        r = error_set(err, EEXIST, "%s: has public-keys of its own", name);
        error_hint(err, "add the keys there, or leave them to the other place");
        return r;
    }
    for (size_t i = 0; i < keys->count; i++) {
        str_append(&value, i ? ", " : "[");
        append_quoted(&value, keys->items[i]);
    }
    str_append(&value, "]");
    return set_meta_data(seed, name, "public-keys", &value, err);
}

/* Each new key goes in front of the others: the instance-id comes last, to stand first. */
static int complete_meta_data(const struct nocloud_options *options, struct nocloud_seed *seed,
                              struct error **err)
{
    const char *name = options->meta_data ? document_name(options->meta_data) : "meta-data";
    const char *wanted = options->instance_id;
    int r = identity_value(&seed->meta_data, name, "instance-id", &seed->instance_id, err);
    if (r == 0 && !wanted && !seed->instance_id) {
        r = new_instance_id(options, seed, err);
        wanted = seed->instance_id;
    }
    if (r == 0 && options->ssh_keys.count > 0)
        r = set_public_keys(seed, name, &options->ssh_keys, err);
    if (r == 0 && options->hostname)
        r = set_meta_data_string(seed, name, "local-hostname", options->hostname, err);
    if (r == 0 && wanted)
        r = set_meta_data_string(seed, name, "instance-id", wanted, err);
    if (r == 0 && options->instance_id)
        r = str_replace(&seed->instance_id, options->instance_id, err);
    if (r == 0)
        r = identity_value(&seed->meta_data, name, "local-hostname", &seed->hostname, err);
    return r;
}

int nocloud_compose(const struct nocloud_options *options, struct nocloud_seed *ret,
                    struct error **err)
{
    _cleanup_nocloud_seed_ struct nocloud_seed seed = {0};
    int r = check_options(options, err);
    if (r == 0)
        r = read_documents(options, &seed, err);
    if (r == 0)
        r = check_documents(options, &seed, err);
    if (r == 0)
        r = add_absent(&seed, err);
    if (r == 0)
        r = complete_meta_data(options, &seed, err);
    if (r < 0)
        return r;
    *ret = seed;
    seed = (struct nocloud_seed){0};
    return 0;
}

void nocloud_seed_free(struct nocloud_seed *seed)
{
    free(seed->user_data.data);
    free(seed->meta_data.data);
    free(seed->network_config.data);
    free(seed->vendor_data.data);
    free(seed->instance_id);
    free(seed->hostname);
    *seed = (struct nocloud_seed){0};
}

int nocloud_write_iso(const struct nocloud_seed *seed, int fd, const char *name, struct error **err)
{
    const struct {
        const char *name;
        const struct nocloud_document *document;
    } all[] = {
        {"meta-data", &seed->meta_data},
        {"network-config", &seed->network_config},
        {"user-data", &seed->user_data},
        {"vendor-data", &seed->vendor_data},
    };
    struct iso_file files[ARRAY_SIZE(all)];
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i].document->data)
            files[count++] =
                (struct iso_file){all[i].name, all[i].document->data, all[i].document->size};
    _cleanup_free_ char *image = NULL;
    size_t size;
    int r = iso_make("cidata", files, count, &image, &size, err);
    return r < 0 ? r : fd_write_full(fd, image, size, name, err);
}
