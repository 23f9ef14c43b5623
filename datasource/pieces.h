/* The single texts of user-data: the whole of it, a part of a MIME archive, an item of a
 * cloud-config archive. Used by documents.c, pieces.c and archive.c. */
#pragma once

#include "datasource/user_data.h"

/* What str.lstrip() of Python takes off, of ASCII. */
#define BLANKS " \t\r\n\v\f"

#define CONFIG_TYPE  "text/cloud-config"
#define ARCHIVE_TYPE "text/cloud-config-archive"
#define SCRIPT_TYPE  "text/x-shellscript"

/* Where a form must begin to work. cloud-init finds it behind blanks in any case, but hands on the
 * text with them. */
enum form_start { BEHIND_BLANKS, AT_LINE_START, AT_TEXT_START };

/* How a text begins, in any case. */
struct form {
    const char *prefix;
    const char *type; /* NULL: only cloudbase-init reads it */
    enum form_start start;
    bool is_jinja_content; /* may follow the header of a template */
};

/* The form of a text, or of what is behind its blanks. NULL: none that is known. */
const struct form *form_find(const char *text);
const struct form *form_find_within(const char *text);

/* One text of a document, which may be all of it. */
struct piece {
    const char *name; /* for messages */
    const char *type;
    const char *filename; /* NULL: none */
    const char *data;     /* with a NUL behind it */
    size_t size;
    bool in_archive;
};

/* The state of one document. */
struct checking {
    const char *name;
    struct reporter *reporter;
    struct user_data_accounts *accounts;
    struct strv scripts; /* their file names */
    size_t pieces;
};

/* Refuses or reports what cloud-init would drop. */
int piece_check(struct checking *checking, const struct piece *piece, struct error **err);
/* The same for a cloud-config archive. */
int archive_check(struct checking *checking, const struct piece *piece, struct error **err);
