/*
 * Makes lines of the byte stream of a serial console: without escape sequences (ECMA-48), and with
 * a carriage return or a jump of the cursor ending a line, as firmware and boot loaders paint
 * their screens that way. Private to vmm/.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes of a line that are kept; longer ones are cut into lines of this length. */
#define CONSOLE_LINE_MAX 4096

enum console_escape {
    ESCAPE_NONE,
    ESCAPE_BEGUN,      /* ESC seen */
    ESCAPE_CHARSET,    /* ESC and an intermediate byte: one more follows */
    ESCAPE_CONTROL,    /* CSI: parameters until a final byte */
    ESCAPE_STRING,     /* OSC, DCS and the like: until BEL or ST */
    ESCAPE_STRING_END, /* ESC within such a string */
};

/* Zero-initialise. */
struct console_line {
    char text[CONSOLE_LINE_MAX + 1]; /* NUL-terminated after every call */
    size_t length;
    bool returned; /* a carriage return came last */
    bool ended;    /* text is complete: the next byte begins a new one */
    enum console_escape escape;
};

enum console_line_event {
    CONSOLE_LINE_SAME,  /* nothing visible was added */
    CONSOLE_LINE_GREW,  /* text has one byte more */
    CONSOLE_LINE_ENDED, /* text is a complete, non-empty line */
};

/* Takes the byte at *bytes. Returns true when the byte was used up; false when it ended the line
 * (the event is CONSOLE_LINE_ENDED) and must be given again to begin the next one. */
bool console_line_feed(struct console_line *line, char byte, enum console_line_event *ret_event);
