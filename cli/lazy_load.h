/* Loads libraries when they are first needed; see lazy_stubs.S. */
#pragma once

/* Fills the slots of the library that `slot` belongs to. Ends the process, as the dynamic linker
 * would, when the library is not there or lacks a function. For the stubs alone. */
void lazy_load(void **slot);
