/* Catalogs: repositories that fail are left out and named, images are found or alternatives
 * offered, and what is fetched enters the cache only when it is what the index states. */

#include <sys/wait.h>
#include <unistd.h>

#include "base/digest.h"
#include "repos/catalog.h"
#include "tests/unit/repos/world.h"

/* What an image "expands" to here is itself. */
struct expansion {
    unsigned calls;
    int fails; /* errno to fail with, after the first bytes; 0: none */
};

static int expand(void *context, int in_fd, const char *name, struct digest *digest, int out_fd,
                  struct error **err)
{
    struct expansion *expansion = context;
    char chunk[4096];
    off_t at = 0;
    ssize_t count;
    expansion->calls++;
    while ((count = pread(in_fd, chunk, sizeof(chunk), at)) > 0) {
        if (expansion->fails)
            return error_set(err, expansion->fails, "%s: cannot be expanded", name);
        digest_update(digest, chunk, (size_t)count);
        if (pwrite(out_fd, chunk, (size_t)count, at) != count)
            return error_sys(err, errno, "%s: cannot write", name);
        at += count;
    }
    return 0;
}

struct shop {
    struct world *world;
    struct repo_list repos;
    struct catalog catalog;
    struct cache *cache;
    struct expansion expansion;
};

static void shop_open(struct shop *shop, struct world *world)
{
    _cleanup_free_ char *path = world_path(world, "cache");
    *shop = (struct shop){.world = world};
    assert_int_equal(cache_open(path, &shop->cache, NULL), 0);
}

static void shop_free(struct shop *shop)
{
    catalog_free(&shop->catalog);
    repo_list_free(&shop->repos);
    cache_close(shop->cache);
}
#define _cleanup_shop_ _cleanup_(shop_free)

static void load(struct shop *shop, const char *source, bool check)
{
    struct error *err = NULL;
    const struct catalog_options options = {.check_signature = check,
                                            .reporter = &shop->world->reporter};
    if (source)
        expect_success(repo_list_add(&shop->repos, source, NULL, &err), &err);
    catalog_free(&shop->catalog);
    expect_success(catalog_load(&shop->repos, &options, &shop->catalog, &err), &err);
}

/* Fetches the image; its descriptor. */
static int fetch(struct shop *shop, const char *id, struct fetch_result *ret, struct error **err)
{
    const struct catalog_source *source;
    const struct index_entry *entry;
    int r = catalog_find(&shop->catalog, id, NULL, &source, &entry, err);
    if (r < 0)
        return r;
    const struct fetch_options options = {
        .expand = expand, .context = &shop->expansion, .reporter = &shop->world->reporter};
    return catalog_fetch(source, entry, shop->cache, &options, ret, err);
}

static char *contents_of(size_t size)
{
    char *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i % 23);
    bytes[size] = '\0';
    return bytes;
}

/* Writes an image of that size and an index that names it; more lines may follow. */
static void publish(struct world *world, size_t size, const char *more)
{
    char hex[DIGEST_MAX_HEX];
    _cleanup_free_ char *bytes = contents_of(size);
    assert_int_equal(digest_bytes(DIGEST_SHA512, bytes, size, hex, NULL), 0);
    world_write(world, "web/image", bytes, size);
    _cleanup_free_ char *index =
        str_printf(NULL, "[disk]\narch=%s\nfile=image\nsize=%zu\n%s%s\n%s", catalog_host_arch(),
                   size, more ? "" : "checksum[sha512]=", more ? "" : hex, more ? more : "");
    world_text(world, "web/index", index);
}

static void expect_contents(int fd, size_t size)
{
    _cleanup_free_ char *wanted = contents_of(size), *found = malloc(size + 1);
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, size);
    assert_int_equal(pread(fd, found, size, 0), size);
    assert_memory_equal(found, wanted, size);
}

static unsigned entries_in(const struct world *world, const char *folder)
{
    struct cache *cache = NULL;
    struct cache_listing listing = {0};
    _cleanup_free_ char *path = world_path(world, "cache");
    unsigned count = 0;
    assert_int_equal(cache_open(path, &cache, NULL), 0);
    assert_int_equal(cache_list(cache, &listing, NULL), 0);
    for (size_t i = 0; i < listing.count; i++)
        count += listing.items[i].partial == (strcmp(folder, "download") == 0);
    cache_listing_free(&listing);
    cache_close(cache);
    return count;
}

static char *local_index(const struct world *world)
{
    return str_printf(NULL, "%s/web/index", world->dir);
}

static void repositories_that_fail_are_left_out_and_named(void **state)
{
    struct world *world = *state;
    _cleanup_shop_ struct shop shop;
    _cleanup_free_ char *index = local_index(world);
    shop_open(&shop, world);
    publish(world, 100, NULL);
    setenv("no_proxy", "127.0.0.1", 1);
    world_text(world, "web/broken", "[disk\n");
    _cleanup_free_ char *broken = world_path(world, "web/broken"),
                        *absent = world_path(world, "no");
    repo_list_add(&shop.repos, "http://user:secret@127.0.0.1:1/index", NULL, NULL);
    repo_list_add(&shop.repos, broken, NULL, NULL);
    repo_list_add(&shop.repos, absent, NULL, NULL);
    load(&shop, index, false);
    expect_warning(world, "repository 'http://127.0.0.1:1/index' is left out: "
                          "http://127.0.0.1:1/index: ");
    expect_warning(world, "web/broken:1: a section name is letters");
    expect_warning(world, "/no: cannot open: No such file");
    assert_null(strstr(world->warnings.data, "secret"));
    assert_int_equal(shop.catalog.count, 4);
    assert_non_null(shop.catalog.sources[0].failure);
    assert_null(shop.catalog.sources[3].failure);
    const struct catalog_source *source;
    const struct index_entry *entry;
    assert_int_equal(catalog_find(&shop.catalog, "disk", NULL, &source, &entry, NULL), 0);
    struct error *err = NULL;
    int r = catalog_find(&shop.catalog, "other", NULL, &source, &entry, &err);
    assert_true(contains(error_message(err), "/no: cannot open"));
    expect_refusal(r, -ENOENT, &err, "left out were: 'http://127.0.0.1:1/index' (", "kiln list");
}

static void repositories_without_key_or_signature_are_refused(void **state)
{
    struct world *world = *state;
    _cleanup_shop_ struct shop shop;
    _cleanup_free_ char *index = local_index(world);
    shop_open(&shop, world);
    publish(world, 100, NULL);
    load(&shop, index, true);
    expect_warning(world, "no key is known to check its signature with; name the key with "
                          "--fingerprint, or use --no-check-signature");
    assert_int_equal(error_errno(shop.catalog.sources[0].failure), ENOKEY);
    repo_list_free(&shop.repos);
    repo_list_add(&shop.repos, index, "0123456789012345678901234567890123456789", NULL);
    load(&shop, NULL, true);
    expect_warning(world, "web/index: is not signed, and there is no ");
    assert_int_equal(error_errno(shop.catalog.sources[0].failure), EBADMSG);
}

static void simplestreams_are_left_out_for_now(void **state)
{
    struct world *world = *state;
    _cleanup_shop_ struct shop shop;
    static const char conf[] = "[s]\nuri=http://127.0.0.1:1/\nformat=simplestreams\n";
    shop_open(&shop, world);
    assert_int_equal(repo_conf_parse(conf, strlen(conf), "s.conf", &shop.repos, NULL, NULL), 0);
    load(&shop, NULL, true);
    expect_warning(world, "repository 's' is left out: http://127.0.0.1:1/: repositories of format "
                          "simplestreams are not supported");
}

#define ENTRY(id, arch) "[" id "]\narch=" arch "\nfile=x\nsize=1\n"

static void images_are_found_by_id_alias_and_arch(void **state)
{
    struct world *world = *state;
    _cleanup_shop_ struct shop shop;
    const struct catalog_source *source;
    const struct index_entry *entry;
    shop_open(&shop, world);
    world_text(world, "a",
               ENTRY("debian-12", "x86_64") "aliases=debian stable\n" ENTRY("debian-12", "s390x")
                   ENTRY("stable", "x86_64"));
    world_text(world, "b", ENTRY("debian-12", "aarch64") ENTRY("fedora-40", "x86_64"));
    _cleanup_free_ char *a = world_path(world, "a"), *b = world_path(world, "b");
    repo_list_add(&shop.repos, a, NULL, NULL);
    load(&shop, b, false);
    assert_int_equal(catalog_find(&shop.catalog, "debian", "x86_64", &source, &entry, NULL), 0);
    assert_string_equal(entry->id, "debian-12");
    assert_int_equal(catalog_find(&shop.catalog, "stable", "x86_64", &source, &entry, NULL), 0);
    assert_string_equal(entry->id, "stable");
    assert_int_equal(catalog_find(&shop.catalog, "debian-12", "aarch64", &source, &entry, NULL), 0);
    assert_ptr_equal(source, &shop.catalog.sources[1]);

    struct error *err = NULL;
    expect_refusal(catalog_find(&shop.catalog, "debian-12", "riscv64", &source, &entry, &err),
                   -ENOENT, &err, "debian-12: not found for riscv64 in any repository",
                   "it is there for x86_64, s390x, aarch64: see --arch");
    expect_refusal(catalog_find(&shop.catalog, "fedroa-40", "x86_64", &source, &entry, &err),
                   -ENOENT, &err, "fedroa-40: not found", "did you mean: fedora-40?");
    expect_refusal(catalog_find(&shop.catalog, "debian-13", "x86_64", &source, &entry, &err),
                   -ENOENT, &err, "debian-13: not found", "did you mean: debian-12?");
    expect_refusal(catalog_find(&shop.catalog, "windows", "x86_64", &source, &entry, &err), -ENOENT,
                   &err, "windows: not found", "'kiln list' shows");
    expect_refusal(catalog_find(&shop.catalog, "\x1b[2J", "x86_64", &source, &entry, &err), -ENOENT,
                   &err, "\\x1b[2J: not found", NULL);
}

/* A shop whose one image, of 10000 bytes, is a file of this machine. */
static void open_with_local_image(struct shop *shop, struct world *world)
{
    _cleanup_free_ char *index = local_index(world);
    shop_open(shop, world);
    publish(world, 10000, NULL);
    load(shop, index, false);
}

static void a_local_image_is_expanded_where_it_lies(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct fetch_result result;
    _cleanup_shop_ struct shop shop;
    open_with_local_image(&shop, world);
    expect_success(fetch(&shop, "disk", &result, &err), &err);
    assert_false(result.cached);
    expect_contents(result.fd, 10000);
    close(result.fd);
    assert_int_equal(entries_in(world, "download"), 0);
    /* From now on neither the repository nor the expansion is needed. */
    _cleanup_free_ char *image = world_path(world, "web/image");
    assert_int_equal(unlink(image), 0);
    expect_success(fetch(&shop, "disk", &result, &err), &err);
    assert_true(result.cached);
    expect_contents(result.fd, 10000);
    close(result.fd);
    assert_int_equal(shop.expansion.calls, 1);
}

static void an_image_that_is_not_the_stated_one_is_refused(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct fetch_result result;
    _cleanup_shop_ struct shop shop;
    open_with_local_image(&shop, world);
    world_text(world, "web/image", "something else");
    expect_refusal(fetch(&shop, "disk", &result, &err), -EBADMSG, &err,
                   "web/image: has another sha512 checksum than the index states", "try again");
    /* That is said, too, where the damage kept it from being expanded. */
    shop.expansion.fails = EINVAL;
    expect_refusal(fetch(&shop, "disk", &result, &err), -EBADMSG, &err, "another sha512 checksum",
                   NULL);
    publish(world, 10000, NULL);
    expect_refusal(fetch(&shop, "disk", &result, &err), -EINVAL, &err,
                   "web/image: cannot be expanded", NULL);
    shop.expansion.fails = ENOSPC;
    expect_refusal(fetch(&shop, "disk", &result, &err), -ENOSPC, &err, "disk: the cache /",
                   "kiln cache clear");
    assert_int_equal(entries_in(world, "base"), 0);
    _cleanup_free_ char *image = world_path(world, "web/image");
    assert_int_equal(unlink(image), 0);
    expect_refusal(fetch(&shop, "disk", &result, &err), -ENOENT, &err,
                   "web/image: cannot open: No such file", NULL);
}

static void a_download_that_breaks_is_resumed(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct fetch_result result;
    _cleanup_shop_ struct shop shop;
    shop_open(&shop, world);
    publish(world, 300000, NULL);
    world_serve(world);
    _cleanup_free_ char *index = str_printf(NULL, "%s/cut-once/40000/index", world->base);
    load(&shop, index, false);
    expect_success(fetch(&shop, "disk", &result, &err), &err);
    expect_contents(result.fd, 300000);
    close(result.fd);
    assert_int_equal(world_requests(world, "/image - 200"), 1);
    assert_int_equal(world_requests(world, "/image bytes=40000- 206"), 1);
}

static void a_download_of_a_run_before_is_resumed(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct fetch_result result;
    _cleanup_shop_ struct shop shop;
    shop_open(&shop, world);
    publish(world, 300000, NULL);
    world_serve(world);
    _cleanup_free_ char *index = str_printf(NULL, "%s/index", world->base);
    load(&shop, index, false);
    const char *key = shop.catalog.sources[0].index.entries[0].checksum[DIGEST_SHA512];
    _cleanup_free_ char *part = str_printf(NULL, "cache/download/%s.part", key);
    _cleanup_free_ char *bytes = contents_of(200000);
    world_write(world, part, bytes, 200000);
    expect_success(fetch(&shop, "disk", &result, &err), &err);
    expect_contents(result.fd, 300000);
    close(result.fd);
    assert_int_equal(world_requests(world, "/image bytes=200000- 206"), 1);
    assert_int_equal(world_requests(world, "/image "), 1);
    assert_int_equal(entries_in(world, "download"), 0);
}

/* Refused by the server in the end: what came so far waits for the next run. */
static void a_download_that_fails_is_kept(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct fetch_result result;
    _cleanup_shop_ struct shop shop;
    shop_open(&shop, world);
    publish(world, 300000, NULL);
    world_serve(world);
    _cleanup_free_ char *index = str_printf(NULL, "%s/index", world->base);
    _cleanup_free_ char *image = world_path(world, "web/image");
    load(&shop, index, false);
    const char *key = shop.catalog.sources[0].index.entries[0].checksum[DIGEST_SHA512];
    _cleanup_free_ char *part = str_printf(NULL, "cache/download/%s.part", key);
    world_text(world, part, "abc");
    assert_int_equal(unlink(image), 0);
    expect_refusal(fetch(&shop, "disk", &result, &err), -ENOENT, &err, "/image: not found", NULL);
    assert_int_equal(entries_in(world, "base"), 0);
    assert_int_equal(entries_in(world, "download"), 1);
}

static void a_prefix_of_another_edition_is_fetched_anew(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct fetch_result result;
    _cleanup_shop_ struct shop shop;
    shop_open(&shop, world);
    publish(world, 10000, NULL);
    world_serve(world);
    _cleanup_free_ char *index = str_printf(NULL, "%s/index", world->base);
    load(&shop, index, false);
    const char *key = shop.catalog.sources[0].index.entries[0].checksum[DIGEST_SHA512];
    _cleanup_free_ char *part = str_printf(NULL, "cache/download/%s.part", key);
    world_text(world, part, "of the edition before");
    expect_success(fetch(&shop, "disk", &result, &err), &err);
    expect_warning(world, "another sha512 checksum than the index states; downloading all of it");
    expect_contents(result.fd, 10000);
    close(result.fd);
    assert_int_equal(world_requests(world, "/image "), 2);
}

static void a_download_that_proves_wrong_is_not_kept(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct fetch_result result;
    _cleanup_shop_ struct shop shop;
    shop_open(&shop, world);
    publish(world, 10000, NULL);
    world_serve(world);
    _cleanup_free_ char *index = str_printf(NULL, "%s/index", world->base);
    load(&shop, index, false);
    world_text(world, "web/image", "<html>an error page with status 200</html>");
    expect_refusal(fetch(&shop, "disk", &result, &err), -EBADMSG, &err, "another sha512 checksum",
                   NULL);
    assert_int_equal(world_requests(world, "/image "), 1);
    publish(world, 10000, NULL);
    expect_success(fetch(&shop, "disk", &result, &err), &err);
    expect_contents(result.fd, 10000);
    close(result.fd);
    assert_int_equal(world_requests(world, "/image - 200"), 2);
}

static void two_processes_download_once(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct fetch_result result;
    _cleanup_shop_ struct shop shop;
    shop_open(&shop, world);
    publish(world, 30000, NULL);
    world_serve(world);
    _cleanup_free_ char *index = str_printf(NULL, "%s/slow/100000/index", world->base);
    load(&shop, index, false);
    pid_t child = fork();
    if (child == 0)
        _exit(fetch(&shop, "disk", &result, NULL) == 0 ? 0 : 1);
    expect_success(fetch(&shop, "disk", &result, &err), &err);
    expect_contents(result.fd, 30000);
    close(result.fd);
    int status = -1;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(world_requests(world, "/image "), 1);
}

static void images_without_checksum_are_taken_with_a_warning(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct fetch_result result, again;
    _cleanup_shop_ struct shop shop;
    _cleanup_free_ char *index = local_index(world);
    shop_open(&shop, world);
    publish(world, 1000, "revision=1\n");
    load(&shop, index, false);
    expect_success(fetch(&shop, "disk", &result, &err), &err);
    expect_warning(world, "web/image: the index states no checksum for it");
    close(result.fd);
    publish(world, 1000, "revision=2\n");
    load(&shop, NULL, false);
    expect_success(fetch(&shop, "disk", &again, &err), &err);
    assert_false(again.cached);
    assert_string_not_equal(again.key, result.key);
    close(again.fd);
}

static void old_images_are_verified_by_their_own_signatures(void **state)
{
    struct world *world = *state;
    struct error *err = NULL;
    struct fetch_result result;
    _cleanup_shop_ struct shop shop;
    _cleanup_free_ char *index = local_index(world), *image = world_path(world, "web/image");
    _cleanup_free_ char *key = world_path(world, "key");
    free(GPG(world, NULL, "--quick-gen-key", "good@example.org", "ed25519", "sign", "never"));
    free(GPG(world, NULL, "--output", key, "--export", "good"));
    shop_open(&shop, world);
    publish(world, 1000, "sig=image.sig\n");
    free(GPG(world, NULL, "--detach-sign", image));
    free(GPG(world, NULL, "--detach-sign", index));
    _cleanup_free_ char *conf = str_printf(NULL, "[r]\nuri=%s\ngpgkey=%s\n", index, key);
    assert_int_equal(repo_conf_parse(conf, strlen(conf), "r.conf", &shop.repos, NULL, NULL), 0);
    load(&shop, NULL, true);
    assert_null(world->warnings.data);
    world_text(world, "web/image", "something else");
    expect_refusal(fetch(&shop, "disk", &result, &err), -EBADMSG, &err, "web/image: BAD signature",
                   NULL);
    publish(world, 1000, "sig=image.sig\n");
    expect_success(fetch(&shop, "disk", &result, &err), &err);
    expect_contents(result.fd, 1000);
    close(result.fd);
    assert_null(world->warnings.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        world_test(repositories_that_fail_are_left_out_and_named),
        world_test(repositories_without_key_or_signature_are_refused),
        world_test(simplestreams_are_left_out_for_now),
        world_test(images_are_found_by_id_alias_and_arch),
        world_test(a_local_image_is_expanded_where_it_lies),
        world_test(an_image_that_is_not_the_stated_one_is_refused),
        world_test(a_download_that_breaks_is_resumed),
        world_test(a_download_of_a_run_before_is_resumed),
        world_test(a_download_that_fails_is_kept),
        world_test(a_prefix_of_another_edition_is_fetched_anew),
        world_test(a_download_that_proves_wrong_is_not_kept),
        world_test(two_processes_download_once),
        world_test(images_without_checksum_are_taken_with_a_warning),
        world_test(old_images_are_verified_by_their_own_signatures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
