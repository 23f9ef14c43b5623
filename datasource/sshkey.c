#include "datasource/sshkey.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/checked.h"
#include "base/endian.h"
#include "base/fdio.h"

static const size_t max_file = 1024 * 1024;

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

static size_t word_length(const char *text)
{
    return strcspn(text, " \t");
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " \t");
}

static const struct key_type *find_type(const char *word, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
        if (strlen(key_types[i].name) == length && memcmp(key_types[i].name, word, length) == 0)
            return &key_types[i];
    return NULL;
}

/* Options hold blanks only inside double quotes, where \" is a quote. NULL: a quote stays open. */
static const char *skip_options(const char *text)
{
    bool quoted = false;
    for (; *text && (quoted || (*text != ' ' && *text != '\t')); text++) {
        if (text[0] == '\\' && text[1] == '"')
            text++;
        else if (*text == '"')
            quoted = !quoted;
    }
    return quoted ? NULL : skip_blanks(text);
}

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *digit = c ? strchr(digits, c) : NULL;
    return digit ? (int)(digit - digits) : -1;
}

/* RFC 4648, section 4, with its padding. NULL: no base64, or out of memory. */
static uint8_t *base64_decode(const char *text, size_t length, size_t *ret_size)
{
    if (length == 0 || length % 4 != 0)
        return NULL;
    for (int padding = 0; padding < 2 && text[length - 1] == '='; padding++)
        length--;
    _cleanup_free_ uint8_t *bytes = malloc(length);
    uint32_t bits = 0;
    unsigned held = 0;
    size_t size = 0;
    for (size_t i = 0; bytes && i < length; i++) {
        int value = base64_value(text[i]);
        if (value < 0)
            return NULL;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[size++] = (uint8_t)(bits >> held);
        }
    }
    *ret_size = size;
    return TAKE_PTR(bytes);
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
        if (!range_within(at, be32_get(length), size))
            return false;
        if (count == 0 && (be32_get(length) != strlen(type->name) ||
                           memcmp(blob + at, type->name, strlen(type->name)) != 0))
            return false;
        at += be32_get(length);
        count++;
    }
    return type->fields == 0 ? count == 1 && at < size : count == type->fields;
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
    const char *word = skip_blanks(line);
    const struct key_type *type = find_type(word, word_length(word));
    if (!type) {
        word = skip_options(word);
        if (!word)
            return not_a_key(name, "a quote in the options is not closed", err);
        type = find_type(word, word_length(word));
    }
    if (!type)
        return not_a_key(name, "is no OpenSSH public key: no known key type is named", err);
    word = skip_blanks(word + word_length(word));
    size_t size = 0;
    _cleanup_free_ uint8_t *blob = base64_decode(word, word_length(word), &size);
    if (!blob)
        return not_a_key(name, "the key behind its type is not valid base64", err);
    if (!blob_is_whole(blob, size, type))
        return not_a_key(name, "the key is cut short, damaged, or of another type than it says",
                         err);
    return 0;
}

/* Files that people take for public keys. */
static int refuse_other_formats(const char *text, const char *path, const char *name,
                                struct error **err)
{
    const char *file = strcmp(path, "-") == 0 ? "FILE" : path;
    if (strstr(text, "PRIVATE KEY-----") || str_starts(text, "PuTTY-User-Key-File")) {
        int r =
            error_set(err, EINVAL, "%s: is a private key, which must never leave its owner", name);
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

/* Returns 1 where the line held a key, 0 where it is blank or a comment. */
static int take_line(char *line, const char *name, size_t number, struct strv *keys,
                     struct error **err)
{
    line = str_strip(line);
    if (!*line || *line == '#')
        return 0;
    _cleanup_free_ char *where = str_printf(err, "%s:%zu", name, number);
    if (!where)
        return -ENOMEM;
    int r = sshkey_check(line, where, err);
    if (r == 0 && !strv_contains(keys, line))
        r = strv_add(keys, line, err);
    return r < 0 ? r : 1;
}

int sshkey_read(const char *path, struct strv *keys, struct error **err)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    _cleanup_free_ char *text = NULL;
    size_t size = 0, found = 0;
    int r = file_read(path, max_file, &text, &size, err);
    if (r < 0)
        return r;
    if (memchr(text, '\0', size))
        return not_a_key(name, "is a binary file", err);
    r = refuse_other_formats(text, path, name, err);
    char *rest = text;
    for (size_t number = 1; r >= 0 && rest; number++) {
        r = take_line(strsep(&rest, "\n"), name, number, keys, err);
        found += r > 0;
    }
    if (r < 0)
        return r;
    return found ? 0 : not_a_key(name, "holds no key", err);
}
