#include "guest/bootcfg/grub_script.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guest/bootcfg/grub_run.h"

#define BYTES_MAX ((size_t)64 << 20)

/* Variables that GRUB has set before it reads its configuration (normal/main.c, kern/main.c). */
static int preset(struct grub_run *run, const char *device, const char *path, struct error **err)
{
    static const char *const variables[][2] = {
        {"feature_chainloader_bpb", "y"},
        {"feature_ntldr", "y"},
        {"feature_platform_search_hint", "y"},
        {"feature_default_font_path", "y"},
        {"feature_all_video_module", "y"},
        {"feature_menuentry_id", "y"},
        {"feature_menuentry_options", "y"},
        {"feature_200_final", "y"},
        {"feature_nativedisk_cmd", "y"},
        {"feature_timeout_style", "y"},
        {"grub_platform", GRUB_PLATFORM},
        {"grub_cpu", GRUB_CPU},
        {"cmdpath", "\1cmdpath\1"},
    };
    _cleanup_free_ char *prefix = str_printf(err, "(%s)%s", device, path);
    int r = prefix ? 0 : -ENOMEM;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(variables); i++) {
        r = grub_env_set(run->env, variables[i][0], variables[i][1], err);
        if (r == 0)
            r = grub_env_export(run->env, variables[i][0], err);
    }
    if (r == 0) {
        *strrchr(prefix, '/') = '\0';
        r = grub_env_set(run->env, "prefix", prefix, err);
    }
    if (r == 0)
        r = grub_env_set(run->env, "root", device, err);
    if (r == 0)
        r = grub_env_export(run->env, "prefix", err);
    return r < 0 ? r : grub_env_export(run->env, "root", err);
}

static void free_run(struct grub_run *run)
{
    while (run->functions) {
        struct grub_function *function = run->functions;
        run->functions = function->next;
        free(function->name);
        free(function);
    }
    while (run->texts) {
        struct grub_text *text = run->texts;
        run->texts = text->next;
        free(text->text);
        free(text);
    }
    grub_tree_free(&run->tree);
    grub_env_free(run->env);
    grub_boot_free(&run->boot);
    free(run->open);
    free(run->missing);
}

/* What a run ended with, as a boot or a failure. */
static int judge(struct grub_run *run, bool has_menu, struct grub_boot *ret, struct error **err)
{
    if (run->ended && run->boot.kernel) {
        *ret = run->boot;
        run->boot = (struct grub_boot){0};
        return 0;
    }
    const char *title = run->boot.title ? run->boot.title : "";
    if (run->boot.other)
        return error_set(err, ENOENT,
                         "the default entry of GRUB's menu%s%s%s is no Linux: it runs \"%s\"",
                         *title ? ", " : "", title, *title ? "," : "", run->boot.other);
    if (run->missing)
        return error_set(err, ENOENT, "the kernel of the default boot entry, %s, does not exist",
                         run->missing);
    if (!has_menu)
        return error_set(err, ENOENT, "GRUB's menu has no entry that boots Linux");
    return error_set(err, ENOENT, "the default entry of GRUB's menu, %s, loads no kernel", title);
}

static int run_once(const char *text, const char *device, const char *path,
                    const struct grub_host *host, struct grub_choices *choices,
                    struct grub_boot *ret, struct error **err)
{
    struct grub_run run = {.host = host, .choices = choices};
    _cleanup_grub_menu_ struct grub_menu menu = {0};
    run.menu = &menu;
    int r = grub_env_open(&run.env, err);
    if (r == 0)
        r = preset(&run, device, path, err);
    if (r == 0)
        r = grub_run_config(&run, path, text, err);
    if (r >= 0 && !run.ended && menu.count > 0)
        r = grub_run_menu(&run, err);
    if (r >= 0)
        r = judge(&run, menu.count > 0, ret, err);
    free_run(&run);
    return r;
}

/* Two outcomes. */

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_boot(const struct grub_boot *a, const struct grub_boot *b)
{
    bool same = same_text(a->kernel, b->kernel) && same_text(a->command_line, b->command_line) &&
                a->initrds.count == b->initrds.count;
    for (size_t i = 0; same && i < a->initrds.count; i++)
        same = strcmp(a->initrds.items[i], b->initrds.items[i]) == 0;
    return same;
}

/* The next combination of answers: the last question that has one more is answered otherwise, and
 * what was asked after it is forgotten. False: all have been tried. *ret_question: that question.
 */
static bool next_answers(struct grub_choices *choices, const char **ret_question)
{
    while (choices->count > 0) {
        struct grub_choice *last = &choices->items[choices->count - 1];
        if (!last->both) {
            last->both = true;
            last->answer = !last->answer;
            *ret_question = last->question;
            return true;
        }
        free(last->question);
        choices->count--;
    }
    return false;
}

static void free_choices(struct grub_choices *choices)
{
    while (choices->count > 0)
        free(choices->items[--choices->count].question);
}

static int depends(const char *question, struct error **err)
{
    _cleanup_free_ char *readable = strdup(question);
    bool inside = false;
    for (char *at = readable; at && (at = strchr(at, GRUB_MARK)); inside = !inside)
        *at = inside ? '>' : '<';
    _cleanup_free_ char *printable = readable ? str_printable(readable) : NULL;
    return printable ? grub_unknown(err, "what GRUB would boot depends on whether %s", printable)
                     : error_oom(err);
}

/* Runs with all further answers. An outcome that differs from the first one is no answer. */
static int try_others(const char *text, const char *device, const char *path,
                      const struct grub_host *host, struct grub_choices *choices, int first,
                      const struct grub_boot *boot, struct error **err)
{
    const char *question;
    for (unsigned runs = 1; next_answers(choices, &question); runs++) {
        _cleanup_grub_boot_ struct grub_boot other = {0};
        _cleanup_error_ struct error *cause = NULL;
        if (runs >= GRUB_RUNS_MAX)
            return depends(question, err);
        int r = run_once(text, device, path, host, choices, &other, &cause);
        if (r < 0 && r != -ENOENT)
            return error_move(err, TAKE_PTR(cause));
        if (r != first || (r == 0 && !same_boot(boot, &other)))
            return depends(question, err);
    }
    return 0;
}

int grub_script_default(const char *text, const char *device, const char *path,
                        const struct grub_host *host, struct grub_boot *ret, struct error **err)
{
    struct grub_choices choices = {.bytes_left = BYTES_MAX};
    _cleanup_grub_boot_ struct grub_boot boot = {0};
    _cleanup_error_ struct error *cause = NULL;
    int r = run_once(text, device, path, host, &choices, &boot, &cause);
    if (r == 0 || r == -ENOENT) {
        int others = try_others(text, device, path, host, &choices, r, &boot, err);
        if (others < 0)
            r = others;
        else if (r < 0)
            error_move(err, TAKE_PTR(cause));
    } else {
        error_move(err, TAKE_PTR(cause));
    }
    free_choices(&choices);
    if (r < 0)
        return r;
    *ret = boot;
    boot = (struct grub_boot){0};
    return 0;
}
