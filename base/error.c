#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

struct error {
    int errnum;
    enum error_kind kind;
    char *message;
    char *hint;
};

/* Used where the allocation of the error itself fails. */
static struct error out_of_memory = {.errnum = ENOMEM, .message = (char *)"out of memory"};

/* What a caller that passes no err still gets to know: error_set() and error_hint() are called as
 * one statement after the other, and the latter's result is what is returned. */
static _Thread_local int last_errnum = EIO;

static int set(struct error **err, int errnum, char *message)
{
    last_errnum = errnum;
    if (!err) {
        free(message);
        return -errnum;
    }
    struct error *error = message ? calloc(1, sizeof(*error)) : NULL;
    if (!error) {
        free(message);
        *err = &out_of_memory;
        return -ENOMEM;
    }
    error->errnum = errnum;
    error->message = message;
    *err = error;
    return -errnum;
}

static _printf_(1, 0) char *format(const char *fmt, va_list args)
{
    char *text;
    return vasprintf(&text, fmt, args) < 0 ? NULL : text;
}

/* Returns "head: tail" in fresh memory and frees neither. */
static char *join(const char *head, const char *tail)
{
    char *text;
    return asprintf(&text, "%s: %s", head, tail) < 0 ? NULL : text;
}

int error_set(struct error **err, int errnum, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *message = err ? format(fmt, args) : NULL;
    va_end(args);
    return set(err, errnum, message);
}

/* EFBIG has two reasons, and strerror() names neither: the file system's limit or that of the
 * process, whose signal kiln ignores (setrlimit(2)). */
static const char *reason(int errnum)
{
    struct rlimit limit;
    if (errnum == EFBIG && getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        return "File larger than this process may write (ulimit -f)";
    return strerror(errnum);
}

int error_sys(struct error **err, int errnum, const char *fmt, ...)
{
    if (!err)
        return set(err, errnum, NULL);
    va_list args;
    va_start(args, fmt);
    _cleanup_free_ char *what = format(fmt, args);
    va_end(args);
    return set(err, errnum, what ? join(what, reason(errnum)) : NULL);
}

int error_oom(struct error **err)
{
    last_errnum = ENOMEM;
    if (err)
        *err = &out_of_memory;
    return -ENOMEM;
}

/* A message that begins with the context names the object already. */
static bool has_context(const char *message, const char *context)
{
    size_t length = strlen(context);
    return strncmp(message, context, length) == 0 && strncmp(message + length, ": ", 2) == 0;
}

int error_wrap(struct error **err, const char *fmt, ...)
{
    if (!err || !*err)
        return -last_errnum;
    struct error *error = *err;
    if (error == &out_of_memory)
        return -ENOMEM;
    va_list args;
    va_start(args, fmt);
    _cleanup_free_ char *context = format(fmt, args);
    va_end(args);
    bool repeats = context && has_context(error->message, context);
    char *message = context && !repeats ? join(context, error->message) : NULL;
    if (message) {
        free(error->message);
        error->message = message;
    }
    return -error->errnum;
}

int error_hint(struct error **err, const char *fmt, ...)
{
    if (!err || !*err)
        return -last_errnum;
    struct error *error = *err;
    if (error == &out_of_memory || error->hint)
        return -error->errnum;
    va_list args;
    va_start(args, fmt);
    error->hint = format(fmt, args);
    va_end(args);
    return -error->errnum;
}

int error_set_kind(struct error **err, enum error_kind kind)
{
    if (!err || !*err)
        return -last_errnum;
    /* Shared, and never wrong usage. */
    if (*err != &out_of_memory)
        (*err)->kind = kind;
    return -(*err)->errnum;
}

int error_move(struct error **dst, struct error *src)
{
    if (!src)
        return 0;
    int r = -src->errnum;
    if (dst)
        *dst = src;
    else
        error_free(src);
    return r;
}

const char *error_message(const struct error *error)
{
    return error ? error->message : "unknown error";
}

const char *error_remedy(const struct error *error)
{
    return error ? error->hint : NULL;
}

enum error_kind error_kind(const struct error *error)
{
    return error ? error->kind : ERROR_FAILURE;
}

int error_errno(const struct error *error)
{
    return error ? error->errnum : EIO;
}

void error_free(struct error *error)
{
    if (!error || error == &out_of_memory)
        return;
    free(error->message);
    free(error->hint);
    free(error);
}

void error_clear(struct error **err)
{
    if (!err)
        return;
    error_free(*err);
    *err = NULL;
}
