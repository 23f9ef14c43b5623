/* What an entry loads: loader/i386/linux.c, loader/linux.c and lib/cmdline.c of GRUB. */
#include <errno.h>
#include <stdlib.h>

#include "guest/bootcfg/grub_run.h"

void grub_boot_free(struct grub_boot *boot)
{
    free(boot->title);
    free(boot->kernel);
    strv_free(&boot->initrds);
    free(boot->command_line);
    free(boot->other);
    *boot = (struct grub_boot){0};
}

/* GRUB quotes an argument that has blanks, and escapes quotes and backslashes. */
static void add_argument(struct str *line, const char *argument)
{
    bool quoted = strchr(argument, ' ');
    str_append(line, quoted ? "\"" : "");
    for (; *argument; argument++) {
        if (strchr("\\'\"", *argument))
            str_append(line, "\\");
        str_append_n(line, argument, 1);
    }
    str_append(line, quoted ? "\"" : "");
}

static char *command_line(const struct strv *words, struct error **err)
{
    _cleanup_str_ struct str line = {0};
    for (size_t i = 2; i < words->count; i++) {
        str_append(&line, i > 2 ? " " : "");
        add_argument(&line, words->items[i]);
    }
    char *text = str_take(&line, err);
    if (text && grub_is_unknown(text)) {
        grub_unknown_text(err, "the kernel's command line", text);
        free(text);
        return NULL;
    }
    return text;
}

/* What was loaded before is gone, even if this fails. */
static void unload(struct grub_run *run)
{
    grub_boot_free(&run->boot);
    run->loaded = false;
}

int grub_linux(struct grub_run *run, const struct strv *words, struct error **err)
{
    unload(run);
    if (words->count < 2)
        return GRUB_BAD_ARGUMENT;
    _cleanup_grub_found_ struct grub_found found = {0};
    int r = grub_find(run, words->items[1], &found, err);
    if (r < 0)
        return error_wrap(err, "the kernel of the default boot entry");
    if (found.kind != GRUB_FILE) {
        r = str_replace(&run->missing, words->items[1], err);
        return r < 0 ? r : GRUB_NO_FILE;
    }
    run->boot.command_line = command_line(words, err);
    if (!run->boot.command_line)
        return err && *err ? -error_errno(*err) : -EOPNOTSUPP;
    run->boot.kernel = TAKE_PTR(found.path);
    run->loaded = true;
    return GRUB_OK;
}

/* The files of one command, in their order, are the initrd; a second command replaces the first
 * one's. Where one does not exist, there is none at all. */
int grub_initrd(struct grub_run *run, const struct strv *words, struct error **err)
{
    if (words->count < 2 || !run->loaded || !run->boot.kernel)
        return GRUB_BAD_ARGUMENT;
    _cleanup_strv_ struct strv paths = {0};
    for (size_t i = 1; i < words->count; i++) {
        _cleanup_grub_found_ struct grub_found found = {0};
        if (str_starts(words->items[i], "newc:"))
            return grub_unknown(err, "GRUB makes a part of the initrd itself (%s)",
                                words->items[i]);
        int r = grub_find(run, words->items[i], &found, err);
        if (r < 0)
            return error_wrap(err, "an initrd of the default boot entry");
        if (found.kind != GRUB_FILE)
            return GRUB_NO_FILE;
        r = strv_take(&paths, TAKE_PTR(found.path), err);
        if (r < 0)
            return r;
    }
    strv_free(&run->boot.initrds);
    run->boot.initrds = paths;
    paths = (struct strv){0};
    return GRUB_OK;
}

int grub_load_other(struct grub_run *run, const struct strv *words, struct error **err)
{
    unload(run);
    _cleanup_str_ struct str line = {0};
    for (size_t i = 0; i < words->count && i < 2; i++)
        str_appendf(&line, "%s%s", i ? " " : "", words->items[i]);
    run->boot.other = str_take(&line, err);
    if (!run->boot.other)
        return -ENOMEM;
    run->loaded = true;
    return GRUB_OK;
}

int grub_boot_now(struct grub_run *run, const struct strv *words, struct error **err)
{
    (void)words, (void)err;
    if (!run->loaded)
        return GRUB_NO_KERNEL;
    run->ended = true;
    return GRUB_OK;
}
