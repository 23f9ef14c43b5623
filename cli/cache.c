#include "repos/cache.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/commands.h"
#include "cli/json.h"

struct cache_arguments {
    const char *cache;
    bool json;
};

static const struct cli_option cache_options[] = {
    {"cache", 0, OPTION_STRING, offsetof(struct cache_arguments, cache), "DIR",
     "the cache to look at", "$XDG_CACHE_HOME/kiln"},
    {"json", 0, OPTION_FLAG, offsetof(struct cache_arguments, json), NULL, "print the list as JSON",
     NULL},
    CLI_OPTIONS_END,
};

static int print_json(const struct cache_listing *listing, const char *directory,
                      struct error **err)
{
    json_t *items = json_array();
    for (size_t i = 0; i < listing->count; i++) {
        const struct cache_item *item = &listing->items[i];
        json_array_append_new(
            items, json_pack("{s:o, s:o, s:I, s:I, s:I, s:b}", "key", json_text(item->key), "label",
                             json_text(item->label), "size", (json_int_t)item->size, "allocated",
                             (json_int_t)item->allocated, "last_used", (json_int_t)item->last_used,
                             "partial", item->partial));
    }
    return json_print(json_pack("{s:o, s:o}", "directory", json_text(directory), "items", items),
                      err);
}

static void print_text(const struct cache_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        const struct cache_item *item = &listing->items[i];
        _cleanup_free_ char *label = str_printable(item->label);
        char size[16], allocated[16], day[16] = "?";
        time_t used = (time_t)item->last_used;
        struct tm when;
        if (localtime_r(&used, &when))
            strftime(day, sizeof(day), "%Y-%m-%d", &when);
        printf("%.16s  %-24s %6s of %-6s %s%s\n", item->key, str_empty(label) ? "?" : label,
               format_size(item->allocated, allocated), format_size(item->size, size), day,
               item->partial ? "  unfinished download" : "");
    }
}

static int show(const struct cache_arguments *arguments, struct cache *cache, struct error **err)
{
    struct cache_listing listing = {0};
    int r = cache_list(cache, &listing, err);
    if (r == 0 && arguments->json)
        r = print_json(&listing, cache_directory(cache), err);
    else if (r == 0)
        print_text(&listing);
    cache_listing_free(&listing);
    return r;
}

/* The one entry whose key begins with the text, so that the short form that `kiln cache` prints
 * serves. */
static int find_key(struct cache *cache, const char *prefix, char **ret, struct error **err)
{
    struct cache_listing listing = {0};
    int r = cache_list(cache, &listing, err);
    const char *found = NULL;
    size_t matches = 0;
    for (size_t i = 0; r == 0 && i < listing.count; i++) {
        if (!str_starts(listing.items[i].key, prefix))
            continue;
        /* A base image and its unfinished download may share a key. */
        matches += !found || strcmp(found, listing.items[i].key) != 0;
        found = listing.items[i].key;
    }
    if (r == 0 && (matches != 1 || !*prefix)) {
        error_set(err, ENOENT, "%s: %s entry of the cache", prefix,
                  matches ? "is short for more than one" : "is no");
        r = error_hint(err, "'kiln cache' lists them");
    } else if (r == 0) {
        r = str_replace(ret, found, err);
    }
    cache_listing_free(&listing);
    return r;
}

static int discard(struct cli *cli, struct cache *cache, const char *prefix, struct error **err)
{
    _cleanup_free_ char *key = NULL;
    uint64_t freed = 0;
    char size[16];
    int r = prefix ? find_key(cache, prefix, &key, err) : 0;
    if (r == 0)
        r = cache_remove(cache, key, &freed, err);
    if (r == 0 && !cli->quiet)
        printf("%s freed\n", format_size(freed, size));
    return r;
}

static int cache_run(struct cli *cli, const void *opaque, struct error **err)
{
    const struct cache_arguments *arguments = opaque;
    const char *verb = cli->operand_count ? cli->operands[0] : "list";
    const char *key = cli->operand_count > 1 ? cli->operands[1] : NULL;
    bool removes = strcmp(verb, "remove") == 0;
    if (removes != (key != NULL))
        return removes ? cli_usage(err, "'remove' needs the KEY of an entry")
                       : cli_usage(err, "'%s' is one argument too many", key);
    _cleanup_(cache_closep) struct cache *cache = NULL;
    int r = cache_open(arguments->cache, &cache, err);
    if (r < 0)
        return r;
    if (strcmp(verb, "list") == 0)
        return show(arguments, cache, err);
    if (strcmp(verb, "path") == 0)
        return puts(cache_directory(cache)) < 0;
    if (removes || strcmp(verb, "clear") == 0)
        return discard(cli, cache, key, err);
    return cli_usage(err, "'%s' is not a command of kiln cache: list, path, clear or remove", verb);
}

const struct cli_command cache_command = {
    .name = "cache",
    .summary = "show or empty the cache of base images",
    .operands = "[list | path | clear | remove KEY]",
    .description = "Lists the expanded base images that make later builds quick, tells where they "
                   "lie, or removes them. Images that a build is just fetching are left alone.",
    .example = "kiln cache clear",
    .options = cache_options,
    .max_operands = 2,
    .arguments_size = sizeof(struct cache_arguments),
    .run = cache_run,
};
