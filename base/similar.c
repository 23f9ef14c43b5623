#include "base/similar.h"

#include <limits.h>
#include <string.h>

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

unsigned edit_distance(const char *a, const char *b)
{
    unsigned row[SIMILAR_NAME_MAX + 1];
    size_t length = strlen(b);
    if (strlen(a) > SIMILAR_NAME_MAX || length > SIMILAR_NAME_MAX)
        return UINT_MAX;
    for (unsigned j = 0; j <= length; j++)
        row[j] = j;
    for (unsigned i = 1; a[i - 1]; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= length; j++) {
            unsigned above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[length];
}

struct similar similar_to(const char *wanted)
{
    size_t half = strlen(wanted) / 2;
    return (struct similar){.wanted = wanted, .nearest = half < 3 ? (unsigned)half : 3};
}

void similar_offer(struct similar *similar, const char *prefix, const char *name)
{
    bool within = strlen(similar->wanted) >= 3 && strstr(name, similar->wanted);
    unsigned apart = within ? 0 : edit_distance(similar->wanted, name);
    if (apart > similar->nearest)
        return;
    if (apart < similar->nearest)
        str_free(&similar->names);
    similar->nearest = apart;
    str_appendf(&similar->names, "%s%s%s", similar->names.length > 0 ? ", " : "", prefix, name);
}

char *similar_take(struct similar *similar, struct error **err)
{
    return str_take(&similar->names, err);
}
