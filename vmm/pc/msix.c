#include "vmm/pc/msix.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct vector {
    uint64_t address;
    uint32_t data;
    bool masked;
    bool routed; /* hooks know the eventfd, with these: */
    uint64_t routed_address;
    uint32_t routed_data;
    int event;
};

struct msix {
    struct machine_hooks *hooks;
    unsigned count;
    pthread_mutex_t lock;
    bool enabled, masked;
    uint64_t pending;
    struct vector vectors[MSIX_VECTORS_MAX];
};
_Static_assert(MSIX_VECTORS_MAX <= 64, "one word holds the pending bits");
_Static_assert(MSIX_VECTORS_MAX *MSIX_ENTRY_SIZE <= MSIX_PBA, "the table ends before them");

enum { VECTOR_MASKED = 1 };

int msix_new(struct machine_hooks *hooks, unsigned vectors, struct msix **ret, struct error **err)
{
    struct msix *msix = calloc(1, sizeof(*msix));
    if (!msix)
        return error_oom(err);
    msix->hooks = hooks;
    pthread_mutex_init(&msix->lock, NULL);
    for (; msix->count < vectors; msix->count++) {
        int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (event < 0) {
            int r = error_sys(err, errno, "cannot make an event descriptor for an interrupt");
            msix_free(msix);
            return r;
        }
        msix->vectors[msix->count] = (struct vector){.event = event, .masked = true};
    }
    *ret = msix;
    return 0;
}

void msix_free(struct msix *msix)
{
    if (!msix)
        return;
    msix_reset(msix);
    for (unsigned i = 0; i < msix->count; i++)
        close(msix->vectors[i].event);
    pthread_mutex_destroy(&msix->lock);
    free(msix);
}

unsigned msix_vectors(const struct msix *msix)
{
    return msix->count;
}

/* Tells the machine where the interrupt goes, before it may come. With the lock. */
static void route(struct msix *msix, struct vector *vector)
{
    if (vector->routed && vector->routed_address == vector->address &&
        vector->routed_data == vector->data)
        return;
    vector->routed =
        msix->hooks->msi_set(msix->hooks, vector->event, vector->address, vector->data, NULL) == 0;
    vector->routed_address = vector->address;
    vector->routed_data = vector->data;
}

/* After any change: routes the vectors that may fire now, and fires those that waited for it. With
 * the lock. */
static void settle(struct msix *msix, unsigned first, unsigned count)
{
    if (!msix->enabled || msix->masked)
        return;
    for (unsigned i = first; i < first + count; i++) {
        struct vector *vector = &msix->vectors[i];
        if (vector->masked)
            continue;
        route(msix, vector);
        if (msix->pending & UINT64_C(1) << i) {
            msix->pending &= ~(UINT64_C(1) << i);
            eventfd_write(vector->event, 1);
        }
    }
}

void msix_set_control(struct msix *msix, uint16_t control)
{
    pthread_mutex_lock(&msix->lock);
    msix->enabled = control & MSIX_ENABLE;
    msix->masked = control & MSIX_FUNCTION_MASK;
    settle(msix, 0, msix->count);
    pthread_mutex_unlock(&msix->lock);
}

/* One of the four words of an entry. */
static uint32_t word_read(const struct vector *vector, unsigned word)
{
    switch (word) {
    case 0:
        return (uint32_t)vector->address;
    case 1:
        return (uint32_t)(vector->address >> 32);
    case 2:
        return vector->data;
    default:
        return vector->masked ? VECTOR_MASKED : 0;
    }
}

static void word_write(struct vector *vector, unsigned word, uint32_t value)
{
    switch (word) {
    case 0:
        vector->address = (vector->address & ~(uint64_t)UINT32_MAX) | (value & ~UINT32_C(3));
        break;
    case 1:
        vector->address = (vector->address & UINT32_MAX) | (uint64_t)value << 32;
        break;
    case 2:
        vector->data = value;
        break;
    default:
        vector->masked = value & VECTOR_MASKED;
        break;
    }
}

/* With the lock. */
static uint32_t region_read(const struct msix *msix, uint64_t offset)
{
    if (offset / MSIX_ENTRY_SIZE < msix->count)
        return word_read(&msix->vectors[offset / MSIX_ENTRY_SIZE], offset / 4 % 4);
    if (offset == MSIX_PBA)
        return (uint32_t)msix->pending;
    if (offset == MSIX_PBA + 4)
        return (uint32_t)(msix->pending >> 32);
    return 0;
}

/* §6.8.2: accesses are of whole aligned words, or of two. */
static bool access_allowed(uint64_t offset, unsigned size)
{
    return (size == 4 || size == 8) && offset % size == 0;
}

uint64_t msix_read(struct msix *msix, uint64_t offset, unsigned size)
{
    if (!access_allowed(offset, size))
        return UINT64_MAX;
    pthread_mutex_lock(&msix->lock);
    uint64_t value = region_read(msix, offset);
    if (size == 8)
        value |= (uint64_t)region_read(msix, offset + 4) << 32;
    pthread_mutex_unlock(&msix->lock);
    return value;
}

void msix_write(struct msix *msix, uint64_t offset, unsigned size, uint64_t value)
{
    unsigned index = (unsigned)(offset / MSIX_ENTRY_SIZE);
    if (!access_allowed(offset, size) || index >= msix->count)
        return;
    pthread_mutex_lock(&msix->lock);
    word_write(&msix->vectors[index], offset / 4 % 4, (uint32_t)value);
    if (size == 8)
        word_write(&msix->vectors[index], offset / 4 % 4 + 1, (uint32_t)(value >> 32));
    settle(msix, index, 1);
    pthread_mutex_unlock(&msix->lock);
}

void msix_reset(struct msix *msix)
{
    pthread_mutex_lock(&msix->lock);
    msix->enabled = msix->masked = false;
    msix->pending = 0;
    for (unsigned i = 0; i < msix->count; i++) {
        struct vector *vector = &msix->vectors[i];
        if (vector->routed)
            msix->hooks->msi_clear(msix->hooks, vector->event);
        *vector = (struct vector){.event = vector->event, .masked = true};
    }
    pthread_mutex_unlock(&msix->lock);
}

void msix_signal(struct msix *msix, unsigned vector)
{
    if (vector >= msix->count)
        return;
    pthread_mutex_lock(&msix->lock);
    if (msix->enabled && !msix->masked && !msix->vectors[vector].masked)
        eventfd_write(msix->vectors[vector].event, 1);
    else if (msix->enabled)
        msix->pending |= UINT64_C(1) << vector;
    pthread_mutex_unlock(&msix->lock);
}
