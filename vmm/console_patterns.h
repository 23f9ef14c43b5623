/* What lines of a console mean. Private to vmm/. */
#pragma once

#include <stdbool.h>

#include "vmm/verdict.h"

enum console_event {
    CONSOLE_NOTHING,
    CONSOLE_FATAL,            /* the boot ended badly; the verdict says how */
    CONSOLE_LOGIN,            /* a login prompt, or the prompt of a shell */
    CONSOLE_CLOUD_WARNING,    /* cloud-init goes on, but something was not as asked */
    CONSOLE_CLOUD_MODULE,     /* a module failed: cloud-init goes on, and will report an error */
    CONSOLE_CLOUD_STAGE,      /* a whole stage failed */
    CONSOLE_CLOUD_FINISHED,   /* the last stage has run */
    CONSOLE_CLOUD_SOURCELESS, /* the same, without any data source */
};

struct console_sign {
    enum console_event event;
    enum vm_verdict verdict; /* CONSOLE_FATAL only */
};

/* `line` is free of escape sequences. `unfinished`: the cursor is at its end, which is how prompts
 * are told from text. */
struct console_sign console_sign_of(const char *line, bool unfinished);
