/*
 * The index of a repository in virt-builder's native format: sections "[os-version]" of
 * "field[subfield]=value" lines with continuation lines (virt-builder(1), "CREATING AND SIGNING THE
 * INDEX FILE").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/report.h"

/* A text in a language: notes[de]=. */
struct index_text {
    char *language; /* "" for the plain field */
    char *text;
};

struct index_entry {
    char *id;   /* section name, "debian-12" */
    char *name; /* long name; NULL: not given */
    char *osinfo;
    char *arch;               /* as virt-builder spells it: "x86_64"; never NULL */
    char *file;               /* relative to the index's URI, never outside of its directory */
    char *sig;                /* detached signature of the file, likewise; NULL: none */
    char *checksum[2];        /* lower-case hex by enum digest_kind, NULL: not given */
    uint64_t revision;        /* 1 where it is not given */
    char *format;             /* of the uncompressed image, "raw"; NULL: not given */
    uint64_t size;            /* virtual size in bytes */
    uint64_t compressed_size; /* bytes, for information only; 0: not given */
    char *expand;             /* "/dev/sda3"; NULL: not given */
    char *lvexpand;           /* NULL: not given */
    struct index_text *notes;
    size_t note_count;
    char **aliases; /* NULL-terminated, or NULL */
    bool hidden;    /* not shown by `kiln list` */
    unsigned line;  /* of its section header */
};

struct index {
    struct index_entry *entries;
    size_t count;
};

/*
 * Parses an index that was verified; the armor of a clear-signed one, where its signature was not
 * to be checked, is skipped. CRLF, comments, blank lines inside a section and unknown fields are
 * fine. An entry is left out, with a warning that has name:line, for: a line over 64 KiB, bad
 * numbers, a field twice, the same id and arch as an entry before, no arch, file or size, a file
 * that climbs out of the repository ("..") or is absolute, a checksum of the wrong length. -EINVAL
 * with the first of these where nothing is left, and for more than 65,536 entries.
 */
int index_parse(const char *text, size_t size, const char *name, struct reporter *reporter,
                struct index *ret, struct error **err);
void index_free(struct index *index);
#define _cleanup_index_ _cleanup_(index_free)

/* The text in the language of the locale ("de_DE.UTF-8" matches "de_DE", then "de"), else the plain
 * one, else NULL. */
const char *index_note(const struct index_entry *entry, const char *locale);
