/* The identity of a file system. */
#include <errno.h>
#include <string.h>

#include "base/uuid.h"
#include "guest/ext/bitmap.h"
#include "guest/ext/internal.h"

/*
 * Where the UUID is the seed of all checksums (metadata_csum without metadata_csum_seed), a new one
 * means to write every inode, directory and extent block anew. tune2fs does that, in the appliance.
 * To add metadata_csum_seed instead would be quick, and keep boot loaders that do not know it from
 * reading the file system.
 */
const char *ext_renew_blocker(const struct ext_fs *fs)
{
    if (fs->blocker)
        return fs->blocker;
    if (!fs->alloc)
        return "it was opened for reading only";
    if (ext2fs_has_feature_metadata_csum(fs->fs->super) &&
        !ext2fs_has_feature_csum_seed(fs->fs->super))
        return "all its checksums depend on its UUID";
    return NULL;
}

int ext_renew_uuid(struct ext_fs *fs, uint8_t ret[static 16], struct error **err)
{
    uint8_t uuid[16];
    const char *blocker = ext_renew_blocker(fs);
    if (blocker)
        return error_set(err, EOPNOTSUPP, "%s: %s", fs->name, blocker);
    int r = uuid_random(uuid, err);
    if (r == 0)
        r = ext_begin(fs, err);
    if (r == 0)
        r = ext_finish(fs, 0, err);
    if (r < 0)
        return r;
    /* Nothing below can fail. */
    ext2_filsys lib = fs->fs;
    memcpy(lib->super->s_uuid, uuid, sizeof(uuid));
    if (ext2fs_has_group_desc_csum(lib))
        for (dgrp_t group = 0; group < lib->group_desc_count; group++)
            ext2fs_group_desc_csum_set(lib, group);
    /* The copies of the superblock as well. */
    lib->flags &= ~EXT2_FLAG_MASTER_SB_ONLY;
    ext2fs_mark_super_dirty(lib);
    memcpy(ret, uuid, sizeof(uuid));
    return 0;
}
