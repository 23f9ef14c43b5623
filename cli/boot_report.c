#include "cli/boot_report.h"

#include <stdio.h>
#include <string.h>

#include "base/fdio.h"
#include "base/outfile.h"
#include "base/str.h"
#include "cli/json.h"

static void print_output(const char *label, const char *text)
{
    _cleanup_free_ char *printable = str_printable(text ? text : "");
    if (!str_empty(printable))
        printf("%s:\n%s%s", label, printable, str_ends(printable, "\n") ? "" : "\n");
}

static void print_command(const struct boot_results *results)
{
    if (!results->ran)
        return;
    printf("Command: ended with status %d\n", results->exit_status);
    print_output("Its output", results->out);
    print_output("Its errors", results->err);
}

void boot_print_text(const struct boot_facts *facts)
{
    const struct vm_result *result = facts->result;
    printf("Verdict: %s (%s %s)\n", vm_verdict_name(result->verdict),
           facts->passed ? "as expected:" : "expected:", facts->expectation);
    if (!str_empty(result->reason))
        printf("Because: %s\n", result->reason);
    printf("Booted by: %s\n", facts->way);
    printf("Engine: %s, %s\n", result->engine, result->accelerator);
    printf("Time: %llu.%03llu s\n", (unsigned long long)result->duration_ms / 1000,
           (unsigned long long)result->duration_ms % 1000);
    printf("Console: %s (%llu bytes)\n", facts->console_log,
           (unsigned long long)result->console_bytes);
    if (facts->persist)
        printf("Image: %s (digest before %s, after %s)\n",
               facts->unchanged ? "unchanged" : "written to, as asked for", facts->before,
               facts->after);
    else if (facts->unchanged)
        printf("Image: unchanged (digest %s)\n", facts->after);
    else
        printf("Image: CHANGED during the boot (digest before %s, after %s)\n", facts->before,
               facts->after);
    print_command(facts->results);
}

int boot_print_json(const struct boot_facts *facts, struct error **err)
{
    const struct vm_result *result = facts->result;
    return json_print(
        json_pack(
            "{s:o, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:I, s:o, s:I, s:b, s:s, s:s, s:o, "
            "s:o, s:o}",
            "disk", json_text(facts->disk), "verdict", vm_verdict_name(result->verdict), "expected",
            facts->expectation, "passed", facts->passed, "reason", json_text(result->reason),
            "booted_by", json_text(facts->way), "engine", json_text(result->engine), "accelerator",
            json_text(result->accelerator), "duration_ms", (json_int_t)result->duration_ms,
            "console_log", json_text(facts->console_log), "console_bytes",
            (json_int_t)result->console_bytes, "image_unchanged", facts->unchanged, "digest_before",
            facts->before, "digest_after", facts->after, "console_tail",
            json_text(facts->passed ? NULL : result->tail), "cloud_init",
            boot_results_cloud_json(facts->results), "run", boot_results_run_json(facts->results)),
        err);
}

/* XML 1.0, section 2.2: most control characters cannot appear at all, not even as references. */
static void append_xml(struct str *out, const char *text)
{
    for (; text && *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '&')
            str_append(out, "&amp;");
        else if (byte == '<')
            str_append(out, "&lt;");
        else if (byte == '>')
            str_append(out, "&gt;");
        else if (byte == '"')
            str_append(out, "&quot;");
        else if (byte >= 0x20 || byte == '\n' || byte == '\t')
            str_append_n(out, text, 1);
    }
}

static void append_attribute(struct str *out, const char *name, const char *text)
{
    _cleanup_free_ char *printable = str_printable(text ? text : "");
    str_appendf(out, " %s=\"", name);
    append_xml(out, printable);
    str_append(out, "\"");
}

static const char *failure_type(const struct boot_facts *facts)
{
    if (facts->command_failed)
        return "command-failed";
    return facts->unchanged || facts->persist ? vm_verdict_name(facts->result->verdict)
                                              : "image-changed";
}

int boot_write_junit(const struct boot_facts *facts, const char *path, struct error **err)
{
    _cleanup_str_ struct str out = {0};
    const struct vm_result *result = facts->result;
    char seconds[32];
    snprintf(seconds, sizeof(seconds), "%llu.%03llu",
             (unsigned long long)result->duration_ms / 1000,
             (unsigned long long)result->duration_ms % 1000);
    str_appendf(&out,
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                "<testsuites>\n<testsuite name=\"kiln boot\" tests=\"1\" errors=\"0\" "
                "failures=\"%d\" time=\"%s\">\n<testcase classname=\"kiln.boot\"",
                facts->passed ? 0 : 1, seconds);
    append_attribute(&out, "name", path_name(facts->disk));
    append_attribute(&out, "time", seconds);
    str_append(&out, ">\n");
    if (!facts->passed) {
        str_append(&out, "<failure");
        append_attribute(&out, "type", failure_type(facts));
        append_attribute(&out, "message",
                         facts->command_failed ? facts->results->err : result->reason);
        str_append(&out, "/>\n");
    }
    str_append(&out, "<system-out>");
    append_xml(&out, result->tail);
    str_append(&out, "</system-out>\n</testcase>\n</testsuite>\n</testsuites>\n");
    size_t size = out.length;
    _cleanup_free_ char *text = str_take(&out, err);
    return text ? file_write_atomic(path, text, size, 0644, err) : error_oom(NULL);
}
