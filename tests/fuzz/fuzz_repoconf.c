/* Repository definitions: what is accepted must be usable, and nothing may be an error. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "repos/download.h"
#include "repos/repo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static void count_message(struct reporter *reporter, enum report_level level, const char *text)
{
    (void)reporter;
    (void)level;
    require(text && *text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reporter reporter = {.message = count_message};
    _cleanup_repo_list_ struct repo_list list = {0};
    _cleanup_error_ struct error *err = NULL;
    require(repo_conf_parse((const char *)data, size, "fuzz.conf", &list, &reporter, &err) == 0);
    for (size_t i = 0; i < list.count; i++) {
        const struct repo *repo = &list.items[i];
        _cleanup_free_ char *path = NULL, *shown = uri_printable(repo->uri);
        require(repo->name && *repo->name && repo->origin && shown);
        require(uri_is_remote(repo->uri) ||
                (uri_is_local(repo->uri, &path) && path && *path == '/'));
        require(!repo->gpgkey || *repo->gpgkey == '/');
        require(!repo->fingerprint);
        for (size_t j = 0; j < i; j++)
            require(strcmp(list.items[j].name, repo->name) != 0);
    }
    /* What a user may give on the command line goes through the same gates. */
    _cleanup_free_ char *text = strndup((const char *)data, size);
    if (text && repo_list_add(&list, text, text, NULL) == 0)
        require(strlen(list.items[list.count - 1].fingerprint) >= 40);
    return 0;
}
