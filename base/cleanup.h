/*
 * Scope-bound ownership. A variable marked _cleanup_(fn) is released when it goes out of scope;
 * ownership leaves it only through TAKE_PTR() or TAKE_FD().
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(fn)       __attribute__((cleanup(fn)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))

/* Hands the value over and leaves NULL (or -1) behind, so that the cleanup has nothing to do. */
#define TAKE_PTR(ptr)                                                                              \
    ({                                                                                             \
        __typeof__(ptr) *take_ptr_ = &(ptr);                                                       \
        __typeof__(ptr) taken_ = *take_ptr_;                                                       \
        *take_ptr_ = NULL;                                                                         \
        taken_;                                                                                    \
    })
#define TAKE_FD(fd)                                                                                \
    ({                                                                                             \
        int *take_fd_ = &(fd);                                                                     \
        int taken_ = *take_fd_;                                                                    \
        *take_fd_ = -1;                                                                            \
        taken_;                                                                                    \
    })

/* Defines FN##p(), the form that _cleanup_() wants, for a destructor FN(TYPE) that accepts NULL. */
#define DEFINE_CLEANUP(type, fn)                                                                   \
    static inline void fn##p(type *slot)                                                           \
    {                                                                                              \
        fn(*slot);                                                                                 \
    }                                                                                              \
    _Static_assert(1, "a semicolon follows DEFINE_CLEANUP")

static inline void cleanup_free(void *slot)
{
    free(*(void **)slot);
}

static inline void cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

#define _cleanup_free_  _cleanup_(cleanup_free)
#define _cleanup_close_ _cleanup_(cleanup_close)

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
