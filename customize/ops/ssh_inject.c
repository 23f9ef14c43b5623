/* --ssh-inject USER[:SELECTOR] */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sshkey.h"
#include "customize/account/account.h"
#include "customize/account/ssh_default.h"
#include "customize/ops/operations.h"
#include "guest/text/distro.h"
#include "guest/text/text.h"

struct ssh_request {
    char *user;
    struct strv keys;
};

static void ssh_request_free(void *data)
{
    struct ssh_request *request = data;
    if (!request)
        return;
    free(request->user);
    strv_free(&request->keys);
    free(request);
}
DEFINE_CLEANUP(struct ssh_request *, ssh_request_free);

static int read_selector(const char *selector, struct strv *keys, struct error **err)
{
    if (!*selector) {
        _cleanup_free_ char *path = NULL;
        int r = ssh_key_default(&path, err);
        return r < 0 ? r : sshkey_read(path, keys, err);
    }
    if (str_starts(selector, "file:") && selector[strlen("file:")])
        return sshkey_read(selector + strlen("file:"), keys, err);
    if (str_starts(selector, "string:"))
        return sshkey_read_text(selector + strlen("string:"), "the key given", keys, err);
    error_set(err, EINVAL, "the key selector '%s' is none of the known ones", selector);
    return error_hint(err, "selectors are file:FILE and string:KEY; without one, your own newest "
                           "~/.ssh/id*.pub is taken");
}

static int ssh_inject_parse(const char *argument, void **ret_data, struct error **err)
{
    _cleanup_(ssh_request_freep) struct ssh_request *request = calloc(1, sizeof(*request));
    if (!request)
        return error_oom(err);
    size_t length = strcspn(argument, ":");
    request->user = strndup(argument, length);
    if (!request->user)
        return error_oom(err);
    int r = account_check_name("ssh-inject", request->user, err);
    if (r < 0)
        return r;
    r = read_selector(argument + length + (argument[length] ? 1 : 0), &request->keys, err);
    if (r < 0) {
        error_wrap(err, "--ssh-inject");
        return r;
    }
    *ret_data = TAKE_PTR(request);
    return 0;
}

static bool has_key(const struct text *authorized, const char *wanted_line)
{
    struct sshkey wanted;
    struct sshkey present;
    struct line line;
    if (!sshkey_parse(wanted_line, strlen(wanted_line), &wanted))
        return false;
    for (size_t offset = 0; text_next_line(authorized, &offset, &line);)
        if (sshkey_parse(line.start, line.length, &present) && sshkey_equal(&present, &wanted))
            return true;
    return false;
}

static int make_ssh_directory(struct guest *guest, const struct account *account, const char *user,
                              const char *path, struct error **err)
{
    if (guest_exists(guest, path))
        return 0;
    if (!guest_is_dir(guest, account->home)) {
        error_set(err, ENOENT, "the home directory %s of user %s is missing in the guest",
                  account->home, user);
        error_hint(err, "make it first: --mkdir %s", account->home);
        return -ENOENT;
    }
    int r = guest_mkdir(guest, path, 0700, err);
    if (r == 0)
        r = guest_chmod(guest, path, 0700, err);
    return r < 0 ? r : guest_chown(guest, path, account->uid, account->gid, err);
}

static int append_keys(struct guest *guest, const struct account *account, const char *path,
                       const struct strv *keys, struct error **err)
{
    _cleanup_text_ struct text old = {0};
    bool exists;
    int r = text_read(guest, path, &old, &exists, err);
    if (r < 0)
        return r;
    _cleanup_str_ struct str out = {0};
    str_append_n(&out, old.data, old.size);
    if (old.size > 0 && old.data[old.size - 1] != '\n')
        str_append(&out, "\n");
    bool changed = !exists;
    for (size_t i = 0; i < keys->count; i++) {
        const struct text so_far = {.data = out.data, .size = out.length};
        if (has_key(&so_far, keys->items[i]))
            continue;
        str_appendf(&out, "%s\n", keys->items[i]);
        changed = true;
    }
    if (out.failed)
        return error_oom(err);
    if (!changed)
        return 0;
    if (exists)
        return guest_replace(guest, path, out.data, out.length, err);
    const struct guest_file_attr attr = {.mode = 0600, .uid = account->uid, .gid = account->gid};
    return guest_write(guest, path, out.data, out.length, &attr, err);
}

static int ssh_inject_apply(const void *data, const char *argument,
                            struct customize_context *context, struct error **err)
{
    (void)argument;
    const struct ssh_request *request = data;
    if (distro_leaves_out(context->info, context->reporter, "SSH keys can be injected"))
        return 0;
    report(context->reporter, REPORT_INFO, "Injecting an SSH key for %s", request->user);
    _cleanup_account_ struct account account = {0};
    int r = account_find(context->guest, request->user, &account, err);
    if (r < 0)
        return r;
    _cleanup_free_ char *directory = str_printf(err, "%s/.ssh", account.home);
    _cleanup_free_ char *file = directory ? str_printf(err, "%s/authorized_keys", directory) : NULL;
    if (!file)
        return -ENOMEM;
    r = make_ssh_directory(context->guest, &account, request->user, directory, err);
    return r < 0 ? r : append_keys(context->guest, &account, file, &request->keys, err);
}

const struct customize_operation ssh_inject_operation = {
    .name = "ssh-inject",
    .metavar = "USER[:SELECTOR]",
    .help = "let USER log in with your SSH key, or with file:FILE or string:KEY",
    .manual = "Add an SSH public key to ~USER/.ssh/authorized_keys in the guest. Without a "
              "SELECTOR it is the newest of your own ~/.ssh/id*.pub; file:FILE reads the keys from "
              "FILE, string:KEY is the key itself. USER must be in the image already. The "
              "directory and the file are made where they are missing, with mode 0700 and 0600, "
              "and belong to USER. A key that is there already is not added again.",
    .example = "--ssh-inject root:file:id_ed25519.pub",
    .parse = ssh_inject_parse,
    .apply = ssh_inject_apply,
    .free_data = ssh_request_free,
};
