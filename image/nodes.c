#include "image/nodes.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"

/* NULL: out of memory, or a name that JSON cannot have. */
static json_t *file_node(const struct image_layer *layer, bool caller_locks, struct error **err)
{
    /* /proc/self is another process there. */
    bool by_path = layer->format == IMAGE_VMDK && !str_starts(layer->path, "/proc/self/");
    json_t *name = by_path ? json_string(layer->path)
                           : json_sprintf("/proc/%ld/fd/%d", (long)getpid(), layer->fd);
    if (!name) {
        error_set(err, EILSEQ, "%s: QEMU opens only VMDK images whose names are UTF-8",
                  layer->path);
        return NULL;
    }
    json_t *node =
        json_pack("{s:s, s:o}", "driver", layer->device ? "host_device" : "file", "filename", name);
    if (caller_locks)
        json_object_set_new(node, "locking", json_string("off"));
    return node;
}

static json_t *layer_node(const struct image_layer *layer, bool caller_locks, struct error **err)
{
    json_t *file = file_node(layer, caller_locks, err);
    if (!file)
        return NULL;
    const char *driver = layer->window ? "raw" : image_format_name(layer->format);
    json_t *node = json_pack("{s:s, s:o}", "driver", driver, "file", file);
    if (layer->window)
        json_object_set_new(node, "size", json_integer((json_int_t)layer->window));
    return node;
}

/* From the lowest layer up. */
static json_t *chain_node(const struct image_chain *chain, bool caller_locks, struct error **err)
{
    json_t *below = json_null();
    for (size_t i = chain->count; below && i-- > 0;) {
        const struct image_layer *layer = &chain->layers[i];
        json_t *node = layer_node(layer, caller_locks, err);
        if (node && layer->format != IMAGE_RAW && !layer->window)
            json_object_set(node, "backing", below);
        json_decref(below);
        below = node;
    }
    return below;
}

char *image_nodes(const struct image_chain *chain, const struct image_node_options *options,
                  struct error **err)
{
    json_t *node = chain_node(chain, options->caller_locks, err);
    if (!node)
        return NULL;
    json_object_set_new(node, "read-only", json_boolean(!options->writable));
    if (options->writable)
        json_object_set_new(node, "discard", json_string("unmap"));
    if (options->name)
        json_object_set_new(node, "node-name", json_string(options->name));
    char *json = json_dumps(node, JSON_COMPACT);
    json_decref(node);
    char *text = json ? str_printf(err, "%s%s", options->file_name ? "json:" : "", json) : NULL;
    if (!json)
        error_oom(err);
    free(json);
    return text;
}
