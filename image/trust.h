/*
 * Which backing files an image may have. The name of a backing file stands in the image, and comes
 * from whoever made it: without a policy, an image from a stranger shows any file of the host to
 * whoever works on it.
 *
 * A backing file must be named as a plain path; protocols ("file:", "nbd:", "json:") are refused.
 * Judged is the file that the path leads to once all symbolic links are resolved:
 *
 * - below a folder of --allow-backing: regular files and block devices of any owner;
 * - else regular files of the caller or of root, in the folder of the image on top or below, in
 *   kiln's cache ($XDG_CACHE_HOME/kiln), and in the folders of the configuration: one a line in
 *   $XDG_CONFIG_HOME/kiln/backing.conf, or else /etc/kiln/backing.conf; without these files
 *   /var/lib/libvirt/images.
 *
 * All other files are -EUNTRUSTED, with a hint that names --allow-backing.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/str.h"

/* A NULL pointer stands for the policy without options. */
struct image_trust {
    bool alone;          /* no image may have a backing file */
    struct strv folders; /* of --allow-backing */
};

/* `real`: the backing file's path, free of symbolic links, and what it is; `home`: the folder of
 * the image on top, the same. */
int image_trust_judge(const struct image_trust *trust, const char *home, const char *real,
                      const struct stat *st, struct error **err);
