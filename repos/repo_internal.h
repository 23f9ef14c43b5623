/* What the two files of repo.h share. */
#pragma once

#include "repos/repo.h"

/* Frees what a repository holds and zeroes it. */
void repo_clear(struct repo *repo);

/* NULL: no repository of that name. */
const struct repo *repo_list_find(const struct repo_list *list, const char *name);

/* Moves *repo into the list; *repo is then empty. On failure it stays the caller's. */
int repo_list_take(struct repo_list *list, struct repo *repo, struct error **err);
