/* Indexes: whatever is accepted must keep the promises of repos/index.h, and the finder of signed
 * blocks must stay inside its text. */

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "repos/download.h"
#include "repos/index.h"
#include "repos/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void check_checksum(const struct index_entry *entry, enum digest_kind kind)
{
    const char *hex = entry->checksum[kind];
    if (!hex)
        return;
    require(strlen(hex) == digest_hex_length(kind));
    for (; *hex; hex++)
        require(isxdigit((unsigned char)*hex) && !isupper((unsigned char)*hex));
}

static void check_path(const char *path)
{
    static const char *const bases[] = {"http://h/a/index", "file:///a/index", "/a/index"};
    static const char *const prefixes[] = {"http://h/a/", "file:///a/", "/a/"};
    require(uri_path_is_confined(path));
    for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
        _cleanup_free_ char *uri = uri_resolve(bases[i], path, NULL), *local = NULL;
        require(uri && strncmp(uri, prefixes[i], strlen(prefixes[i])) == 0);
        if (uri_is_local(uri, &local) && local)
            require(!strstr(local, "/../"));
    }
}

static void check_entry(const struct index_entry *entry)
{
    require(entry->id && *entry->id && !strchr(entry->id, '/'));
    require(entry->arch && *entry->arch && entry->file && entry->size > 0);
    require(entry->size <= INT64_MAX && entry->compressed_size <= INT64_MAX);
    check_path(entry->file);
    if (entry->sig)
        check_path(entry->sig);
    check_checksum(entry, DIGEST_SHA256);
    check_checksum(entry, DIGEST_SHA512);
    for (char **alias = entry->aliases; alias && *alias; alias++)
        require(**alias != '\0');
    (void)index_note(entry, "de_DE.UTF-8@euro");
    (void)index_note(entry, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *block;
    size_t block_size;
    _cleanup_error_ struct error *err = NULL;
    _cleanup_index_ struct index index = {0};
    if (signature_find_block(text, size, &block, &block_size)) {
        require(block >= text && block_size <= size - (size_t)(block - text));
        require(signature_is_clear_signed(text, size));
    }
    if (index_parse(text, size, "fuzz", NULL, &index, &err) < 0)
        require(err && *error_message(err) && !index.entries);
    for (size_t i = 0; i < index.count; i++)
        check_entry(&index.entries[i]);
    return 0;
}
