#include "cli/edit_report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/passwords.h"

static void print_list(const char *label, const struct strv *list)
{
    if (list->count == 0)
        return;
    printf("%s:", label);
    for (size_t i = 0; i < list->count; i++)
        printf("%s %s", i ? "," : "", list->items[i]);
    putchar('\n');
}

/* A name that holds newlines must not look like several. */
static void print_line(const char *text)
{
    _cleanup_free_ char *shown = str_printable(text);
    for (const char *at = shown ? shown : "?"; *at; at++)
        if (*at == '\n')
            fputs("\\x0a", stdout);
        else
            putchar(*at);
    putchar('\n');
}

static void print_changes(const struct edit_request *request, const struct edit_result *result)
{
    const char *verb = request->work.dry_run ? "would run" : "ran";
    for (size_t i = 0; i < result->changes.count; i++)
        print_line(result->changes.items[i]);
    for (size_t i = 0; i < result->programs.count; i++) {
        printf("* %s: ", verb);
        print_line(result->programs.items[i]);
    }
    if (request->work.dry_run && result->changes.count == 0 && result->programs.count == 0)
        puts("Nothing would change.");
}

/* As it is, for patch(1), but for a terminal without what would garble it. */
static void print_difference(const char *text)
{
    _cleanup_free_ char *shown = isatty(STDOUT_FILENO) ? str_printable(text) : NULL;
    fputs(shown ? shown : text, stdout);
}

void cli_edit_print(const struct edit_request *request, const struct edit_result *result,
                    bool quiet)
{
    cli_print_passwords(&result->generated_passwords, stdout);
    if (request->work.dry_run)
        print_changes(request, result);
    if (result->difference)
        print_difference(result->difference);
    if (quiet || request->work.dry_run)
        return;
    if (request->work.sysprep)
        print_list("Performed", &result->operations);
    printf("Image: %s%s\nEngine: %s (%s)\nTime: %llu.%03llu s\n", request->path,
           request->seal ? " (sealed)" : "", result->engine, result->engine_reason,
           (unsigned long long)result->duration_ms / 1000,
           (unsigned long long)result->duration_ms % 1000);
}

static json_t *json_list(const struct strv *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(array, json_text(list->items[i]));
    return array;
}

static json_t *json_changes(const struct strv *changes)
{
    static const struct {
        char sign;
        const char *name;
    } names[] = {{'+', "created"}, {'~', "contents"}, {'=', "attributes"}, {'-', "removed"}};
    json_t *array = json_array();
    for (size_t i = 0; i < changes->count; i++)
        for (size_t n = 0; n < ARRAY_SIZE(names); n++)
            if (changes->items[i][0] == names[n].sign)
                json_array_append_new(array, json_pack("{s:o, s:s}", "path",
                                                       json_text(changes->items[i] + 2), "change",
                                                       names[n].name));
    return array;
}

static json_t *json_disks(const struct edit_request *request)
{
    json_t *array = json_array();
    json_array_append_new(array, json_text(request->path));
    for (size_t i = 0; i < request->drive_count; i++)
        json_array_append_new(array, json_text(request->drives[i].path));
    return array;
}

int cli_edit_print_json(const struct edit_request *request, const struct edit_result *result,
                        struct error **err)
{
    return json_print(
        json_pack("{s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:I}", "disks",
                  json_disks(request), "engine", json_text(result->engine), "engine_reason",
                  json_text(result->engine_reason), "dry_run", request->work.dry_run, "sealed",
                  request->seal, "operations", json_list(&result->operations), "programs",
                  json_list(&result->programs), "changes", json_changes(&result->changes),
                  "difference", json_text(result->difference), "generated_passwords",
                  cli_json_passwords(&result->generated_passwords), "duration_ms",
                  (json_int_t)result->duration_ms),
        err);
}
