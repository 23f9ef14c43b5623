#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "repos/download.h"
#include "repos/ini.h"
#include "repos/repo_internal.h"

/* The section at hand while a *.conf is read. */
struct section {
    struct repo repo;
    unsigned line; /* 0: there is none */
    bool bad;      /* a warning was given; the section is ignored */
};

struct conf_parser {
    const char *name; /* of the file */
    struct repo_list *list;
    struct reporter *reporter;
    struct section section;
};

static void conf_parser_free(struct conf_parser *parser)
{
    repo_clear(&parser->section.repo);
}

static void _printf_(3, 4) reject(struct conf_parser *parser, unsigned line, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text;
    int length = vasprintf(&text, fmt, args);
    va_end(args);
    _cleanup_free_ char *reason = length < 0 ? NULL : text;
    const char *repo = parser->section.repo.name;
    if (repo)
        report(parser->reporter, REPORT_WARNING, "%s:%u: %s; repository '%s' is left out",
               parser->name, line, reason ? reason : "out of memory", repo);
    else
        report(parser->reporter, REPORT_WARNING, "%s:%u: %s; the line is ignored", parser->name,
               line, reason ? reason : "out of memory");
    parser->section.bad = true;
}

static int end_section(struct conf_parser *parser, struct error **err)
{
    struct section *section = &parser->section;
    struct repo *repo = &section->repo;
    int r = 0;
    if (section->line && !section->bad && !repo->uri)
        reject(parser, section->line, "no uri= is given");
    if (section->line && !section->bad) {
        const struct repo *known = repo_list_find(parser->list, repo->name);
        if (!known) {
            r = repo_list_take(parser->list, repo, err);
        } else {
            /* Twice in one file is a mistake; in two files it is how users override a system's. */
            bool here = str_starts(known->origin, parser->name) &&
                        known->origin[strlen(parser->name)] == ':';
            report(parser->reporter, here ? REPORT_WARNING : REPORT_DEBUG,
                   "%s:%u: repository '%s' is defined already at %s, which counts", parser->name,
                   section->line, repo->name, known->origin);
        }
    }
    repo_clear(repo);
    *section = (struct section){0};
    return r;
}

static int begin_section(struct conf_parser *parser, const struct ini_line *line,
                         struct error **err)
{
    int r = end_section(parser, err);
    if (r < 0)
        return r;
    struct repo *repo = &parser->section.repo;
    parser->section.line = line->number;
    repo->name = strndup(line->value.data, line->value.length);
    if (!repo->name)
        return error_oom(err);
    repo->origin = str_printf(err, "%s:%u", parser->name, line->number);
    return repo->origin ? 0 : -ENOMEM;
}

static int set_uri(struct conf_parser *parser, unsigned line, const char *value, struct error **err)
{
    _cleanup_free_ char *path = NULL;
    bool local = uri_is_local(value, &path);
    if (local && !path)
        return error_oom(err);
    if (!uri_is_remote(value) && !(local && *path == '/')) {
        _cleanup_free_ char *printable = uri_printable(value);
        reject(parser, line, "uri=%s is no http, https, ftp or file URI, nor an absolute path",
               printable ? printable : "?");
        return 0;
    }
    return str_replace(&parser->section.repo.uri, value, err);
}

static int set_gpgkey(struct conf_parser *parser, unsigned line, const char *value,
                      struct error **err)
{
    _cleanup_free_ char *path = NULL;
    bool local = uri_is_local(value, &path);
    if (local && !path)
        return error_oom(err);
    /* A key that is fetched the same way as what it signs would prove nothing. */
    if (!local || *path != '/') {
        _cleanup_free_ char *printable = uri_printable(value);
        reject(parser, line, "gpgkey=%s is no local key: file:///PATH is expected",
               printable ? printable : "?");
        return 0;
    }
    return str_replace(&parser->section.repo.gpgkey, path, err);
}

static int set_format(struct conf_parser *parser, unsigned line, const char *value)
{
    enum repo_format *format = &parser->section.repo.format;
    if (!*value || strcmp(value, "native") == 0) {
        *format = REPO_NATIVE;
    } else if (strcmp(value, "simplestreams") == 0) {
        *format = REPO_SIMPLESTREAMS;
    } else {
        _cleanup_free_ char *printable = str_printable(value);
        reject(parser, line, "format=%s is neither native nor simplestreams",
               printable ? printable : "?");
    }
    return 0;
}

static int set_field(struct conf_parser *parser, const struct ini_line *line, struct error **err)
{
    _cleanup_free_ char *key = strndup(line->key.data, line->key.length);
    _cleanup_free_ char *text = strndup(line->value.data, line->value.length);
    if (!key || !text)
        return error_oom(err);
    const char *value = str_strip(text);
    if (line->subkey.length > 0)
        return 0;
    if (strcmp(key, "uri") == 0)
        return set_uri(parser, line->number, value, err);
    if (strcmp(key, "gpgkey") == 0)
        return set_gpgkey(parser, line->number, value, err);
    if (strcmp(key, "format") == 0)
        return set_format(parser, line->number, value);
    if (strcmp(key, "proxy") == 0)
        return str_replace(&parser->section.repo.proxy, strcmp(value, "off") == 0 ? "no" : value,
                           err);
    report(parser->reporter, REPORT_DEBUG, "%s:%u: unknown field '%s' is ignored", parser->name,
           line->number, key);
    return 0;
}

static bool only_blanks(struct slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] != ' ' && text.data[i] != '\t')
            return false;
    return true;
}

static int take_line(struct conf_parser *parser, const struct ini_line *line, struct error **err)
{
    if (line->kind == INI_SECTION)
        return begin_section(parser, line, err);
    if (line->kind == INI_END)
        return end_section(parser, err);
    if (parser->section.bad || (line->kind == INI_MORE && only_blanks(line->value)))
        return 0;
    if (line->kind == INI_BAD)
        reject(parser, line->number, "%s", line->problem);
    else if (line->kind == INI_MORE)
        reject(parser, line->number, "an indented line, where no field may have several");
    else if (!parser->section.line)
        reject(parser, line->number, "a field before the first [section]");
    else
        return set_field(parser, line, err);
    return 0;
}

int repo_conf_parse(const char *text, size_t size, const char *name, struct repo_list *list,
                    struct reporter *reporter, struct error **err)
{
    _cleanup_(conf_parser_free) struct conf_parser parser = {
        .name = name, .list = list, .reporter = reporter};
    struct ini_reader reader;
    struct ini_line line;
    ini_begin(&reader, text, size);
    do {
        ini_read(&reader, &line);
        int r = take_line(&parser, &line, err);
        if (r < 0)
            return r;
    } while (line.kind != INI_END);
    return 0;
}
