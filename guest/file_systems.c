#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/engine.h"

static void item_free(struct guest_file_system *item)
{
    free(item->device);
    free(item->type);
    free(item->label);
    free(item->uuid);
    strv_free(&item->mount_points);
}

void guest_file_systems_free(struct guest_file_systems *list)
{
    for (size_t i = 0; i < list->count; i++)
        item_free(&list->items[i]);
    free(list->items);
    *list = (struct guest_file_systems){0};
}

struct guest_file_system *guest_file_systems_add(struct guest_file_systems *list,
                                                 const struct guest_file_system *item,
                                                 struct error **err)
{
    struct guest_file_system *items = reallocarray(list->items, list->count + 1, sizeof(*items));
    if (items)
        list->items = items;
    struct guest_file_system copy = {
        .device = strdup(item->device),
        .type = strdup(item->type),
        .label = str_printable(item->label),
        .uuid = strdup(item->uuid),
        .size = item->size,
    };
    if (!items || !copy.device || !copy.type || !copy.label || !copy.uuid) {
        item_free(&copy);
        error_oom(err);
        return NULL;
    }
    items[list->count] = copy;
    return &items[list->count++];
}

int guest_file_systems(struct guest *guest, struct guest_file_systems *ret, struct error **err)
{
    _cleanup_file_systems_ struct guest_file_systems list = {0};
    int r = guest->ops->file_systems ? guest->ops->file_systems(guest, &list, err) : 0;
    if (r < 0)
        return r;
    *ret = list;
    list = (struct guest_file_systems){0};
    return 0;
}
