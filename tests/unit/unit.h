/* cmocka, with the standard headers that it wants before itself. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Comes last: it uses the types of those above. */
#include <cmocka.h>
