#include "repos/catalog.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "repos/download.h"
#include "repos/signature.h"

static const uint64_t largest_index = 16 << 20;
static const uint64_t largest_signature = 1 << 20;

/* An index is small: a server that sends nothing for so long is down, and other repositories may
 * answer. */
static const uint64_t index_stall_ms = 15 * 1000;

static int fetch_document(const struct repo *repo, const char *uri, uint64_t max_size, char **ret,
                          size_t *ret_size, const struct catalog_options *options,
                          struct error **err)
{
    const struct download_options download = {
        .proxy = repo->proxy,
        .max_size = max_size,
        .stall_ms = index_stall_ms,
        .min_speed = options->min_speed,
        .retries = 1,
        .reporter = options->reporter,
    };
    return download_to_memory(uri, &download, ret, ret_size, err);
}

/* An index that is not clear-signed may have a detached signature beside it. */
static int verify_beside(const struct repo *repo, const char *name, const char *text, size_t size,
                         const struct catalog_options *options, struct error **err)
{
    /* Before a query, which may hold what gives access. */
    size_t path = uri_is_remote(repo->uri) ? strcspn(repo->uri, "?#") : strlen(repo->uri);
    _cleanup_free_ char *uri =
        str_printf(err, "%.*s.sig%s", (int)path, repo->uri, repo->uri + path);
    _cleanup_free_ char *signature = NULL;
    size_t signature_size = 0;
    if (!uri)
        return -ENOMEM;
    int r =
        fetch_document(repo, uri, largest_signature, &signature, &signature_size, options, NULL);
    if (r == -ENOMEM)
        return error_oom(err);
    if (r < 0) {
        error_set(err, EBADMSG, "%s: is not signed, and there is no %s.sig", name, name);
        return error_hint(err, "the signed index is often called index.asc; its owner makes it "
                               "with 'gpg --clearsign index'");
    }
    const struct signature_key key = {.file = repo->gpgkey, .fingerprint = repo->fingerprint};
    return signature_verify_detached(text, size, signature, signature_size, name, &key, err);
}

/* Puts what is signed into *text, in place of what was fetched. */
static int verify(const struct repo *repo, const char *name, char **text, size_t *size,
                  const struct catalog_options *options, struct error **err)
{
    if (!signature_is_clear_signed(*text, *size))
        return verify_beside(repo, name, *text, *size, options, err);
    char *plain = NULL;
    size_t plain_size = 0;
    const struct signature_key key = {.file = repo->gpgkey, .fingerprint = repo->fingerprint};
    int r = signature_verify_clear(*text, *size, name, &key, &plain, &plain_size, err);
    if (r < 0)
        return r;
    free(*text);
    *text = plain;
    *size = plain_size;
    return 0;
}

static int refuse_keyless(const struct repo *repo, const char *name, struct error **err)
{
    error_set(err, ENOKEY, "%s: no key is known to check its signature with", name);
    return error_hint(err,
                      strcmp(repo->origin, "--source") == 0
                          ? "name the key with --fingerprint, or use --no-check-signature"
                          : "add gpgkey=file:///PATH to its definition (%s), or use "
                            "--no-check-signature",
                      repo->origin);
}

static bool has_wanted(const struct catalog *catalog, const struct catalog_options *options)
{
    const struct catalog_source *source;
    const struct index_entry *entry;
    return options->wanted &&
           catalog_find(catalog, options->wanted, options->wanted_arch, &source, &entry, NULL) == 0;
}

static int load_source(const struct repo *repo, const struct catalog_options *options,
                       struct index *ret, struct error **err)
{
    _cleanup_free_ char *text = NULL, *name = uri_printable(repo->uri);
    size_t size = 0;
    if (!name)
        return error_oom(err);
    if (repo->format != REPO_NATIVE)
        return error_set(err, ENOTSUP, "%s: repositories of format simplestreams are not supported",
                         name);
    /* Said before anything is fetched. */
    if (options->check_signature && !repo->gpgkey && !repo->fingerprint)
        return refuse_keyless(repo, name, err);
    int r = fetch_document(repo, repo->uri, largest_index, &text, &size, options, err);
    if (r == 0 && options->check_signature)
        r = verify(repo, name, &text, &size, options, err);
    return r < 0 ? r : index_parse(text, size, name, options->reporter, ret, err);
}

int catalog_load(struct repo_list *repos, const struct catalog_options *options,
                 struct catalog *ret, struct error **err)
{
    struct catalog catalog = {0};
    catalog.sources = calloc(repos->count + 1, sizeof(*catalog.sources));
    if (!catalog.sources)
        return error_oom(err);
    for (size_t i = 0; i < repos->count; i++) {
        struct catalog_source *source = &catalog.sources[catalog.count++];
        source->repo = &repos->items[i];
        source->check_signature = options->check_signature;
        source->min_speed = options->min_speed;
        int r = load_source(source->repo, options, &source->index, &source->failure);
        if (r == 0 && has_wanted(&catalog, options))
            break;
        if (r == 0)
            continue;
        const char *remedy = error_remedy(source->failure);
        report(options->reporter, REPORT_WARNING, "repository '%s' is left out: %s%s%s",
               source->repo->name, error_message(source->failure), remedy ? "; " : "",
               remedy ? remedy : "");
    }
    *ret = catalog;
    return 0;
}

void catalog_free(struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; i++) {
        index_free(&catalog->sources[i].index);
        error_free(catalog->sources[i].failure);
    }
    free(catalog->sources);
    *catalog = (struct catalog){0};
}
