/*
 * Which type a plain scalar is of: the implicit resolvers of PyYAML 6.0's SafeLoader
 * (yaml/resolver.py), which is YAML 1.1 with exceptions. Other versions differ in floats that begin
 * with a dot.
 */
#pragma once

#include <stddef.h>

#include "datasource/yaml_tree.h"

/* YAML_TEXT where none of the others fits. */
enum yaml_type yaml_resolve(const char *text, size_t length);

/* "2026-02-28", or with a time and an offset from UTC. As it is written: no field is checked. */
struct yaml_time {
    int year, month, day;
    bool has_time;
    int hour, minute, second, microsecond;
    bool has_zone;
    int zone; /* minutes */
};

/* False: the text is none. `loose` takes months and days of one digit in dates without a time: so
 * does the constructor, under an explicit tag, but not the resolver. */
bool yaml_time_parse(const char *text, size_t length, bool loose, struct yaml_time *ret);
