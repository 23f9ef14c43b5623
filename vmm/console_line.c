#include "vmm/console_line.h"

static enum console_line_event end_line(struct console_line *line)
{
    line->returned = false;
    line->ended = true;
    return line->length > 0 ? CONSOLE_LINE_ENDED : CONSOLE_LINE_SAME;
}

/* Cursor positioning and clearing of the screen: what follows is another line. Colours, modes and
 * moves within a line are not. */
static bool jumps(char final)
{
    return final == 'H' || final == 'f' || final == 'J' || final == 'A' || final == 'B' ||
           final == 'E' || final == 'F' || final == 'd';
}

static enum console_line_event feed_begun(struct console_line *line, char byte)
{
    line->escape = ESCAPE_NONE;
    switch (byte) {
    case '[':
        line->escape = ESCAPE_CONTROL;
        return CONSOLE_LINE_SAME;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
        line->escape = ESCAPE_STRING;
        return CONSOLE_LINE_SAME;
    case 'c':
    case 'D':
    case 'E':
        return end_line(line);
    }
    if (byte >= 0x20 && byte <= 0x2f)
        line->escape = ESCAPE_CHARSET;
    return CONSOLE_LINE_SAME;
}

static enum console_line_event feed_escape(struct console_line *line, char byte)
{
    switch (line->escape) {
    case ESCAPE_BEGUN:
        return feed_begun(line, byte);
    case ESCAPE_CONTROL:
        if (byte < 0x40 || byte > 0x7e)
            return CONSOLE_LINE_SAME;
        line->escape = ESCAPE_NONE;
        return jumps(byte) ? end_line(line) : CONSOLE_LINE_SAME;
    case ESCAPE_STRING:
        if (byte == '\a')
            line->escape = ESCAPE_NONE;
        return CONSOLE_LINE_SAME;
    case ESCAPE_CHARSET:
    case ESCAPE_STRING_END:
    case ESCAPE_NONE:
        break;
    }
    line->escape = ESCAPE_NONE;
    return CONSOLE_LINE_SAME;
}

static void begin(struct console_line *line)
{
    line->length = 0;
    line->text[0] = 0;
    line->ended = false;
}

static enum console_line_event put(struct console_line *line, char byte)
{
    line->text[line->length++] = byte;
    line->text[line->length] = 0;
    return CONSOLE_LINE_GREW;
}

bool console_line_feed(struct console_line *line, char byte, enum console_line_event *ret_event)
{
    bool control = (unsigned char)byte < 0x20 || byte == 0x7f;
    if (line->ended)
        begin(line);
    *ret_event = CONSOLE_LINE_SAME;
    /* A sequence that was cut off must not swallow the lines that follow. */
    if (byte == '\n') {
        line->escape = ESCAPE_NONE;
        *ret_event = end_line(line);
        return true;
    }
    if (byte == 0x1b) {
        line->escape = line->escape == ESCAPE_STRING ? ESCAPE_STRING_END : ESCAPE_BEGUN;
        return true;
    }
    if (line->escape != ESCAPE_NONE) {
        *ret_event = feed_escape(line, byte);
        return true;
    }
    if (byte == '\r') {
        line->returned = true;
        return true;
    }
    if (byte == '\b' && line->length > 0 && !line->returned)
        line->text[--line->length] = 0;
    if (byte != '\t' && control)
        return true;
    if (line->returned || line->length == CONSOLE_LINE_MAX) {
        *ret_event = end_line(line);
        return false;
    }
    *ret_event = put(line, byte == '\t' ? ' ' : byte);
    return true;
}
