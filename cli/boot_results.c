#include "cli/boot_results.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"
#include "vmm/results.h"

enum { max_messages = 100 };

void boot_results_free(struct boot_results *results)
{
    strv_free(&results->errors);
    strv_free(&results->warnings);
    strv_free(&results->log);
    free(results->datasource);
    free(results->out);
    free(results->err);
    *results = (struct boot_results){0};
}

/* Python writes an error as "('MODULE', KIND('TEXT'))": MODULE, and the rest of it. */
static int add_message(struct strv *list, const char *stage, const char *text, struct error **err)
{
    const char *end = str_starts(text, "('") ? strstr(text, "', ") : NULL;
    if (list->count == max_messages)
        return 0;
    if (!end || !str_ends(text, ")"))
        return strv_addf(list, err, "%s: %s", stage, text);
    const char *rest = end + 3;
    return strv_addf(list, err, "%s, module %.*s: %.*s", stage, (int)(end - text - 2), text + 2,
                     (int)(strlen(rest) - 1), rest);
}

static int add_messages(struct strv *list, const char *stage, json_t *messages, struct error **err)
{
    size_t i;
    json_t *message;
    int r = 0;
    json_array_foreach(messages, i, message) if (r == 0 && json_is_string(message)) r =
        add_message(list, stage, json_string_value(message), err);
    return r;
}

/* https://docs.cloud-init.io/en/latest/explanation/failure_states.html */
static int read_stage(struct boot_results *results, const char *stage, json_t *value,
                      struct error **err)
{
    const char *level;
    json_t *messages;
    int r = add_messages(&results->errors, stage, json_object_get(value, "errors"), err);
    json_object_foreach(json_object_get(value, "recoverable_errors"), level,
                        messages) if (r == 0 && strcmp(level, "DEPRECATED") != 0) r =
        add_messages(&results->warnings, stage, messages, err);
    return r;
}

static int read_status(struct boot_results *results, const struct results_section *section,
                       struct error **err)
{
    json_t *root = json_loadb(section->data, section->size, 0, NULL), *value;
    json_t *status = json_object_get(root, "v1");
    const char *stage, *datasource = json_string_value(json_object_get(status, "datasource"));
    int r = datasource ? str_replace(&results->datasource, datasource, err) : 0;
    results->told = json_is_object(status);
    json_object_foreach(status, stage, value) if (r == 0 && json_is_object(value)) r =
        read_stage(results, stage, value, err);
    json_decref(root);
    return r;
}

/* cloud-init.log: "DATE TIME - MODULE[WARNING]: TEXT". */
static int read_log(struct boot_results *results, const struct results_section *section,
                    struct error **err)
{
    _cleanup_free_ char *text = strndup(section->data, section->size);
    if (!text)
        return error_oom(err);
    char *state = NULL;
    int r = 0;
    for (char *line = strtok_r(text, "\n", &state); line && r == 0;
         line = strtok_r(NULL, "\n", &state)) {
        const char *message = strstr(line, " - ");
        if (results->log.count < max_messages)
            r = strv_add(&results->log, message ? message + 3 : line, err);
    }
    return r;
}

/* Bytes that are no text would end it. */
static int read_text(char **slot, const struct results_section *section, struct error **err)
{
    char *text = malloc(section->size + 1);
    if (!text)
        return error_oom(err);
    for (size_t i = 0; i < section->size; i++)
        text[i] = section->data[i] ? section->data[i] : ' ';
    text[section->size] = 0;
    free(*slot);
    *slot = text;
    return 0;
}

static int read_exit(struct boot_results *results, const struct results_section *section,
                     struct error **err)
{
    _cleanup_free_ char *text = NULL;
    int r = read_text(&text, section, err);
    if (r == 0) {
        results->exit_status = atoi(text);
        results->ran = true;
    }
    return r;
}

static int read_section(struct boot_results *results, const struct results_section *section,
                        struct error **err)
{
    if (strcmp(section->name, "status") == 0)
        return read_status(results, section, err);
    if (strcmp(section->name, "log") == 0)
        return read_log(results, section, err);
    if (strcmp(section->name, "exit") == 0)
        return read_exit(results, section, err);
    if (strcmp(section->name, "stdout") == 0)
        return read_text(&results->out, section, err);
    if (strcmp(section->name, "stderr") == 0)
        return read_text(&results->err, section, err);
    return 0;
}

static int set_reason(struct vm_result *result, const char *text, struct error **err)
{
    char *printable = str_printable(text);
    if (!printable)
        return error_oom(err);
    free(result->reason);
    result->reason = printable;
    return 0;
}

static int correct(struct vm_result *result, const struct boot_results *results, struct error **err)
{
    bool cloud = result->verdict == VERDICT_CLOUD_INIT_DONE ||
                 result->verdict == VERDICT_CLOUD_INIT_DEGRADED ||
                 result->verdict == VERDICT_CLOUD_INIT_FAILED;
    if (!cloud || !results->told)
        return 0;
    if (results->errors.count > 0) {
        result->verdict = VERDICT_CLOUD_INIT_FAILED;
        return set_reason(result, results->errors.items[0], err);
    }
    if (result->verdict == VERDICT_CLOUD_INIT_FAILED)
        return 0;
    if (results->warnings.count > 0)
        result->verdict = VERDICT_CLOUD_INIT_DEGRADED;
    const struct strv *list = results->warnings.count > 0 ? &results->warnings : &results->log;
    return result->verdict == VERDICT_CLOUD_INIT_DEGRADED && list->count > 0
               ? set_reason(result, list->items[0], err)
               : 0;
}

int boot_results_read(struct vm_result *result, struct boot_results *ret, struct error **err)
{
    _cleanup_boot_results_ struct boot_results results = {0};
    struct results_section section;
    size_t offset = 0;
    int r = 0;
    while (r == 0 && results_next(result->results, result->results_size, &offset, &section) ==
                         RESULTS_SECTION)
        r = read_section(&results, &section, err);
    if (r == 0)
        r = correct(result, &results, err);
    if (r < 0)
        return r;
    *ret = results;
    results = (struct boot_results){0};
    return 0;
}

static json_t *list_json(const struct strv *list)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++)
        if (json_array_append_new(array, json_text(list->items[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

json_t *boot_results_cloud_json(const struct boot_results *results)
{
    if (!results->told)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "datasource", json_text(results->datasource), "errors",
                     list_json(&results->errors), "warnings", list_json(&results->warnings));
}

json_t *boot_results_run_json(const struct boot_results *results)
{
    if (!results->ran)
        return json_null();
    return json_pack("{s:i, s:o, s:o}", "exit_status", results->exit_status, "stdout",
                     json_text(results->out ? results->out : ""), "stderr",
                     json_text(results->err ? results->err : ""));
}
