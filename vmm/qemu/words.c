#include "vmm/qemu/words.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "base/str.h"
#include "vmm/qemu/args.h"

void qemu_words_take(struct qemu_words *words, const char *bytes, size_t count)
{
    if (count > QEMU_WORDS_MAX) {
        bytes += count - QEMU_WORDS_MAX;
        count = QEMU_WORDS_MAX;
    }
    size_t excess = words->length + count;
    excess = excess > QEMU_WORDS_MAX ? excess - QEMU_WORDS_MAX : 0;
    memmove(words->text, words->text + excess, words->length - excess);
    words->length -= excess;
    memcpy(words->text + words->length, bytes, count);
    words->length += count;
    words->text[words->length] = 0;
}

char *qemu_words_printable(struct qemu_words *words)
{
    _cleanup_free_ char *printable = str_printable(str_strip(words->text));
    return str_empty(printable) ? strdup("no output") : TAKE_PTR(printable);
}

/* Known error messages (all texts of a row occur), and their remedies. */
static const struct {
    const char *words[2];
    int errnum;
    const char *message;
    const char *remedy;
} complaints[] = {
    {{"Failed to get", "lock"},
     EBUSY,
     "the image is in use",
     "shut down the virtual machine that uses it, or work on a copy"},
    {{"Could not set up host forwarding rule", ""},
     EADDRINUSE,
     "--forward: the port of the host cannot be bound",
     "choose one that is free, and not below 1024 unless you are root"},
    {{"unable to map backing store", ""},
     ENOMEM,
     "--hugepages: the host has too few of them",
     "reserve more, for example: sysctl vm.nr_hugepages=N (2 MiB each)"},
};

int qemu_words_explain(struct qemu_words *words, int status, struct error **err)
{
    _cleanup_free_ char *text = qemu_words_printable(words);
    if (!text)
        return error_oom(err);
    for (size_t i = 0; i < ARRAY_SIZE(complaints); i++) {
        if (!strstr(text, complaints[i].words[0]) || !strstr(text, complaints[i].words[1]))
            continue;
        error_set(err, complaints[i].errnum, "%s: %s", complaints[i].message, text);
        return error_hint(err, "%s", complaints[i].remedy);
    }
    if (WIFSIGNALED(status))
        return error_set(err, EIO, "%s was killed by signal %d (%s)", qemu_program,
                         WTERMSIG(status), text);
    return error_set(err, EIO, "%s ended with status %d (%s)", qemu_program, WEXITSTATUS(status),
                     text);
}
