/* QEMU's own standard error: kept for the case that it fails. Private to vmm/. */
#pragma once

#include <stddef.h>

#include "base/error.h"

enum { QEMU_WORDS_MAX = 4096 }; /* the end is kept */

/* Zero-initialise. */
struct qemu_words {
    char text[QEMU_WORDS_MAX + 1];
    size_t length;
};

void qemu_words_take(struct qemu_words *words, const char *bytes, size_t count);
/* Fit to be shown. Caller frees; NULL: out of memory. */
char *qemu_words_printable(struct qemu_words *words);
/* Why QEMU ended by itself, as an error. `status` is as waitpid() stores it. */
int qemu_words_explain(struct qemu_words *words, int status, struct error **err);
