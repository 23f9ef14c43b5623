/* What tests put into a guest in memory, and look at in it. Part of fake_guest.c, which includes
 * it. */

static void add_parents(struct fake_guest *fake, const char *path)
{
    char *copy = strdup(path);
    for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        add_object(fake, copy, S_IFDIR | 0755, "", 0);
        *slash = '/';
    }
    free(copy);
    fake->changes = 0;
}

void fake_add_file(struct fake_guest *fake, const char *path, mode_t mode, uid_t uid, gid_t gid,
                   const char *content)
{
    const struct guest_file_attr attr = {.mode = mode, .uid = uid, .gid = gid, .force = true};
    add_parents(fake, path);
    write_bytes(&fake->guest, path, content, strlen(content), &attr);
}

void fake_add_bytes(struct fake_guest *fake, const char *path, const void *data, size_t size)
{
    const struct guest_file_attr attr = {.mode = 0644};
    add_parents(fake, path);
    write_bytes(&fake->guest, path, data, size, &attr);
}

void fake_add_special(struct fake_guest *fake, const char *path, mode_t mode, dev_t device)
{
    add_parents(fake, path);
    add_object(fake, path, mode, "", device);
    fake->changes = 0;
}

void fake_add_dir(struct fake_guest *fake, const char *path)
{
    fake_add_special(fake, path, S_IFDIR | 0755, 0);
}

void fake_add_link(struct fake_guest *fake, const char *path, const char *target)
{
    add_parents(fake, path);
    add_object(fake, path, S_IFLNK | 0777, target, 0);
    fake->changes = 0;
}

void fake_add_xattr(struct fake_guest *fake, const char *path, const char *name, const char *value)
{
    struct fake_object *object = NULL;
    if (find(fake, path, false, &object) == 0)
        xattr_set(object, name, value, strlen(value));
}

void fake_set_times(struct fake_guest *fake, const char *path, int64_t atime, int64_t mtime)
{
    struct fake_object *object = NULL;
    if (find(fake, path, false, &object) == 0) {
        object->atime = atime;
        object->mtime = mtime;
    }
}

const char *fake_content(struct fake_guest *fake, const char *path)
{
    struct fake_object *object = NULL;
    return find(fake, path, true, &object) == 0 && S_ISREG(object->mode) ? object->data : NULL;
}

mode_t fake_mode(struct fake_guest *fake, const char *path)
{
    struct fake_object *object = NULL;
    return find(fake, path, false, &object) == 0 ? object->mode : 0;
}

const char *fake_xattr(struct fake_guest *fake, const char *path, const char *name)
{
    struct fake_object *object = NULL;
    if (find(fake, path, false, &object) < 0)
        return NULL;
    struct fake_xattr *xattr = *xattr_slot(object, name);
    return xattr ? xattr->value : NULL;
}

unsigned fake_overwritten(struct fake_guest *fake, const char *path)
{
    struct fake_object *object = NULL;
    return find(fake, path, false, &object) == 0 ? object->overwritten : 0;
}
