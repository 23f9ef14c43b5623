/* cmocka, with the standard headers that it wants before itself. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Comes last: it uses the types of those above. */
#include <cmocka.h>

/* Skips the test that is running, and tells tests/run why: cmocka's TAP has no place for that. */
#define skip_because(reason)                                                                       \
    do {                                                                                           \
        print_message("# SKIP: %s\n", reason);                                                     \
        skip();                                                                                    \
    } while (0)
