/*
 * The line syntax that indexes and repository definitions share: "[section]", "field=value",
 * "field[subfield]=value", continuation lines that begin with a blank, comments that begin with
 * "#" (virt-builder(1), "CREATING AND SIGNING THE INDEX FILE").
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum ini_kind {
    INI_SECTION, /* value: the section's name */
    INI_FIELD,   /* key, subkey (empty: none) and value */
    INI_MORE,    /* value: a further line of the last field's value, without its first blank */
    INI_BAD,     /* problem holds why the line is none of those; reading may go on behind it */
    INI_END,
};

/* A piece of the text that is read; not NUL-terminated. */
struct slice {
    const char *data;
    size_t length;
};

struct ini_line {
    enum ini_kind kind;
    unsigned number; /* from 1 */
    unsigned blanks; /* empty lines before it, behind the last line with content */
    struct slice key, subkey, value;
    const char *problem;
    bool was_section; /* INI_BAD: what was to begin a section */
};

struct ini_reader {
    const char *next, *end;
    unsigned number;
};

/* The longest line, in bytes. */
#define INI_LINE_MAX 65536

/* The text stays the caller's, and must outlive the lines. */
void ini_begin(struct ini_reader *reader, const char *text, size_t size);

/*
 * The next line with content: empty lines and comments are skipped, and so is the armor of a
 * clear-signed text around the lines that it signs. A carriage return at the end of a line is not
 * part of it. Empty lines are counted: where blanks at the ends of lines are lost, as gpg does with
 * clear-signed texts, they may have been empty continuation lines.
 */
void ini_read(struct ini_reader *reader, struct ini_line *ret);
