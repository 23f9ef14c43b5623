/*
 * What a mistyped name may mean: the known names that are the fewest edits away.
 */
#pragma once

#include "base/str.h"

/* Longer names are not compared. */
enum { SIMILAR_NAME_MAX = 64 };

/* How many bytes must be changed, added or removed to make b of a (Levenshtein). UINT_MAX where
 * either is longer than SIMILAR_NAME_MAX. */
unsigned edit_distance(const char *a, const char *b);

/* Collects the nearest of the names that are offered. */
struct similar {
    const char *wanted; /* borrowed */
    unsigned nearest;   /* edits; names farther away are not kept */
    struct str names;   /* separated by ", " */
};

/* Names that hold the wanted one are near, and names up to three edits away, fewer for short ones.
 */
struct similar similar_to(const char *wanted);
/* `prefix` is written before the name ("--"), and not compared. */
void similar_offer(struct similar *similar, const char *prefix, const char *name);
/* The nearest names, empty where none is near; caller frees. NULL: out of memory. */
char *similar_take(struct similar *similar, struct error **err);
