#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "repos/download.h"

/* RFC 3986, section 3.1. Length of "scheme" where text begins with "scheme://", else 0. */
static size_t scheme_length(const char *text)
{
    size_t length = 0;
    if (!isalpha((unsigned char)text[0]))
        return 0;
    while (isalnum((unsigned char)text[length]) || (text[length] && strchr("+-.", text[length])))
        length++;
    return strncmp(text + length, "://", 3) == 0 ? length : 0;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)tolower((unsigned char)digit);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* Undoes %XX; a percent sign without two digits stands for itself. False for an encoded NUL, which
 * no path can hold. NULL in *ret: out of memory. */
static bool percent_decode(const char *text, char **ret)
{
    char *out = strdup(text);
    *ret = out;
    for (const char *in = text; out && *in;) {
        int high = *in == '%' ? hex_value(in[1]) : -1;
        int low = high >= 0 ? hex_value(in[2]) : -1;
        if (low < 0) {
            *out++ = *in++;
            continue;
        }
        if (high == 0 && low == 0) {
            free(TAKE_PTR(*ret));
            return false;
        }
        *out++ = (char)(high * 16 + low);
        in += 3;
    }
    if (out)
        *out = '\0';
    return true;
}

bool uri_is_local(const char *uri, char **ret_path)
{
    const char *path = uri;
    bool encoded = false;
    if (scheme_length(uri) > 0) {
        if (strncasecmp(uri, "file://", 7) != 0)
            return false;
        path = uri + 7;
        if (strncasecmp(path, "localhost/", 10) == 0)
            path += 9;
        encoded = true;
        if (*path != '/')
            return false;
    }
    char *decoded = NULL;
    if (encoded) {
        if (!percent_decode(path, &decoded))
            return false;
    } else if (ret_path) {
        decoded = strdup(path);
    }
    if (ret_path)
        *ret_path = decoded;
    else
        free(decoded);
    return true;
}

bool uri_is_remote(const char *uri)
{
    static const char *const prefixes[] = {"http://", "https://", "ftp://"};
    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        size_t length = strlen(prefixes[i]);
        if (strncasecmp(uri, prefixes[i], length) != 0)
            continue;
        size_t authority = strcspn(uri + length, "/?#");
        return authority > 0 && uri[length + authority - 1] != '@';
    }
    return false;
}

bool uri_path_is_confined(const char *reference)
{
    if (*reference == '\0' || *reference == '/' || scheme_length(reference) > 0)
        return false;
    _cleanup_free_ char *decoded = NULL;
    if (!percent_decode(reference, &decoded) || !decoded || *decoded == '/')
        return false;
    for (const char *segment = decoded;;) {
        /* A backslash divides segments on some servers. */
        size_t length = strcspn(segment, "/\\?#");
        if (length == 2 && segment[0] == '.' && segment[1] == '.')
            return false;
        for (size_t i = 0; i < length; i++)
            if ((unsigned char)segment[i] < 0x20 || segment[i] == 0x7f)
                return false;
        if (segment[length] == '\0')
            return true;
        segment += length + 1;
    }
}

/* Appends text; what may not stand in a URI (RFC 3986, section 2) is percent-encoded. Escapes that
 * are there already stay. */
static void append_encoded(struct str *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (isalnum(*p) || strchr("-._~:/?[]@!$&'()*+,;=%", *p))
            str_append_n(out, p, 1);
        else
            str_appendf(out, "%%%02X", *p);
    }
}

char *uri_resolve(const char *base, const char *reference, struct error **err)
{
    if (!uri_path_is_confined(reference)) {
        _cleanup_free_ char *printable = str_printable(reference);
        error_set(err, EINVAL, "'%s' is not a path inside the repository",
                  printable ? printable : "?");
        return NULL;
    }
    while (str_starts(reference, "./"))
        reference += 2;
    _cleanup_str_ struct str out = {0};
    size_t scheme = scheme_length(base);
    /* A query of the index's own (a token, say) is not part of its directory; on disk a question
     * mark is a character like any other. */
    bool remote = uri_is_remote(base);
    size_t end = remote ? strcspn(base, "?#") : strlen(base);
    size_t root = scheme ? scheme + 3 : 0;
    while (end > root && base[end - 1] != '/')
        end--;
    str_append_n(&out, base, end);
    if (end == root && scheme) {
        /* "http://host" without any path. */
        str_append_n(&out, base + root, strcspn(base + root, "?#"));
        str_append(&out, "/");
    }
    if (scheme)
        append_encoded(&out, reference);
    else
        str_append(&out, reference);
    return str_take(&out, err);
}

/* A query often holds the token that gives access: names stay, values do not. */
static void append_masked(struct str *out, const char *query)
{
    while (*query) {
        size_t length = strcspn(query, "?#&;=");
        bool value = query[length] != '=';
        /* A word without a value may be the secret itself. */
        if (length > 0 && value)
            str_append(out, "***");
        else
            str_append_n(out, query, length);
        query += length;
        if (*query == '=') {
            str_append(out, "=***");
            query += strcspn(query, "&;#");
        }
        if (*query)
            str_append_n(out, query++, 1);
    }
}

char *uri_printable(const char *uri)
{
    _cleanup_str_ struct str out = {0};
    size_t scheme = scheme_length(uri);
    size_t host = scheme ? scheme + 3 : 0;
    size_t authority = scheme ? strcspn(uri + host, "/?#") : 0;
    const char *at = authority ? memrchr(uri + host, '@', authority) : NULL;
    str_append_n(&out, uri, host);
    const char *rest = at ? at + 1 : uri + host;
    size_t shown = uri_is_remote(uri) ? strcspn(rest, "?#") : strlen(rest);
    str_append_n(&out, rest, shown);
    append_masked(&out, rest + shown);
    _cleanup_free_ char *whole = str_take(&out, NULL);
    return whole ? str_printable(whole) : NULL;
}
