/*
 * The one error contract of kiln.
 *
 * A function that can fail returns 0 (or a pointer) on success and a negative errno (or NULL) on
 * failure, and describes the failure through its last parameter, `struct error **err`. Each level
 * may wrap the message with its own context. `err` may be NULL: the caller wants only the code.
 * `*err` must be NULL on entry. Library code never prints and never exits.
 *
 * A message says what failed and on which object; the hint says what to do about it.
 */
#pragma once

#include "base/cleanup.h"

struct error;

enum {
    /*
     * The errno of a refusal on trust: an image names what it must not (image/check.h). No call of
     * the system returns it, since Linux ends at 4095, and no fallback may take it: another engine
     * or runner would follow the very name that was refused.
     */
    EUNTRUSTED = 5001,
    /* Of a commit that was not made and could not be taken back either (image/commit.h): nobody may
     * call the image unchanged. */
    ETORN = 5002,
};

/* Sets *err to the formatted message. Returns -errnum, so that callers can `return error_set()`. */
int error_set(struct error **err, int errnum, const char *fmt, ...) _printf_(3, 4);

/* As error_set(), with ": " and strerror(errnum) appended. */
int error_sys(struct error **err, int errnum, const char *fmt, ...) _printf_(3, 4);

/* Out of memory. Returns -ENOMEM. */
int error_oom(struct error **err);

/* Puts "context: " before the message of *err. Returns the negative errno of *err; where err is
 * NULL, that of this thread's last error_set(), error_sys() or error_oom(). */
int error_wrap(struct error **err, const char *fmt, ...) _printf_(2, 3);

/* Sets the remedy, shown on a line of its own behind the message: in lower case, without a full
 * stop. An existing hint stays: the function nearest to the failure has the most specific one.
 * Returns what error_wrap() returns. */
int error_hint(struct error **err, const char *fmt, ...) _printf_(2, 3);

/* What a failure means to whoever handles it, beside its errno. */
enum error_kind {
    ERROR_FAILURE, /* what was asked for could not be done */
    ERROR_USAGE,   /* what was asked for is not an option, operand or combination of these */
};

/* Makes *err one of that kind; the kind stays when it is wrapped or moved. Returns what
 * error_wrap() returns. */
int error_set_kind(struct error **err, enum error_kind kind);

/* Moves src (may be NULL) into *dst; frees src when the caller of dst does not want it. Returns the
 * negative errno that src carried, or 0 when src is NULL. */
int error_move(struct error **dst, struct error *src);

const char *error_message(const struct error *error);  /* never NULL */
const char *error_remedy(const struct error *error);   /* the hint, or NULL */
int error_errno(const struct error *error);            /* positive errno */
enum error_kind error_kind(const struct error *error); /* NULL: ERROR_FAILURE */

void error_free(struct error *error);

/* Frees *err and sets it to NULL: the failure was handled. */
void error_clear(struct error **err);

DEFINE_CLEANUP(struct error *, error_free);

#define _cleanup_error_ _cleanup_(error_freep)
