/* From an entry of an index to a verified image in the cache. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/fdio.h"
#include "base/str.h"
#include "repos/catalog.h"
#include "repos/download.h"
#include "repos/signature.h"

enum { DOWNLOAD_RETRIES = 4 };
static const uint64_t largest_signature = 1 << 20;

/* One image on its way. */
struct fetch {
    const struct catalog_source *source;
    const struct index_entry *entry;
    char *uri;
    char *display; /* the same for messages */
    char *path;    /* of a local file, NULL: it is downloaded */
    enum digest_kind digest;
    const char *checksum; /* NULL: the index gives none */
    char key[DIGEST_MAX_HEX];
    struct cache_fill *fill;
    fetch_expand_fn *expand;
    void *context;
    enum cache_check check;
    struct reporter *reporter;
};

static void fetch_release(struct fetch *fetch)
{
    cache_fill_end(fetch->fill);
    free(fetch->uri);
    free(fetch->display);
    free(fetch->path);
}

/* Without a checksum, the nearest thing to an identity: where it comes from and which edition. */
static int make_key(struct fetch *fetch, struct error **err)
{
    const struct index_entry *entry = fetch->entry;
    if (fetch->checksum) {
        memcpy(fetch->key, fetch->checksum, strlen(fetch->checksum) + 1);
        return 0;
    }
    _cleanup_free_ char *identity =
        str_printf(err, "%s\n%s\n%llu\n%llu\n%llu", fetch->uri, entry->arch,
                   (unsigned long long)entry->revision, (unsigned long long)entry->compressed_size,
                   (unsigned long long)entry->size);
    return identity ? digest_bytes(DIGEST_SHA256, identity, strlen(identity), fetch->key, err)
                    : -ENOMEM;
}

static int fetch_describe(struct fetch *fetch, struct error **err)
{
    const struct index_entry *entry = fetch->entry;
    fetch->uri = uri_resolve(fetch->source->repo->uri, entry->file, err);
    if (!fetch->uri)
        return -EINVAL;
    fetch->display = uri_printable(fetch->uri);
    if (!fetch->display || (uri_is_local(fetch->uri, &fetch->path) && !fetch->path))
        return error_oom(err);
    fetch->digest = entry->checksum[DIGEST_SHA512] ? DIGEST_SHA512 : DIGEST_SHA256;
    fetch->checksum = entry->checksum[fetch->digest];
    return make_key(fetch, err);
}

static int bad_checksum(const struct fetch *fetch, struct error **err)
{
    error_set(err, EBADMSG, "%s: has another %s checksum than the index states", fetch->display,
              digest_name(fetch->digest));
    return error_hint(err, "the repository may be changing at this moment: try again later, then "
                           "tell its owner");
}

static int check_digest(const struct fetch *fetch, struct digest *digest, struct error **err)
{
    char found[DIGEST_MAX_HEX];
    int r = digest_finish(digest, found, err);
    if (r < 0 || !fetch->checksum || strcmp(found, fetch->checksum) == 0)
        return r;
    return bad_checksum(fetch, err);
}

/* Where the expansion stopped at a fault in the data, a wrong checksum explains it better. */
static bool is_other_file(const struct fetch *fetch, int fd)
{
    char found[DIGEST_MAX_HEX];
    return fetch->checksum && digest_fd(fetch->digest, fd, fetch->display, found, NULL) == 0 &&
           strcmp(found, fetch->checksum) != 0;
}

static bool may_be_the_data(int r)
{
    return r == -EINVAL || r == -EBADMSG || r == -EFBIG || r == -ENOMEM || r == -ENOTSUP;
}

/* Reads the compressed file once, for both its contents and its digest. */
static int expand_into_cache(const struct fetch *fetch, int in_fd, struct error **err)
{
    _cleanup_digest_ struct digest *digest = NULL;
    _cleanup_error_ struct error *failure = NULL;
    int out_fd = cache_fill_image_fd(fetch->fill, err);
    if (out_fd < 0)
        return out_fd;
    int r = digest_new(fetch->digest, &digest, err);
    if (r < 0)
        return r;
    r = fetch->expand(fetch->context, in_fd, fetch->display, digest, out_fd, &failure);
    if (r == 0)
        return check_digest(fetch, digest, err);
    if (may_be_the_data(r) && is_other_file(fetch, in_fd))
        return bad_checksum(fetch, err);
    return error_move(err, TAKE_PTR(failure));
}

static int verify_mapped(const struct fetch *fetch, int fd, const char *signature,
                         size_t signature_size, struct error **err)
{
    const struct repo *repo = fetch->source->repo;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", fetch->display);
    size_t size = (size_t)st.st_size;
    void *data = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (data == MAP_FAILED)
        return error_sys(err, errno, "%s: cannot read", fetch->display);
    const struct signature_key key = {.file = repo->gpgkey, .fingerprint = repo->fingerprint};
    int r =
        signature_verify_detached(data, size, signature, signature_size, fetch->display, &key, err);
    if (data)
        munmap(data, size);
    return r;
}

static enum fetch_trust trust_of(const struct fetch *fetch)
{
    if (fetch->source->check_signature)
        return fetch->checksum || fetch->entry->sig ? FETCH_VERIFIED : FETCH_BLIND;
    return fetch->checksum ? FETCH_UNSIGNED_INDEX : FETCH_BLIND;
}

/* Before there were checksums, images had detached signatures of their own. */
static int check_signature(const struct fetch *fetch, int fd, struct error **err)
{
    const struct repo *repo = fetch->source->repo;
    const struct index_entry *entry = fetch->entry;
    if (fetch->checksum)
        return 0;
    if (trust_of(fetch) == FETCH_BLIND) {
        report(fetch->reporter, REPORT_WARNING,
               "%s: the index states no checksum for it; it is taken on trust", fetch->display);
        return 0;
    }
    _cleanup_free_ char *uri = uri_resolve(repo->uri, entry->sig, err);
    if (!uri)
        return -EINVAL;
    const struct download_options options = {.proxy = repo->proxy,
                                             .max_size = largest_signature,
                                             .min_speed = fetch->source->min_speed,
                                             .retries = 1};
    _cleanup_free_ char *signature = NULL;
    size_t size = 0;
    int r = download_to_memory(uri, &options, &signature, &size, err);
    return r < 0 ? r : verify_mapped(fetch, fd, signature, size, err);
}

static int fill_from_file(const struct fetch *fetch, struct error **err)
{
    _cleanup_close_ int fd = file_open(fetch->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, err);
    if (fd < 0)
        return fd;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot read", fetch->path);
    if (!S_ISREG(st.st_mode))
        return error_set(err, EINVAL, "%s: is no regular file", fetch->path);
    int r = check_signature(fetch, fd, err);
    return r < 0 ? r : expand_into_cache(fetch, fd, err);
}

/* compressed_size is for information only, but no compressed image is much larger than it or than
 * what it expands to: a server cannot fill the disk. */
static uint64_t largest_download(const struct index_entry *entry)
{
    uint64_t size = max_u64(entry->size, entry->compressed_size), slack = size / 16 + (64 << 20);
    return checked_add(size, slack, &size) ? size : UINT64_MAX;
}

static int download(const struct fetch *fetch, int fd, bool resume, struct error **err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot stat the download", fetch->display);
    uint64_t held = resume ? (uint64_t)st.st_size : 0;
    /* All bytes that the index states arrived before: the checksum decides. */
    if (held > 0 && held == fetch->entry->compressed_size)
        return 0;
    char size[16];
    if (held > 0)
        report(fetch->reporter, REPORT_INFO, "Downloading %s, of which %s are here already",
               fetch->display, format_size(held, size));
    else
        report(fetch->reporter, REPORT_INFO, "Downloading %s", fetch->display);
    const struct download_options options = {
        .proxy = fetch->source->repo->proxy,
        .max_size = largest_download(fetch->entry),
        .min_speed = fetch->source->min_speed,
        .retries = DOWNLOAD_RETRIES,
        .resume = resume,
        .task = "Downloading",
        .reporter = fetch->reporter,
    };
    return download_to_fd(fetch->uri, fd, &options, err);
}

/* One download and expansion. What proves to be damaged is not kept. */
static int fill_from_network_once(const struct fetch *fetch, int fd, bool resume,
                                  struct error **err)
{
    int r = download(fetch, fd, resume, err);
    if (r < 0)
        return r;
    r = check_signature(fetch, fd, err);
    if (r == 0)
        r = expand_into_cache(fetch, fd, err);
    if (r == -EBADMSG)
        (void)cache_fill_reset_download(fetch->fill, NULL);
    return r;
}

static int fill_from_network(const struct fetch *fetch, struct error **err)
{
    _cleanup_error_ struct error *failure = NULL;
    int fd = cache_fill_download_fd(fetch->fill, err);
    if (fd < 0)
        return fd;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return error_sys(err, errno, "%s: cannot look at the download", fetch->display);
    /* Without a checksum it cannot be verified that two parts belong together. */
    bool resume = fetch->checksum != NULL, joined = resume && st.st_size > 0;
    int r = fill_from_network_once(fetch, fd, resume, &failure);
    if (joined && r == -EBADMSG) {
        report(fetch->reporter, REPORT_WARNING, "%s; downloading all of it anew",
               error_message(failure));
        error_clear(&failure);
        r = fill_from_network_once(fetch, fd, resume, &failure);
    }
    return r < 0 ? error_move(err, TAKE_PTR(failure)) : 0;
}

/* Returns the descriptor of the entry. */
static int fill_cache(struct fetch *fetch, struct cache *cache, struct error **err)
{
    _cleanup_free_ char *label = str_printf(err, "%s %s", fetch->entry->id, fetch->entry->arch);
    int r = label ? cache_fill_set_label(fetch->fill, label, err) : -ENOMEM;
    if (r == 0)
        r = fetch->path ? fill_from_file(fetch, err) : fill_from_network(fetch, err);
    if (r == 0)
        r = cache_fill_commit(TAKE_PTR(fetch->fill), err);
    if (r == -ENOSPC || r == -EDQUOT) {
        error_wrap(err, "the cache %s", cache_directory(cache));
        error_hint(err, "free some space, for example with 'kiln cache clear', or name another "
                        "place with --cache DIR");
    }
    return r;
}

/* With the right to fill the entry: -ENOENT where it is to be filled. One that was altered since it
 * was fetched, by a failing disk or a program that wrote into it, is fetched again. */
static int look_again(const struct fetch *fetch, struct cache *cache, struct error **err)
{
    _cleanup_error_ struct error *failure = NULL;
    int fd = cache_lookup(cache, fetch->key, fetch->check, &failure);
    if (fd >= 0 || fd == -ENOENT)
        return fd;
    if (fd != -EBADMSG)
        return error_move(err, TAKE_PTR(failure));
    report(fetch->reporter, REPORT_WARNING, "%s: %s; fetching it again", fetch->entry->id,
           error_message(failure));
    int r = cache_fill_drop_image(fetch->fill, err);
    return r < 0 ? r : -ENOENT;
}

int catalog_fetch(const struct catalog_source *source, const struct index_entry *entry,
                  struct cache *cache, const struct fetch_options *options,
                  struct fetch_result *ret, struct error **err)
{
    _cleanup_(fetch_release) struct fetch fetch = {
        .source = source,
        .entry = entry,
        .expand = options->expand,
        .context = options->context,
        .check = options->verify ? CACHE_CHECK_CONTENTS : CACHE_CHECK_QUICK,
        .reporter = options->reporter,
    };
    struct fetch_result result = {.cached = true};
    int r = fetch_describe(&fetch, err);
    if (r < 0)
        return error_wrap(err, "%s", entry->id);
    memcpy(result.key, fetch.key, sizeof(result.key));
    result.trust = trust_of(&fetch);
    result.key_is_checksum = fetch.checksum != NULL;
    result.fd = cache_lookup(cache, fetch.key, fetch.check, NULL);
    if (result.fd < 0) {
        r = cache_fill_begin(cache, fetch.key, options->reporter, &fetch.fill, err);
        if (r < 0)
            return error_wrap(err, "%s", entry->id);
        /* The previous holder of the lock may have added it. */
        result.fd = look_again(&fetch, cache, err);
        if (result.fd < 0 && result.fd != -ENOENT)
            return error_wrap(err, "%s", entry->id);
    }
    if (result.fd < 0) {
        result.cached = false;
        result.fd = fill_cache(&fetch, cache, err);
        if (result.fd < 0)
            return error_wrap(err, "%s", entry->id);
    }
    *ret = result;
    return 0;
}
