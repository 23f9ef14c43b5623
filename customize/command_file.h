/*
 * Files of customize commands, virt-customize(1) --commands-from-file: one operation a line, named
 * as its option without the dashes, then a space and its argument. White space in front, empty
 * lines and lines that begin with '#' do not count. A backslash before the end of a line stands for
 * the newline itself, and the line goes on behind it.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

struct command_file;

struct command {
    const char *name;
    const char *argument; /* NULL: there is none */
    size_t line;          /* where it begins, from 1 */
};

/* Reads from the descriptor, which stays the caller's. `name` names it in messages and must outlive
 * the reader. */
int command_file_new(int fd, const char *name, struct command_file **ret, struct error **err);

/* 1: *ret is the next command, valid until the next call. 0: there are no more. */
int command_file_next(struct command_file *file, struct command *ret, struct error **err);

/* Wipes what it read: it may be a password. Accepts NULL. */
void command_file_free(struct command_file *file);
DEFINE_CLEANUP(struct command_file *, command_file_free);
#define _cleanup_command_file_ _cleanup_(command_file_freep)
