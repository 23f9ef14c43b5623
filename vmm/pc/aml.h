/*
 * Writes ACPI Machine Language (ACPI 6.4, §20.2): the few terms that a small machine needs. Terms
 * with a length of their own are begun and ended; the length is filled in at the end. Private to
 * vmm/.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Where a term began. */
struct aml_mark {
    size_t offset;
};

/* Names are one segment of four characters, or a root-relative "\\_S5_". */
void aml_name(struct str *out, const char *name);   /* Name (name, ...): the object follows */
void aml_integer(struct str *out, uint64_t value);  /* the shortest form */
void aml_string(struct str *out, const char *text); /* ASCII */
void aml_eisa_id(struct str *out, const char *id);  /* EisaId ("PNP0A03"), §19.3.4 */

struct aml_mark aml_begin_scope(struct str *out, const char *name);
struct aml_mark aml_begin_device(struct str *out, const char *name);
struct aml_mark aml_begin_package(struct str *out, uint8_t count);
struct aml_mark aml_begin_method(struct str *out, const char *name, uint8_t arguments);
void aml_end(struct str *out, struct aml_mark mark);
void aml_notify(struct str *out, const char *name, uint8_t value); /* Notify (name, value) */

/* A resource template: descriptors follow. */
struct aml_mark aml_begin_resources(struct str *out);
void aml_end_resources(struct str *out, struct aml_mark mark);

/* Descriptors, §6.4. */
void aml_io(struct str *out, uint16_t address, uint8_t size);
void aml_irq(struct str *out, unsigned irq); /* edge triggered, active high, 0 to 15 */
void aml_memory32(struct str *out, uint32_t address, uint32_t size);
/* What a bridge hands down to what is behind it. */
void aml_bus_window(struct str *out, uint16_t first, uint16_t last);
void aml_memory32_window(struct str *out, uint32_t address, uint32_t size);
void aml_memory64_window(struct str *out, uint64_t address, uint64_t size);
