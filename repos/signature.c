#include "repos/signature.h"

#include <errno.h>
#include <gpgme.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/fdio.h"
#include "base/str.h"
#include "repos/signature_home.h"

/* A key file is some kilobytes; a whole keyring still fits. */
#define KEY_FILE_MAX (8 << 20)

struct verifier {
    char *home; /* gpg's, private to this verification */
    gpgme_ctx_t context;
    const char *name;     /* of what is verified */
    const char *key_name; /* of the key that has to have signed it */

    /* gpgme writes into pipes and has SIGPIPE ignored for that, for the whole process. Blocking it
     * in this thread does the same for as long as it is needed. */
    sigset_t signals;
    bool blocked;
};

static void block_sigpipe(struct verifier *verifier)
{
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    verifier->blocked = pthread_sigmask(SIG_BLOCK, &pipe_only, &verifier->signals) == 0;
}

static void unblock_sigpipe(struct verifier *verifier)
{
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    if (!verifier->blocked)
        return;
    if (!sigismember(&verifier->signals, SIGPIPE))
        while (sigtimedwait(&pipe_only, NULL, &(struct timespec){0}) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &verifier->signals, NULL);
}

static void verifier_end(struct verifier *verifier)
{
    if (verifier->context)
        gpgme_release(verifier->context);
    signature_home_remove(verifier->home);
    unblock_sigpipe(verifier);
}

static void release_data(gpgme_data_t *data)
{
    if (*data)
        gpgme_data_release(*data);
}
#define _cleanup_data_ _cleanup_(release_data)

static int gpg_failed(struct error **err, gpgme_error_t code, const char *what, const char *name)
{
    if (gpgme_err_code(code) == GPG_ERR_ENOMEM)
        return error_oom(err);
    char text[256];
    gpgme_strerror_r(code, text, sizeof(text));
    error_set(err, EIO, "%s: %s: gpg: %s", name, what, text);
    if (gpgme_err_code(code) == GPG_ERR_INV_ENGINE)
        return error_hint(err, "install GnuPG (package gpg)");
    return -EIO;
}

/* gpgme runs gpgconf to find gpg, which takes longer than all the rest; gpg is in PATH. */
static void initialise(void)
{
    struct sigaction kept;
    int r = sigaction(SIGPIPE, NULL, &kept);
    gpgme_set_global_flag("disable-gpgconf", "1");
    gpgme_check_version(NULL);
    if (r == 0)
        sigaction(SIGPIPE, &kept, NULL);
}

/* A context on gpg with that home; NULL: the user's own. */
static int new_context(const char *home, const char *name, gpgme_ctx_t *ret, struct error **err)
{
    gpgme_ctx_t context = NULL;
    gpgme_error_t code = gpgme_new(&context);
    if (!code && home)
        code = gpgme_ctx_set_engine_info(context, GPGME_PROTOCOL_OpenPGP, NULL, home);
    if (code) {
        if (context)
            gpgme_release(context);
        return gpg_failed(err, code, "its signature cannot be verified", name);
    }
    *ret = context;
    return 0;
}

/* The key that the user named, out of the user's own keyring. */
static int export_key(const char *fingerprint, gpgme_data_t data, struct error **err)
{
    gpgme_ctx_t context = NULL;
    int r = new_context(NULL, fingerprint, &context, err);
    if (r < 0)
        return r;
    gpgme_error_t code = gpgme_op_export(context, fingerprint, GPGME_EXPORT_MODE_MINIMAL, data);
    gpgme_release(context);
    if (code)
        return gpg_failed(err, code, "cannot export the key from your keyring", fingerprint);
    if (gpgme_data_seek(data, 0, SEEK_END) == 0) {
        error_set(err, ENOENT, "there is no key %s in your keyring", fingerprint);
        return error_hint(err, "import it with 'gpg --import FILE'");
    }
    gpgme_data_seek(data, 0, SEEK_SET);
    return 0;
}

static int read_key(const char *key_file, gpgme_data_t *ret, struct error **err)
{
    _cleanup_free_ char *bytes = NULL;
    size_t size = 0;
    int r = file_read(key_file, KEY_FILE_MAX, &bytes, &size, err);
    if (r < 0) {
        error_wrap(err, "the repository's key");
        return r;
    }
    gpgme_error_t code = gpgme_data_new_from_mem(ret, bytes, size, 1);
    return code ? gpg_failed(err, code, "cannot be read", key_file) : 0;
}

static int import_key(struct verifier *verifier, const char *key_file, const char *fingerprint,
                      struct error **err)
{
    _cleanup_data_ gpgme_data_t key = NULL;
    int r;
    if (key_file) {
        r = read_key(key_file, &key, err);
    } else {
        gpgme_error_t code = gpgme_data_new(&key);
        r = code ? gpg_failed(err, code, "no memory", fingerprint)
                 : export_key(fingerprint, key, err);
    }
    if (r < 0)
        return r;
    gpgme_error_t code = gpgme_op_import(verifier->context, key);
    gpgme_import_result_t result = gpgme_op_import_result(verifier->context);
    if (gpgme_err_code(code) == GPG_ERR_INV_ENGINE)
        return gpg_failed(err, code, "cannot import the key", verifier->key_name);
    /* A key file that also has secret or damaged keys in it still serves with its good ones. */
    if (!result || result->imported + result->unchanged == 0) {
        error_set(err, EBADMSG, "%s: holds no usable OpenPGP public key", verifier->key_name);
        return error_hint(err, "'gpg --armor --export NAME' writes such a file");
    }
    return 0;
}

static int verifier_begin(struct verifier *verifier, const char *name,
                          const struct signature_key *key, struct error **err)
{
    if (!key->file && !key->fingerprint)
        return error_set(err, EINVAL, "%s: no key to verify it with", name);
    verifier->name = name;
    verifier->key_name = key->file ? key->file : key->fingerprint;
    block_sigpipe(verifier);
    initialise();
    int r = signature_home_create(&verifier->home, err);
    if (r == 0)
        r = new_context(verifier->home, name, &verifier->context, err);
    return r < 0 ? r : import_key(verifier, key->file, key->fingerprint, err);
}

/* Why a signature does not count. */
static int refuse(const struct verifier *verifier, const struct _gpgme_signature *signature,
                  struct error **err)
{
    const char *name = verifier->name, *key = signature->fpr ? signature->fpr : "?";
    char text[256];
    switch (gpgme_err_code(signature->status)) {
    case GPG_ERR_BAD_SIGNATURE:
        error_set(err, EBADMSG, "%s: BAD signature: it was changed after key %s signed it", name,
                  key);
        return error_hint(err, "do not use it; tell the owner of the repository");
    case GPG_ERR_NO_PUBKEY:
        error_set(err, EBADMSG, "%s: signed by the unknown key %s, not by %s", name, key,
                  verifier->key_name);
        return error_hint(err, "if the owner of the repository has a new key, get it from a source "
                               "that you trust and name it with gpgkey= or --fingerprint");
    case GPG_ERR_KEY_EXPIRED:
        error_set(err, EBADMSG, "%s: the key %s that signed it has expired", name, key);
        return error_hint(err, "ask the owner of the repository for the renewed key");
    case GPG_ERR_CERT_REVOKED:
        error_set(err, EBADMSG, "%s: the key %s that signed it was revoked by its owner", name,
                  key);
        return error_hint(err, "ask the owner of the repository for the new key");
    case GPG_ERR_SIG_EXPIRED:
        error_set(err, EBADMSG, "%s: its signature by key %s has expired", name, key);
        return error_hint(err, "ask the owner of the repository to sign it again");
    default:
        gpgme_strerror_r(signature->status, text, sizeof(text));
        return error_set(err, EBADMSG, "%s: the signature by key %s does not count: %s", name, key,
                         text);
    }
}

/* One good signature suffices (an owner may sign with an old and a new key), unless another one by
 * a known key proves that the text was changed. */
static int judge(const struct verifier *verifier, gpgme_error_t code, struct error **err)
{
    gpgme_verify_result_t result = gpgme_op_verify_result(verifier->context);
    const struct _gpgme_signature *good = NULL, *bad = NULL, *other = NULL;
    for (gpgme_signature_t s = result ? result->signatures : NULL; s; s = s->next) {
        if (gpgme_err_code(s->status) == GPG_ERR_NO_ERROR && !s->wrong_key_usage)
            good = s;
        else if (gpgme_err_code(s->status) == GPG_ERR_BAD_SIGNATURE)
            bad = s;
        else if (!other || gpgme_err_code(other->status) == GPG_ERR_NO_PUBKEY)
            other = s;
    }
    if (bad || (!good && other))
        return refuse(verifier, bad ? bad : other, err);
    if (code && gpgme_err_code(code) != GPG_ERR_NO_DATA && gpgme_err_code(code) != GPG_ERR_BAD_DATA)
        return gpg_failed(err, code, "its signature cannot be verified", verifier->name);
    if (!good || code)
        return error_set(err, EBADMSG, "%s: the signature is damaged", verifier->name);
    return 0;
}

/* Moves the memory of a gpgme object into memory of our own. */
static int take_text(gpgme_data_t *data, char **ret, size_t *ret_size, struct error **err)
{
    size_t size = 0;
    char *bytes = gpgme_data_release_and_get_mem(TAKE_PTR(*data), &size);
    struct str copy = {0};
    if (bytes)
        str_append_n(&copy, bytes, size);
    gpgme_free(bytes);
    char *text = str_take(&copy, err);
    if (!text)
        return -ENOMEM;
    *ret = text;
    *ret_size = size;
    return 0;
}

int signature_verify_clear(const char *signed_text, size_t size, const char *name,
                           const struct signature_key *key, char **ret_text, size_t *ret_size,
                           struct error **err)
{
    const char *block;
    if (!signature_find_block(signed_text, size, &block, &size))
        return error_set(err, EBADMSG, "%s: %s", name,
                         signature_is_clear_signed(signed_text, size)
                             ? "the signature is cut off"
                             : "is not signed, though a key is given for it");
    _cleanup_(verifier_end) struct verifier verifier = {0};
    int r = verifier_begin(&verifier, name, key, err);
    if (r < 0)
        return r;
    _cleanup_data_ gpgme_data_t input = NULL;
    _cleanup_data_ gpgme_data_t output = NULL;
    gpgme_error_t code = gpgme_data_new_from_mem(&input, block, size, 0);
    if (!code)
        code = gpgme_data_new(&output);
    if (code)
        return gpg_failed(err, code, "its signature cannot be verified", name);
    r = judge(&verifier, gpgme_op_verify(verifier.context, input, NULL, output), err);
    return r < 0 ? r : take_text(&output, ret_text, ret_size, err);
}

int signature_verify_detached(const char *data, size_t size, const char *signature,
                              size_t signature_size, const char *name,
                              const struct signature_key *key, struct error **err)
{
    _cleanup_(verifier_end) struct verifier verifier = {0};
    int r = verifier_begin(&verifier, name, key, err);
    if (r < 0)
        return r;
    _cleanup_data_ gpgme_data_t text = NULL;
    _cleanup_data_ gpgme_data_t input = NULL;
    gpgme_error_t code = gpgme_data_new_from_mem(&text, data, size, 0);
    if (!code)
        code = gpgme_data_new_from_mem(&input, signature, signature_size, 0);
    if (code)
        return gpg_failed(err, code, "its signature cannot be verified", name);
    return judge(&verifier, gpgme_op_verify(verifier.context, input, text, NULL), err);
}
