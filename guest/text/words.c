#include "guest/text/words.h"

#include <stdlib.h>
#include <string.h>

/* Longer texts get a block of their own. */
static const size_t block_size = 65536;

struct words_block {
    struct words_block *before;
    size_t used, size;
    char text[];
};

static struct words_block *new_block(struct words *words, size_t needed)
{
    size_t size = needed > block_size ? needed : block_size;
    struct words_block *block = malloc(sizeof(*block) + size);
    if (!block)
        return NULL;
    *block = (struct words_block){.before = words->last, .size = size};
    words->last = block;
    return block;
}

char *words_add(struct words *words, const char *text, struct error **err)
{
    size_t needed = strlen(text) + 1;
    struct words_block *block = words->last;
    if (!block || block->size - block->used < needed)
        block = new_block(words, needed);
    if (!block) {
        error_oom(err);
        return NULL;
    }
    char *copy = block->text + block->used;
    memcpy(copy, text, needed);
    block->used += needed;
    return copy;
}

void words_free(struct words *words)
{
    while (words->last) {
        struct words_block *block = words->last;
        words->last = block->before;
        explicit_bzero(block->text, block->used);
        free(block);
    }
}
