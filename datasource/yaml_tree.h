/*
 * A YAML document as a tree of its nodes. An alias is a node of its own that points at the one its
 * anchor names, so that "billion laughs" stays as small as its text.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/report.h"
#include "base/str.h"

enum yaml_kind {
    YAML_NOTHING, /* absent, empty, or null */
    YAML_SCALAR,
    YAML_SEQUENCE,
    YAML_MAPPING,
    YAML_ALIAS, /* a reference to an anchor; never the kind of a document */
};

/* What PyYAML makes of a node. */
enum yaml_type {
    YAML_NULL,
    YAML_BOOL,
    YAML_INT,
    YAML_FLOAT,
    YAML_TEXT,
    YAML_TIME, /* a date, or a date and a time */
    YAML_BYTES,
    YAML_LIST,
    YAML_DICT,
    YAML_SET,
    YAML_MERGE, /* "<<": not a value, but what a key may be */
    YAML_VALUE, /* "=": the same */
};

/* Lines and columns count from 1, columns in characters. */
struct yaml_place {
    size_t line;
    size_t column;
    size_t index; /* in characters from the start of the text, not counting a byte order mark */
};

struct yaml_node {
    enum yaml_kind kind; /* as it is written; never YAML_NOTHING */
    enum yaml_type type; /* set by yaml_construct(), as the two below */
    struct yaml_place start;
    size_t end;    /* index of its end; of a collection, of what opens it */
    bool is_flow;  /* a collection in brackets */
    bool is_plain; /* a scalar without quotes and tag: its type depends on its text */
    char *tag;     /* in full, or NULL */
    char *value;   /* a scalar's text, with a NUL behind it */
    size_t length; /* of the value */
    char *text;    /* str() of what PyYAML makes of a scalar, else NULL; of bytes, these. NULL
                      as well for integers above 64 bits that are not written in decimal */
    size_t text_length;
    struct yaml_node *target; /* of an alias */
    struct yaml_node **items; /* of a list; of a mapping key, value, key, value, ... */
    size_t count;
    size_t capacity;
    bool is_constructed;
    struct yaml_node *next; /* in the tree's list of all nodes */
};

struct yaml_tree {
    const char *name;       /* of the text, for messages; not owned */
    struct yaml_node *root; /* NULL: the text has no document */
    struct yaml_node *nodes;
    size_t count;
    struct strv warnings; /* with their places, as messages are printed */
};

/* A fresh node, which the tree owns. */
int yaml_node_new(struct yaml_tree *tree, enum yaml_kind kind, struct yaml_node **ret,
                  struct error **err);
int yaml_node_add(struct yaml_node *node, struct yaml_node *item, struct error **err);

/* "name:line:column: " and the message, as an error of -EINVAL. */
int yaml_refuse(const struct yaml_tree *tree, struct yaml_place place, struct error **err,
                const char *fmt, ...) _printf_(4, 5);
/* The same as one of the tree's warnings. */
int yaml_warn(struct yaml_tree *tree, struct yaml_place place, struct error **err, const char *fmt,
              ...) _printf_(4, 5);
/* Reports the first 20 of the warnings, and how many more there are. */
void yaml_report(const struct yaml_tree *tree, struct reporter *reporter);

/* The node itself, or what an alias stands for. NULL stays NULL. */
const struct yaml_node *yaml_target(const struct yaml_node *node);

/* These look at a constructed tree. NULL is taken for a node that is absent. */

/* The value of a mapping's key, as Python's dict gives it: of keys given twice the last, own ones
 * before merged ones. NULL: it is no mapping, or has no such key. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
bool yaml_is(const struct yaml_node *node, enum yaml_type type);
/* The text of a value that is text, else NULL. */
const char *yaml_text(const struct yaml_node *node);
bool yaml_is_text(const struct yaml_node *node, const char *text);
/* Whether Python takes it for true: null, false, 0, "" and empty collections are not. */
bool yaml_truth(const struct yaml_node *node);
/* Warns of the keys of a mapping that are not text, which nothing looks for. */
int yaml_warn_keys(struct yaml_tree *tree, const struct yaml_node *map, struct error **err);
/* "a number", "the text 'x'": for messages. */
const char *yaml_describe(const struct yaml_node *node);

void yaml_tree_free(struct yaml_tree *tree);
DEFINE_CLEANUP(struct yaml_tree *, yaml_tree_free);
#define _cleanup_yaml_tree_ _cleanup_(yaml_tree_freep)
