#include "base/sshkey.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/checked.h"
#include "base/endian.h"
#include "base/fdio.h"

static const size_t max_file = 1024 * 1024;

static const char no_type[] = "is no OpenSSH public key: no known key type is named";
static const char open_quote[] = "a quote in the options is not closed";
static const char no_base64[] = "the key behind its type is not valid base64";
static const char no_memory[] = "out of memory";
static const char not_whole[] = "the key is cut short, damaged, or of another type than it says";

/* The length-prefixed fields of a key blob (RFC 4253, section 6.6; RFC 5656, 3.1; RFC 8709, 4;
 * OpenSSH's PROTOCOL.u2f). Certificates (0) have fields of other kinds as well. */
static const struct key_type {
    const char *name;
    unsigned fields;
} key_types[] = {
    {"ssh-ed25519", 2},
    {"ssh-rsa", 3},
    {"ecdsa-sha2-nistp256", 3},
    {"ecdsa-sha2-nistp384", 3},
    {"ecdsa-sha2-nistp521", 3},
    {"sk-ssh-ed25519@openssh.com", 3},
    {"sk-ecdsa-sha2-nistp256@openssh.com", 4},
    {"ssh-dss", 5},
    {"ssh-ed25519-cert-v01@openssh.com", 0},
    {"ssh-rsa-cert-v01@openssh.com", 0},
    {"ecdsa-sha2-nistp256-cert-v01@openssh.com", 0},
    {"ecdsa-sha2-nistp384-cert-v01@openssh.com", 0},
    {"ecdsa-sha2-nistp521-cert-v01@openssh.com", 0},
    {"sk-ssh-ed25519-cert-v01@openssh.com", 0},
    {"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com", 0},
    {"ssh-dss-cert-v01@openssh.com", 0},
};

/* Lines of a guest's file are not NUL-terminated, and may have NULs in them. */
struct span {
    const char *start;
    const char *end;
};

static size_t span_length(const struct span *span)
{
    return (size_t)(span->end - span->start);
}

static bool span_equal(const char *a, size_t a_length, const char *b, size_t b_length)
{
    return a_length == b_length && memcmp(a, b, a_length) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(struct span *rest)
{
    while (rest->start < rest->end && is_blank(*rest->start))
        rest->start++;
}

static struct span take_word(struct span *rest)
{
    struct span word = {rest->start, rest->start};
    while (word.end < rest->end && !is_blank(*word.end))
        word.end++;
    rest->start = word.end;
    skip_blanks(rest);
    return word;
}

/* Options hold blanks only inside double quotes, where \" is a quote. False: a quote stays open. */
static bool take_options(struct span *rest, struct span *ret)
{
    bool quoted = false;
    const char *at = rest->start;
    for (; at < rest->end && (quoted || !is_blank(*at)); at++) {
        if (at[0] == '\\' && at + 1 < rest->end && at[1] == '"')
            at++;
        else if (*at == '"')
            quoted = !quoted;
    }
    *ret = (struct span){rest->start, at};
    rest->start = at;
    skip_blanks(rest);
    return !quoted;
}

static const struct key_type *find_type(const struct span *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
        if (span_equal(key_types[i].name, strlen(key_types[i].name), word->start,
                       span_length(word)))
            return &key_types[i];
    return NULL;
}

/* True when the blob is made of the fields of its type and nothing else: a key whose end was lost
 * in a copy is not. */
static bool blob_is_whole(const uint8_t *blob, size_t size, const struct key_type *type)
{
    size_t at = 0;
    unsigned count = 0;
    while (at < size && !(type->fields == 0 && count == 1)) {
        be32_t length;
        if (!range_within(at, sizeof(length), size))
            return false;
        memcpy(&length, blob + at, sizeof(length));
        at += sizeof(length);
        const char *field = (const char *)blob + at;
        if (!range_within(at, be32_get(length), size))
            return false;
        if (count == 0 && !span_equal(type->name, strlen(type->name), field, be32_get(length)))
            return false;
        at += be32_get(length);
        count++;
    }
    return type->fields == 0 ? count == 1 && at < size : count == type->fields;
}

/* Returns NULL, or what is wrong with the key. */
static const char *check_blob(const struct span *word, const struct key_type *type)
{
    _cleanup_free_ uint8_t *blob = NULL;
    size_t size;
    int r = base64_decode(word->start, span_length(word), &blob, &size, NULL);
    if (r == -ENOMEM)
        return no_memory;
    if (r < 0 || size == 0)
        return no_base64;
    return blob_is_whole(blob, size, type) ? NULL : not_whole;
}

/* Returns NULL, or what is wrong with the line. */
static const char *take_apart(struct span rest, struct sshkey *ret)
{
    skip_blanks(&rest);
    const struct span line = rest;
    struct span options = {line.start, line.start};
    struct span word = take_word(&rest);
    const struct key_type *type = find_type(&word);
    if (!type) {
        rest = line;
        if (!take_options(&rest, &options))
            return open_quote;
        word = take_word(&rest);
        type = find_type(&word);
    }
    if (!type)
        return no_type;
    word = take_word(&rest);
    const char *fault = check_blob(&word, type);
    if (fault)
        return fault;
    *ret = (struct sshkey){
        .options = options.start,
        .options_length = span_length(&options),
        .blob = word.start,
        .blob_length = span_length(&word),
    };
    return NULL;
}

bool sshkey_parse(const char *line, size_t length, struct sshkey *ret)
{
    return !take_apart((struct span){line, line + length}, ret);
}

bool sshkey_equal(const struct sshkey *a, const struct sshkey *b)
{
    return span_equal(a->options, a->options_length, b->options, b->options_length) &&
           span_equal(a->blob, a->blob_length, b->blob, b->blob_length);
}

static int not_a_key(const char *name, const char *why, struct error **err)
{
    int r = error_set(err, EINVAL, "%s: %s", name, why);
    error_hint(err, "an OpenSSH public key is one line, like 'ssh-ed25519 AAAAC3... you@host'; "
                    "it is the content of a file like ~/.ssh/id_ed25519.pub");
    return r;
}

int sshkey_check(const char *line, const char *name, struct error **err)
{
    _cleanup_free_ char *printable = str_printable(line);
    if (!printable)
        return error_oom(err);
    if (strcmp(printable, line) != 0)
        return not_a_key(name, "holds control characters or bytes that are no UTF-8", err);
    struct sshkey key;
    const char *why = take_apart((struct span){line, line + strlen(line)}, &key);
    return why ? not_a_key(name, why, err) : 0;
}

static bool is_private_key(const char *text)
{
    return strstr(text, "PRIVATE KEY-----") || str_starts(text, "PuTTY-User-Key-File") ||
           str_starts(text, "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY");
}

/* Texts that are often mistaken for public keys. `file` is the name for the remedy. */
static int refuse_other_formats(const char *text, const char *name, const char *file,
                                struct error **err)
{
    if (is_private_key(text)) {
        int r = error_set(err, EINVAL, "%s: is a private key, which must not be given away", name);
        error_hint(err, "give its public half: %s.pub, or what 'ssh-keygen -y -f %s' prints", file,
                   file);
        return r;
    }
    if (str_starts(text, "---- BEGIN SSH2 PUBLIC KEY")) {
        int r = error_set(err, EINVAL, "%s: is a public key in SSH2 (RFC 4716) form", name);
        error_hint(err, "give what 'ssh-keygen -i -f %s' prints", file);
        return r;
    }
    if (str_starts(text, "-----BEGIN")) {
        int r = error_set(err, EINVAL, "%s: is a PEM file, not an OpenSSH public key", name);
        error_hint(err, "give what 'ssh-keygen -i -m PKCS8 -f %s' prints", file);
        return r;
    }
    return 0;
}

/* Returns 1 where the line held a key, 0 where it is blank or a comment. Number 0: the only line.
 */
static int take_line(char *line, const char *name, size_t number, struct strv *keys,
                     struct error **err)
{
    line = str_strip(line);
    if (!*line || *line == '#')
        return 0;
    _cleanup_free_ char *where =
        number ? str_printf(err, "%s:%zu", name, number) : str_printf(err, "%s", name);
    if (!where)
        return -ENOMEM;
    int r = sshkey_check(line, where, err);
    if (r == 0 && !strv_contains(keys, line))
        r = strv_add(keys, line, err);
    return r < 0 ? r : 1;
}

/* Cuts the text up. */
static int take_text(char *text, const char *name, const char *file, struct strv *keys,
                     struct error **err)
{
    size_t found = 0;
    int r = refuse_other_formats(text, name, file, err);
    char *rest = text;
    for (size_t number = strchr(text, '\n') ? 1 : 0; r >= 0 && rest; number++) {
        r = take_line(strsep(&rest, "\n"), name, number, keys, err);
        found += r > 0;
    }
    if (r < 0)
        return r;
    return found ? 0 : not_a_key(name, "holds no key", err);
}

int sshkey_read_text(const char *text, const char *name, struct strv *keys, struct error **err)
{
    _cleanup_free_ char *copy = strdup(text);
    return copy ? take_text(copy, name, "FILE", keys, err) : error_oom(err);
}

int sshkey_read(const char *path, struct strv *keys, struct error **err)
{
    bool standard_input = strcmp(path, "-") == 0;
    const char *name = standard_input ? "standard input" : path;
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    int r = file_read(path, max_file, &text, &size, err);
    if (r < 0)
        return r;
    if (memchr(text, '\0', size))
        return not_a_key(name, "is a binary file", err);
    return take_text(text, name, standard_input ? "FILE" : path, keys, err);
}
